// The CORS protocol (Fetch standard, section 3.2) for routes whose Ingress asks for it: preflights, and the headers of every answer.
import type { Cors } from '../model/route.ts';
import type { CanonicalRequest } from './request.ts';

/** Whether a browser asks what a page may send. It carries no cookies, so it is answered before anybody is asked who they are. */
export function isPreflight({ method, headers }: CanonicalRequest): boolean {
  return method === 'OPTIONS' && headers.has('origin') && headers.has('access-control-request-method');
}

const tokens = /^[!#$%&'*+.^_`|~0-9A-Za-z, -]{1,2048}$/;

/** Headers of the answer to a preflight, flat. */
export function preflightHeaders(cors: Cors, { headers }: CanonicalRequest): readonly string[] {
  const wanted = headers.get('access-control-request-headers')?.join(', ') ?? '';
  const allowed = cors.headers?.join(', ') ?? (tokens.test(wanted) ? wanted : '');
  return [
    'Access-Control-Allow-Methods',
    cors.methods.join(', '),
    ...(allowed === '' ? [] : ['Access-Control-Allow-Headers', allowed]),
    'Access-Control-Max-Age',
    String(cors.maxAgeSeconds),
  ];
}

/** Headers of every answer of the route, ours and the application's, flat. To other origins nothing is said. */
export function corsHeaders(cors: Cors, { headers }: CanonicalRequest): readonly string[] {
  const origin = headers.get('origin')?.[0];
  const isAny = cors.origins.includes('*');
  if (origin === undefined || (!isAny && !cors.origins.includes(origin))) return isAny ? [] : ['Vary', 'Origin'];
  return [
    'Access-Control-Allow-Origin',
    isAny ? '*' : origin,
    ...(isAny ? [] : ['Vary', 'Origin']),
    ...(cors.credentials ? ['Access-Control-Allow-Credentials', 'true'] : []),
    ...(cors.exposed.length === 0 ? [] : ['Access-Control-Expose-Headers', cors.exposed.join(', ')]),
  ];
}

/** Whether a response header is one that we speak for on such a route. */
export function isCorsHeader(name: string): boolean {
  return name.toLowerCase().startsWith('access-control-');
}
