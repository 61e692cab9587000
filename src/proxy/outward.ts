// Where an application names its own address in an answer (behind a proxy it often knows no other), the client's view of it.
import type { Route, Upstream } from '../model/route.ts';
import { parseAuthority } from './address.ts';
import type { CanonicalRequest } from './request.ts';

/** Rewrites one response header's value; leaves what does not name the upstream byte for byte. */
export type Outward = (lowerCaseName: string, value: string) => string;

type Rewritten = Pick<Route, 'path' | 'match' | 'rewrite'>;

/** The application's own prefix, and the one under which the client sees it. */
interface Prefixes {
  readonly inner: string;
  readonly outer: string;
  readonly isExact: boolean;
}

/** @param route Absent, or without a rewrite: paths mean the same on both sides. */
export function outwardOf(upstream: Upstream, { scheme, authority }: CanonicalRequest, route?: Rewritten): Outward {
  const prefixes = prefixesOf(route);
  const literal = route?.rewrite?.host?.kind === 'Literal' ? parseAuthority(route.rewrite.host.host)?.host : undefined;
  const isOwn = (host: string): boolean => host === literal || isUpstream(upstream, host);
  return (name, value) => {
    if (name === 'location' || name === 'content-location')
      return outwardUrl(value, `${scheme}://${authority}`, isOwn, prefixes);
    return name === 'set-cookie' ? outwardCookie(value, isOwn, prefixes) : value;
  };
}

function prefixesOf(route: Rewritten | undefined): Prefixes | undefined {
  const by = route?.rewrite?.path;
  if (route === undefined || by?.kind !== 'Prefix' || by.prefix === route.path) return undefined;
  return { inner: by.prefix, outer: route.path, isExact: route.match === 'Exact' };
}

/** Whether a host, as an application may write it, is the upstream: an endpoint's address, or a name of its Service. */
function isUpstream({ name, endpoints }: Upstream, host: string): boolean {
  const [service = '', namespace = ''] = (name.split(':', 1)[0] ?? '').split('/').toReversed();
  const names = [service, `${service}.${namespace}`, `${service}.${namespace}.svc`];
  const bare = host.replace(/^\[|\]$/g, '');
  return (
    names.includes(host) ||
    host.startsWith(`${service}.${namespace}.svc.`) ||
    endpoints.some(({ address }) => address === bare)
  );
}

function outwardUrl(
  value: string,
  origin: string,
  isOwn: (host: string) => boolean,
  prefixes: Prefixes | undefined,
): string {
  const [, authority, rest = ''] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(value) ?? [];
  if (authority === undefined) return /^\/(?!\/)/.test(value) ? outwardPath(value, prefixes) : value;
  const path = `${rest.startsWith('/') ? '' : '/'}${rest}`;
  const host = parseAuthority(authority)?.host;
  if (host !== undefined && isOwn(host)) return `${origin}${outwardPath(path, prefixes)}`;
  // It knows the address that the client asked for, and its own paths.
  const isOrigin = prefixes !== undefined && value.toLowerCase().startsWith(`${origin}/`);
  return isOrigin ? `${origin}${outwardPath(path, prefixes)}` : value;
}

function isBelow(path: string, prefix: string): boolean {
  return prefix === '/' || path === prefix || (path.startsWith(prefix) && /^[/?#]/.test(path.slice(prefix.length)));
}

// An application that heard of X-Forwarded-Prefix has put it there itself: the longer of the two that fit is meant.
function outwardPath(path: string, prefixes: Prefixes | undefined): string {
  if (prefixes === undefined) return path;
  const { inner, outer, isExact } = prefixes;
  const plain = path.replace(/[?#].*$/s, '');
  if (isExact) return plain === inner ? outer + path.slice(plain.length) : path;
  if (!isBelow(path, inner) || (isBelow(path, outer) && outer.length > inner.length)) return path;
  const rest = inner === '/' ? path : path.slice(inner.length);
  if (outer === '/') return rest.startsWith('/') ? rest : `/${rest}`;
  return `${outer}${rest}`;
}

// A browser would drop a cookie for a domain that is not the host's own. Without the attribute it is the host's. And it would
// send one for a path that it never sees to nobody; one for / reaches the application as it is.
function outwardCookie(value: string, isOwn: (host: string) => boolean, prefixes: Prefixes | undefined): string {
  const ofHost = value.replace(/;\s*domain\s*=\s*\.?([^;\s]*)\s*(?=;|$)/gi, (attribute, host: string) =>
    isOwn(host.toLowerCase()) ? '' : attribute,
  );
  if (prefixes === undefined || prefixes.inner === '/') return ofHost;
  return ofHost.replace(/(;\s*path\s*=\s*)(\/[^;\s]*)/gi, (_, attribute: string, path: string) => {
    return attribute + outwardPath(path, prefixes);
  });
}
