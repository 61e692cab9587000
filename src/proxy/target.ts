// The request target, canonical or refused: what the policy judges and what the upstream gets are this one string.

export interface Target {
  /** Begins with one `/`; no dot segments, no needless percent-encoding. */
  readonly path: string;
  /** With its `?`, byte for byte as it came; or empty. */
  readonly query: string;
}

const targetLimit = 16 * 1024;
const pathLimit = 8 * 1024;

// Control characters, space, DEL and bytes above ASCII; the quote marks; `#` (CVE-2026-41059) and `\` (CVE-2020-5233).
const forbidden = /[^\x21\x24-\x3b\x3d\x3f-\x5b\x5d-\x7e]/;
const malformed = /%(?![0-9A-Fa-f]{2})/;
// Encoded `/` and `\` (CVE-2021-29492), control characters and NUL.
const forbiddenEncoded = /%(?:[01][0-9A-Fa-f]|2f|5c|7f)/i;
// UTF-8 longer than it need be: %C0%AE is a dot to a careless decoder (RFC 3629 §3).
const overlong = /%(?:C[01]|E0%[89]|F0%8)/i;
// `.` and `..`, also before a path parameter: Tomcat and its kin drop `;x` and then resolve what is left.
const dotSegment = /\/\.{1,2}(?:\/|;|%3B|$)/;
const unreserved = /[A-Za-z0-9._~-]/;

/** The canonical form of an origin-form target (RFC 9112 §3.2.1), or in one sentence why there is none. */
export function canonicalTarget(target: string): Target | { readonly detail: string } {
  if (target.length > targetLimit) return { detail: `The request target is longer than ${targetLimit} bytes.` };
  if (!target.startsWith('/')) return { detail: 'The request target does not begin with a slash.' };
  if (forbidden.test(target)) return { detail: 'The request target holds a character that must be percent-encoded.' };
  const mark = target.indexOf('?');
  const given = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : target.slice(mark);
  if (given.length > pathLimit) return { detail: `The path is longer than ${pathLimit} bytes.` };
  if (malformed.test(given)) return { detail: 'The path holds a percent sign that begins no percent-encoded byte.' };
  if (forbiddenEncoded.test(given) || overlong.test(given)) {
    return { detail: 'The path holds a percent-encoded slash, backslash or control character.' };
  }
  // RFC 3986 §6.2.2: unreserved characters stand for themselves, the hexadecimal digits of others are upper case.
  const path = given.replaceAll(/%[0-9A-Fa-f]{2}/g, decodeUnreserved).replaceAll(/\/{2,}/g, '/');
  if (dotSegment.test(path)) return { detail: 'The path holds a segment that is . or .. alone.' };
  return { path, query };
}

function decodeUnreserved(encoded: string): string {
  const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
  return unreserved.test(character) ? character : encoded.toUpperCase();
}
