// Our own places on other people's hosts: what counts as one, and how `auth` is asked about it.
import type { IncomingMessage } from 'node:http';
import { jwksPath, ownPrefix } from '../auth/authority.ts';
import type { OwnRequest } from '../auth/authority.ts';
import type { HostRoutes, RouteTable } from '../model/route.ts';
import { parseAuthority } from './address.ts';
import { ownCookies } from './cookies.ts';
import { matchPath } from './match.ts';
import type { CanonicalRequest } from './request.ts';

/** Whether a request is for us. Such a one is never routed, whatever an Ingress says (promise 14). */
export function isOwnPlace(
  { host, path }: CanonicalRequest,
  routes: HostRoutes | undefined,
  table: RouteTable,
): boolean {
  if (isAuthenticationHost(host, table)) return true;
  if (routes === undefined) return false;
  return path === jwksPath || path.startsWith(ownPrefix) || `${path}/` === ownPrefix;
}

export function isAuthenticationHost(host: string, { settings }: RouteTable): boolean {
  return settings.authenticationHost !== undefined && parseAuthority(settings.authenticationHost)?.host === host;
}

/** What a browser says of itself is kept with its session: enough to know it by. */
const deviceLimit = 256;

/** Where to sign in from one of our own places: as the route to return to wants it, else as any route of the host does. */
export function providersFor({ query }: CanonicalRequest, host: HostRoutes | undefined): readonly string[] {
  if (host === undefined) return [];
  const [path = '/'] = (new URLSearchParams(query).get('return') ?? '/').split('?', 1);
  const returning = matchPath(host, path)?.providers ?? [];
  return returning.length > 0
    ? returning
    : (host.routes.find(({ providers }) => providers.length > 0)?.providers ?? []);
}

export function ownRequest(
  asked: CanonicalRequest,
  cookieName: string,
  rest: Pick<{ [Key in keyof OwnRequest]?: OwnRequest[Key] | undefined }, 'body' | 'stepUp'> &
    Pick<OwnRequest, 'providers'>,
): OwnRequest {
  const { method, scheme, authority, host, path, query, headers, client } = asked;
  const origin = headers.get('origin')?.[0];
  const fetchSite = headers.get('sec-fetch-site')?.[0];
  const fetchDestination = headers.get('sec-fetch-dest')?.[0];
  const contentType = headers.get('content-type')?.[0];
  const device = headers.get('user-agent')?.[0]?.slice(0, deviceLimit);
  return {
    method,
    scheme,
    authority,
    host,
    path,
    query,
    cookies: ownCookies(headers.get('cookie') ?? [], cookieName),
    ...(origin !== undefined && { origin }),
    ...(fetchSite !== undefined && { fetchSite }),
    ...(fetchDestination !== undefined && { fetchDestination }),
    ...(contentType !== undefined && { contentType }),
    ...(device !== undefined && { device }),
    address: client.address,
    providers: rest.providers,
    ...(rest.body !== undefined && { body: rest.body }),
    ...(rest.stepUp && { stepUp: rest.stepUp }),
  };
}

const formLimit = 16 * 1024;
const formTimeoutMs = 10_000;

/** A form's body, or why there is none to be had. */
export function readForm(
  request: IncomingMessage,
): Promise<{ readonly text: string } | 'TooLarge' | 'TooSlow' | 'ClientLeft'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => resolve('TooSlow'), formTimeoutMs);
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > formLimit) resolve('TooLarge');
      else chunks.push(chunk);
    });
    request.once('end', () => resolve({ text: Buffer.concat(chunks).toString('utf8') }));
    request.once('close', () => {
      clearTimeout(timer);
      resolve('ClientLeft');
    });
  });
}
