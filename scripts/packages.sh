#!/bin/sh
# Sees to it that commands are there, as COMMAND:PACKAGE pairs of Debian's names: scripts/packages.sh chromium:chromium redis-server:redis-server
# Silent when all are. As root on a Debian-like system it installs what is missing; elsewhere it says what to install, and fails.
set -eu

[ $# -gt 0 ] || { echo "usage: scripts/packages.sh COMMAND:PACKAGE..." >&2; exit 2; }

# What the package is called where Debian's name does not hold.
hint() {
  case $1 in
    chromium) echo "brew install --cask chromium, or any Chromium or Chrome named by the variable CHROMIUM" ;;
    redis-server) echo "brew install redis, dnf install redis" ;;
    maven) echo "brew install maven, dnf install maven, which bring a Java too" ;;
    nghttp2-client) echo "brew install nghttp2, dnf install nghttp2" ;;
    *) echo "brew install $1, or your system's package of that name" ;;
  esac
}

missing=
packages=
for pair in "$@"; do
  case $pair in
    ?*:?*) ;;
    *) echo "scripts/packages.sh: $pair is not a COMMAND:PACKAGE pair" >&2; exit 2 ;;
  esac
  if ! command -v "${pair%%:*}" >/dev/null 2>&1; then
    missing="$missing $pair"
    packages="$packages ${pair#*:}"
  fi
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  # Debian starts what it installs as a service, and tests start their own.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$log" "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  echo "apt-get update"
  apt-get update >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
  for package in $packages; do
    echo "apt-get install $package"
    apt-get install --yes --no-install-recommends "$package" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
  done
  for pair in $missing; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || { echo "${pair#*:} is installed and has no command ${pair%%:*}" >&2; exit 1; }
  done
  exit 0
fi

for pair in $missing; do
  echo "${pair%%:*} is missing: apt-get install ${pair#*:} (Debian, Ubuntu), $(hint "${pair#*:}")" >&2
done
exit 1
