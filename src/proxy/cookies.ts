// Our own cookies, at the border: taken out of what goes to an application, and out of what an application sets.
import { isOwnCookie, sessionCookieName } from '../auth/authority.ts';

export type Cookie = readonly [name: string, value: string];

/**
 * Name and value as a cookie parser would see them. Leading `=` signs and spaces are no part of a name: a browser sends the
 * nameless cookie `=__Host-x=1` as `__Host-x=1` (RFC 6265bis §5.7).
 */
function parsePair(pair: string): Cookie {
  const text = pair.replace(/^[\s=]+/, '');
  const equals = text.indexOf('=');
  return equals === -1 ? [text.trimEnd(), ''] : [text.slice(0, equals).trimEnd(), text.slice(equals + 1).trim()];
}

/** Our own cookies among those of the request's Cookie headers, in the order sent. Never fails, whatever was sent. */
export function ownCookies(headers: readonly string[], cookieName: string): readonly Cookie[] {
  return headers
    .flatMap((header) => header.split(';'))
    .map(parsePair)
    .filter(([name]) => isOwnCookie(name, cookieName));
}

const sessionsTried = 3;

/** Values that could be a session's, at most three: a browser sends one, and more are somebody's experiment. */
export function sessionCookies(cookies: readonly Cookie[], cookieName: string): readonly string[] {
  const wanted = sessionCookieName(cookieName);
  return cookies
    .filter(([name, value]) => name === wanted && /^[\x21-\x7e]{1,4096}$/.test(value))
    .slice(0, sessionsTried)
    .map(([, value]) => value);
}

/** A Cookie header without ours; the others byte for byte and in order. Undefined where nothing is left. */
export function withoutOwnCookies(header: string, cookieName: string): string | undefined {
  const pairs = header.split(';');
  const kept = pairs.filter((pair) => !isOwnCookie(parsePair(pair)[0], cookieName));
  if (kept.length === pairs.length) return header;
  const rest = kept.join(';').trimStart();
  return rest === '' ? undefined : rest;
}

/** Whether a Set-Cookie header of an application's would set a cookie of ours. */
export function setsOwnCookie(header: string, cookieName: string): boolean {
  return isOwnCookie(parsePair(header.split(';', 1)[0] ?? '')[0], cookieName);
}
