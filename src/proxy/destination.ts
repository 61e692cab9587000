// Where a canonical request leads before any policy is asked: the one choice, for requests and for questions about them.
import type { HostRoutes, Route, RouteTable, Solver } from '../model/route.ts';
import { httpsLocation } from './certificates.ts';
import { matchHost, matchPath, matchSolver } from './match.ts';
import { isOwnPlace } from './own.ts';
import type { CanonicalRequest } from './request.ts';

export type Destination =
  /** Before all else: an ACME server neither signs in nor knows our places. */
  | { readonly to: 'Solver'; readonly solver: Solver }
  | { readonly to: 'Https'; readonly location: string }
  /** A place of ours, which is never routed. `host` is absent where only the authentication host has it. */
  | { readonly to: 'OwnPlace'; readonly host?: HostRoutes }
  | { readonly to: 'NoSuchHost' }
  | { readonly to: 'NoSuchPath'; readonly host: HostRoutes }
  | { readonly to: 'Route'; readonly host: HostRoutes; readonly route: Route };

/** @param httpsPort Where https is listened for, for a request that came over plain http; absent: it stays there. */
export function destinationOf(table: RouteTable, asked: CanonicalRequest, httpsPort: number | undefined): Destination {
  const solver = matchSolver(table, asked);
  if (solver !== undefined) return { to: 'Solver', solver };
  const host = matchHost(table, asked.host);
  const location = httpsLocation(table, asked, host, httpsPort);
  if (location !== undefined) return { to: 'Https', location };
  if (isOwnPlace(asked, host, table)) return { to: 'OwnPlace', ...(host && { host }) };
  if (host === undefined) return { to: 'NoSuchHost' };
  const route = matchPath(host, asked.path);
  return route === undefined ? { to: 'NoSuchPath', host } : { to: 'Route', host, route };
}
