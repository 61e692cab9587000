// HTTP Strict Transport Security (RFC 6797): what browsers are told of a host on every answer over https, ours and the application's.
import type { HostRoutes } from '../model/route.ts';
import type { CanonicalRequest } from './request.ts';

/** Flat; undefined: nothing is said of it here, and an application may. Over plain http nobody says it (section 7.2). */
export function transportHeaders(
  { strictTransport }: HostRoutes,
  { scheme }: CanonicalRequest,
): readonly string[] | undefined {
  if (strictTransport === undefined) return undefined;
  if (scheme === 'http') return [];
  const { maxAgeSeconds, includeSubDomains, preload } = strictTransport;
  const value = [
    `max-age=${maxAgeSeconds}`,
    ...(includeSubDomains ? ['includeSubDomains'] : []),
    ...(preload ? ['preload'] : []),
  ];
  return ['Strict-Transport-Security', value.join('; ')];
}
