# Every task of the project. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
TOOLS := node_modules/.bin
NODE_TEST := bin/node --test --test-reporter=spec
TEST_PACKAGES := chromium:chromium openssl:openssl ip:iproute2 curl:curl python3:python3 pip3:python3-pip redis-server:redis-server mvn:maven

# Hundreds of processes load the same sources: they need not all be stripped of their types again.
export NODE_COMPILE_CACHE := $(CURDIR)/.cache/node

.PHONY: help demo check static quick test unit real keycloak cluster apiserver traffic replicas faults format generate packages bench-policy bench-sessions bench-translate bench-scale soak mutate

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

demo: node_modules/.package-lock.json ## Run it all on this computer: Sallyport, a provider, applications
	@bin/sallyport demo

check: node_modules/.package-lock.json ## The inner loop: everything that needs nothing but Node
	@$(MAKE) --no-print-directory -j2 --output-sync=target static quick

static: node_modules/.package-lock.json
	$(TOOLS)/tsc --noEmit -p .
	$(TOOLS)/oxlint --type-aware --deny-warnings src test demo scripts bench
	$(TOOLS)/oxfmt --check src test demo scripts bench
	bin/node $(TOOLS)/knip
	bin/node scripts/crds.ts --check
	bin/node scripts/docs.ts --check

quick: node_modules/.package-lock.json
	$(NODE_TEST) $(CHECK_TESTS)

# What needs nothing but Node, and no waiting.
QUICK_DOCS := links|examples|reference|from-pomerium
QUICK_AUTH := assertion|claims|cookie|device|keys|login|logout-token|refresh|session
QUICK_PROXY := challenge|decision|decisions|handle|headers|match|pages|refusal|sessions|streams|words
CHECK_TESTS := 'test/{house,policy,translate,sessions,review,roles,admin}/*.test.ts' 'test/docs/@($(QUICK_DOCS)).test.ts' \
  'test/auth/@($(QUICK_AUTH)).test.ts' 'test/proxy/@($(QUICK_PROXY)).test.ts'

test: check packages ## Everything: check, attacks, integration, browser, a real API server; installs what it needs
	@$(MAKE) --no-print-directory $(if $(KUBECONFIG_TEST),-j1,-j3) --output-sync=target traffic real apiserver unit keycloak
	@$(MAKE) --no-print-directory replicas

# What opens sockets, waits for deadlines, or tries thousands of inputs. The attacks share a process: each has its own proxy.
unit: node_modules/.package-lock.json
	$(NODE_TEST) --test-concurrency=1 'test/{properties,inventory,cli,auth/directories}/*.test.ts' \
	  'test/auth/!($(QUICK_AUTH)).test.ts' 'test/proxy/!($(QUICK_PROXY)).test.ts'
	$(NODE_TEST) --test-isolation=none 'test/attacks/**/*.test.ts'

# What has a provider, a browser, or ports and processes of its own.
real: node_modules/.package-lock.json
	$(NODE_TEST) --test-concurrency=1 'test/docs/!($(QUICK_DOCS)).test.ts' 'test/{demo,integration,conformance,browser,redis}/*.test.ts'

# One Keycloak for them all: it takes 20 s of CPU to start.
keycloak: node_modules/.package-lock.json
	$(NODE_TEST) --test-isolation=none 'test/keycloak/*.test.ts'

# What has an API server of its own, and what has network namespaces beside it: of those there is one set.
cluster: apiserver traffic ## What needs an API server, or the cluster in KUBECONFIG_TEST

TRAFFIC_TESTS := acme|attachment|guardrails|hosts|newer|outages|serving|session-life|sessions|workloads
apiserver: node_modules/.package-lock.json
	$(NODE_TEST) --test-concurrency=1 'test/cluster/!($(TRAFFIC_TESTS)).test.ts'

traffic: node_modules/.package-lock.json
	$(NODE_TEST) --test-concurrency=1 'test/cluster/@($(TRAFFIC_TESTS)).test.ts'

# Several processes of Sallyport beside their stores: by themselves, for they look at the clock.
replicas: node_modules/.package-lock.json
	$(NODE_TEST) --test-concurrency=1 'test/replicas/*.test.ts'

# Apart from `make test`: what is said under faults differs in a word or two on a machine that is busy.
faults: node_modules/.package-lock.json ## Live through every fault of stores and providers; UPDATE=1 writes docs/faults.md
	$(NODE_TEST) 'test/faults/*.test.ts'

packages: ## Install what the tests need beside npm's packages
	@scripts/packages.sh $(TEST_PACKAGES)
	@PYTHONPATH=.cache/python python3 -c 'import jwt, cryptography' 2>/dev/null || \
	  python3 -m pip install --quiet --disable-pip-version-check --target .cache/python 'pyjwt[crypto]==2.15.1'
	@test/cluster/binaries/build >/dev/null
	@test/cluster/pebble/build >/dev/null
	@test/keycloak/build >/dev/null

format: node_modules/.package-lock.json ## Format the code
	$(TOOLS)/oxfmt src test demo scripts bench

bench-policy: node_modules/.package-lock.json ## What a decision costs, and the worst patterns and expressions; bench/*.md keep the tables
	bin/node --expose-gc --max-semi-space-size=512 bench/policy.ts
	bin/node --expose-gc bench/policy-hostile.ts

bench-sessions: node_modules/.package-lock.json ## What a session, a sign-in and 100,000 remembered sessions cost; bench/sessions.md keeps the table
	taskset -c 1 bin/node bench/sessions.ts

bench-translate: node_modules/.package-lock.json ## What a change costs from the watch to the table, at 100 to 50,000 Ingresses; bench/translate.md keeps the table
	bin/node bench/translate.ts

bench-scale: node_modules/.package-lock.json ## 10,000 Ingresses on a real API server, some 10 minutes; bench/scale.md keeps the table
	bin/node bench/scale.ts

soak: node_modules/.package-lock.json ## Changes and traffic for MINUTES (30): memory must not grow
	bin/node bench/soak.ts

generate: node_modules/.package-lock.json ## Make the generated files: the CRDs and the reference pages
	bin/node scripts/crds.ts
	bin/node scripts/docs.ts

mutate: node_modules/.package-lock.json ## Change the policy engine one comparison at a time, and list which test notices
	bin/node scripts/mutate.ts
