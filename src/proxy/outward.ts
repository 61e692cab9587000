// Where an application names its own address in an answer (behind a proxy it often knows no other), the client's view of it.
import type { Upstream } from '../model/route.ts';
import { parseAuthority } from './address.ts';
import type { CanonicalRequest } from './request.ts';

/** Rewrites one response header's value; leaves what does not name the upstream byte for byte. */
export type Outward = (lowerCaseName: string, value: string) => string;

export function outwardOf(upstream: Upstream, { scheme, authority }: CanonicalRequest): Outward {
  return (name, value) => {
    if (name === 'location' || name === 'content-location')
      return outwardUrl(value, upstream, `${scheme}://${authority}`);
    return name === 'set-cookie' ? outwardCookie(value, upstream) : value;
  };
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

function outwardUrl(value: string, upstream: Upstream, origin: string): string {
  const [, authority, rest = ''] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(value) ?? [];
  const host = authority === undefined ? undefined : parseAuthority(authority)?.host;
  if (host === undefined || !isUpstream(upstream, host)) return value;
  return `${origin}${rest.startsWith('/') ? '' : '/'}${rest}`;
}

// A browser would drop a cookie for a domain that is not the host's own. Without the attribute it is the host's.
function outwardCookie(value: string, upstream: Upstream): string {
  return value.replace(/;\s*domain\s*=\s*\.?([^;\s]*)\s*(?=;|$)/gi, (attribute, host: string) =>
    isUpstream(upstream, host.toLowerCase()) ? '' : attribute,
  );
}
