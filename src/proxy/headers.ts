// The outgoing headers, built and not filtered: what is ours comes only from us, the rest passes as it came.
import { foldName, isChangeableInRequest, isChangeableInResponse, isManaged, isProxys } from '../model/header-names.ts';
import type { HeaderChanges, Route } from '../model/route.ts';
import type { ClassSettings } from '../model/settings.ts';
import { isCorsHeader } from './cors.ts';
import { setsOwnCookie, withoutOwnCookies } from './cookies.ts';
import type { Outward } from './outward.ts';
import { readyChanges } from './header-changes.ts';
import { identityHeaders } from './identity-headers.ts';
import type { Told } from './identity-headers.ts';
import type { CanonicalRequest } from './request.ts';
import { outerPrefix, sentHost } from './rewrite.ts';

/** Name, value, name, value…, as node:http takes and gives them. */
export type FlatHeaders = readonly string[];

// Framing and routing are read under their own spelling alone; some servers read Content_Length as if it were one.
const exactSpellingOnly: ReadonlySet<string> = new Set(['content-length', 'content-type', 'transfer-encoding']);

const claimHeaderSets = new WeakMap<object, ReadonlySet<string>>();

function claimHeadersOf(claims: ClassSettings['identityHeaders']['claims']): ReadonlySet<string> {
  let names = claimHeaderSets.get(claims);
  if (names === undefined) {
    names = new Set(Object.keys(claims).map(foldName));
    claimHeaderSets.set(claims, names);
  }
  return names;
}

/** Names that a Connection header nominates: dropped before ours are added, so that nobody can have ours dropped (CVE-2021-32813). */
function nominated(connection: readonly string[]): ReadonlySet<string> {
  return new Set(connection.flatMap((value) => value.split(',')).map((name) => name.trim().toLowerCase()));
}

export interface Outgoing {
  readonly asked: CanonicalRequest;
  readonly rawHeaders: FlatHeaders;
  readonly requestId: string;
  readonly settings: ClassSettings;
  /** The Authorization header was for us. */
  readonly withoutAuthorization?: boolean;
  /** Absent: the application is told of nobody. */
  readonly told?: Told;
  /** The protocol that the client wants to switch to. */
  readonly upgrade?: string;
  /** Absent: the application gets what was asked, unchanged. */
  readonly route?: Route;
}

/** What the upstream gets. */
export function requestHeaders(outgoing: Outgoing): string[] {
  const { asked, rawHeaders, requestId, settings, told, upgrade, route, withoutAuthorization = false } = outgoing;
  const dropped = nominated(asked.headers.get('connection') ?? []);
  const claims = claimHeadersOf(settings.identityHeaders.claims);
  const changes = route?.requestHeaders && readyChanges(route.requestHeaders);
  const headers = ['Host', route?.rewrite ? sentHost(route, asked) : asked.authority];
  for (const [name, value] of pairs(rawHeaders)) {
    const lower = name.toLowerCase();
    const folded = foldName(name);
    if (lower === 'host' || lower === 'content-length') continue;
    if (isProxys(folded) || dropped.has(lower) || isManaged(folded, claims)) continue;
    if (changes?.dropped.has(folded) === true) continue;
    if (folded !== lower && exactSpellingOnly.has(folded)) continue;
    if (withoutAuthorization && folded === 'authorization') continue;
    const kept = lower === 'cookie' ? withoutOwnCookies(value, settings.cookieName) : value;
    if (kept !== undefined) headers.push(name, kept);
  }
  for (const [, name, value] of changes?.lines ?? [])
    if (isChangeableInRequest(name, claims)) headers.push(name, value);
  headers.push(...framing(asked), ...forwarding(asked), 'X-Request-Id', requestId);
  const prefix = route && outerPrefix(route);
  if (prefix !== undefined) headers.push('X-Forwarded-Prefix', prefix);
  if (asked.headers.get('te')?.some((value) => /(?:^|,)\s*trailers\s*(?:,|$)/i.test(value)) === true) {
    headers.push('TE', 'trailers');
  }
  if (upgrade !== undefined) headers.push('Connection', 'Upgrade', 'Upgrade', upgrade);
  if (told !== undefined) headers.push(...identityHeaders(told, settings.identityHeaders));
  return headers;
}

/** Derived anew from what the parser obeyed (RFC 9112 §6.3), whatever Connection nominated (CVE-2026-29057). */
function framing({ headers, method }: CanonicalRequest): readonly string[] {
  const length = headers.get('content-length')?.[0];
  if (length !== undefined) return ['Content-Length', length];
  if (headers.has('transfer-encoding')) return ['Transfer-Encoding', 'chunked'];
  // No body. Where a body is usual that must be said (RFC 9110 §8.6), or node:http would announce a chunked one.
  return bodiless.has(method) ? [] : ['Content-Length', '0'];
}

const bodiless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);

/** Whether a body follows the request's headers. */
export function hasBody({ headers }: CanonicalRequest): boolean {
  return headers.has('transfer-encoding') || Number(headers.get('content-length')?.[0] ?? 0) > 0;
}

function forwarding({ client, scheme, authority, port }: CanonicalRequest): readonly string[] {
  return [
    'X-Forwarded-For',
    client.chain.join(', '),
    'X-Forwarded-Proto',
    scheme,
    'X-Forwarded-Host',
    authority,
    'X-Forwarded-Port',
    String(port ?? (scheme === 'https' ? 443 : 80)),
    'X-Real-IP',
    client.address,
  ];
}

/** What an answer of an application is passed on under. */
export interface Answering {
  readonly status: number;
  readonly cookieName: string;
  /** See Exchange. */
  readonly cors?: readonly string[];
  readonly outward?: Outward;
  /** See Exchange. */
  readonly transport?: readonly string[];
  readonly changes?: HeaderChanges;
}

/** What the client gets of an application's headers. Nothing of ours among them: an application cannot set our cookies. */
export function responseHeaders(rawHeaders: FlatHeaders, answering: Answering): string[] {
  const { status, cookieName, cors, outward, transport } = answering;
  const changes = answering.changes && readyChanges(answering.changes);
  const connection = [...pairs(rawHeaders)].filter(([name]) => name.toLowerCase() === 'connection');
  const dropped = nominated(connection.map(([, value]) => value));
  const headers: string[] = [];
  for (const [name, value] of pairs(rawHeaders)) {
    const lower = name.toLowerCase();
    // Framing cannot be nominated away: a Content-Length that vanished would change what HEAD says.
    if (isProxys(lower) || (dropped.has(lower) && lower !== 'content-length')) continue;
    if (lower === 'set-cookie' && setsOwnCookie(value, cookieName)) continue;
    if (cors !== undefined && isCorsHeader(name)) continue;
    if (transport !== undefined && lower === 'strict-transport-security') continue;
    if (changes?.dropped.has(foldName(name)) === true && isChangeableInResponse(name)) continue;
    if (lower === 'content-length' && (status === 204 || status < 200)) continue;
    headers.push(name, outward === undefined ? value : outward(lower, value));
  }
  for (const [folded, name, value] of changes?.lines ?? []) {
    const isOurs = folded === 'set-cookie' || (cors !== undefined && isCorsHeader(name));
    if (isChangeableInResponse(name) && !isOurs) headers.push(name, value);
  }
  headers.push(...(cors ?? []), ...(transport ?? []));
  return headers;
}

// RFC 9110 §6.5.1: fields that frame, route, authenticate or describe the message mean nothing safe at its end.
const neverTrailers: ReadonlySet<string> = new Set([
  'host',
  'authorization',
  'cookie',
  'set-cookie',
  'trailer',
  'content-length',
  'content-type',
  'content-encoding',
  'content-range',
  'cache-control',
  'range',
  'age',
  'date',
  'expires',
  'location',
  'retry-after',
  'vary',
  'www-authenticate',
]);

/** The trailers that pass, in either direction: none that would say otherwise what the route has changed. */
export function trailers(
  rawTrailers: FlatHeaders,
  settings: ClassSettings,
  changes: HeaderChanges | undefined,
): [string, string][] {
  const changed = changes && readyChanges(changes).dropped;
  const claims = claimHeadersOf(settings.identityHeaders.claims);
  return [...pairs(rawTrailers)].filter(([name]) => {
    const folded = foldName(name);
    if (changed?.has(folded) === true) return false;
    return !neverTrailers.has(folded) && !isProxys(folded) && !isManaged(folded, claims);
  });
}

export function* pairs(flat: FlatHeaders): Generator<[name: string, value: string]> {
  for (let at = 0; at + 1 < flat.length; at += 2) yield [flat[at] ?? '', flat[at + 1] ?? ''];
}
