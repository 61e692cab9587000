// One canonical request or a refusal: host, path, framing, method and client, judged once, before anything else looks at them.
import { METHODS } from 'node:http';
import type { ClassSettings } from '../model/settings.ts';
import { isLocalHost, parseAuthority } from './address.ts';
import type { HostAndPort } from './address.ts';
import { clientOf } from './client.ts';
import type { Client, HeaderIndex } from './client.ts';
import { canonicalTarget } from './target.ts';
import type { Target } from './target.ts';

/** A request as the parser left it. */
export interface RawRequest {
  readonly method: string;
  readonly target: string;
  /** Name, value, name, value… `headers` of node:http is not used: it joins, drops and keeps only the first Host. */
  readonly rawHeaders: readonly string[];
  /** The peer's canonical address. */
  readonly peer: string;
  readonly encrypted: boolean;
  /** The listener's. */
  readonly port: number;
}

export interface CanonicalRequest extends Target {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  /** The host, with the port where the client gave one that is not the scheme's own. */
  readonly authority: string;
  readonly port?: number;
  readonly client: Client;
  /** By lower-case name, in the order sent. */
  readonly headers: HeaderIndex;
}

export interface Refusal {
  readonly status: 400 | 405 | 431;
  readonly detail: string;
}

export type Canonical = { readonly ok: CanonicalRequest } | { readonly refused: Refusal };

const headerLimit = 200;

// Two of these would let us judge one and the application obey the other (CVE-2020-25017).
const singleValued = [
  'host',
  'content-length',
  'content-type',
  'transfer-encoding',
  'authorization',
  'expect',
  'from',
  'if-modified-since',
  'if-unmodified-since',
  'max-forwards',
  'origin',
  'range',
  'referer',
  'sec-fetch-mode',
  'sec-fetch-site',
  'sec-websocket-key',
  'upgrade',
  'user-agent',
];

// CONNECT never comes this far; TRACE would show an application's answer the headers that only it may see.
const methods: ReadonlySet<string> = new Set(METHODS.filter((method) => method !== 'CONNECT' && method !== 'TRACE'));

export const allowedMethods: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Pure. Never throws. */
export function canonicalRequest(raw: RawRequest, settings: ClassSettings): Canonical {
  if (raw.rawHeaders.length > 2 * headerLimit) return refuse(`There are more than ${headerLimit} header fields.`, 431);
  if (!methods.has(raw.method)) return refuse('This method is not allowed here.', 405);
  const headers = indexHeaders(raw.rawHeaders);
  const fault = headerFault(headers);
  if (fault !== undefined) return refuse(fault);

  const authority = parseAuthority(headers.get('host')?.[0] ?? '');
  if (authority === undefined) return refuse('The Host header is not a host name.');
  const target = originForm(raw.target, authority);
  if ('detail' in target) return refuse(target.detail);

  const client = clientOf(raw.peer, raw.encrypted, headers, settings.trustedProxies);
  const port = authority.port === defaultPort(client.scheme) ? undefined : authority.port;
  if (port !== undefined && port !== raw.port && port !== authenticationPort(settings)) {
    return refuse('The port in the Host header is not one of ours.');
  }
  const { host } = authority;
  return {
    ok: {
      method: raw.method,
      scheme: client.scheme,
      host,
      authority: port === undefined ? host : `${host}:${port}`,
      ...(port !== undefined && { port }),
      path: target.path,
      query: target.query,
      client,
      headers,
    },
  };
}

function refuse(detail: string, status: Refusal['status'] = 400): Canonical {
  return { refused: { status, detail } };
}

export function indexHeaders(rawHeaders: readonly string[]): HeaderIndex {
  const index = new Map<string, string[]>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    const value = rawHeaders[at + 1] ?? '';
    const values = index.get(name);
    if (values === undefined) index.set(name, [value]);
    else values.push(value);
  }
  return index;
}

function headerFault(headers: HeaderIndex): string | undefined {
  if (headers.get('host') === undefined) return 'There is no Host header.';
  const twice = singleValued.find((name) => (headers.get(name)?.length ?? 0) > 1);
  if (twice !== undefined) return `There is more than one ${twice} header.`;
  const length = headers.get('content-length')?.[0];
  const coding = headers.get('transfer-encoding')?.[0];
  // RFC 9112 §6.1, §6.3: every one of these is how two parsers come to disagree on where a request ends.
  if (length !== undefined && coding !== undefined) return 'There are both Content-Length and Transfer-Encoding.';
  if (length !== undefined && !/^[0-9]{1,15}$/.test(length)) return 'The Content-Length header is not a number.';
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return 'The Transfer-Encoding header is not chunked.';
  return undefined;
}

/** Absolute-form (RFC 9112 §3.2.2) only where it says what Host says; `*` and authority-form never. */
function originForm(target: string, host: HostAndPort): Target | { readonly detail: string } {
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/is.exec(target);
  if (absolute === null) return canonicalTarget(target);
  const [, authority = '', rest = ''] = absolute;
  const named = parseAuthority(authority);
  if (named === undefined || named.host !== host.host || named.port !== host.port) {
    return { detail: 'The request target names another host than the Host header.' };
  }
  return canonicalTarget(rest.startsWith('/') ? rest : `/${rest}`);
}

/** Over plain http from elsewhere: browsers keep no cookie of ours there. */
export function isInsecure({ scheme, host }: CanonicalRequest): boolean {
  return scheme === 'http' && !isLocalHost(host);
}

// RFC 9110 §4.2.3: an authority with its scheme's own port is the same as one without.
function defaultPort(scheme: 'http' | 'https'): number {
  return scheme === 'https' ? 443 : 80;
}

function authenticationPort({ authenticationHost }: ClassSettings): number | undefined {
  return authenticationHost === undefined ? undefined : parseAuthority(authenticationHost)?.port;
}
