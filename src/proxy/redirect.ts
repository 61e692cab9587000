// Where a route sends people instead of to its application: made of the route and the canonical request, of nothing else a client sends.
import type { Redirect, Route, RouteTable } from '../model/route.ts';
import { matchRoute } from './match.ts';
import type { CanonicalRequest } from './request.ts';
import { withPrefix } from './rewrite.ts';

/** The Location; undefined: it would lead back to the same route, and never end. */
export function redirectLocation(
  table: RouteTable,
  route: Route,
  redirect: Redirect,
  asked: CanonicalRequest,
): string | undefined {
  const scheme = redirect.scheme ?? asked.scheme;
  const host = redirect.host ?? asked.host;
  // The port asked for is part of where they are: it stays where scheme and host do.
  const isSameOrigin = scheme === asked.scheme && host === asked.host;
  const port = redirect.port ?? (isSameOrigin ? asked.port : undefined);
  const to = redirect.path;
  const path = to?.kind === 'Full' ? to.path : to ? withPrefix(route, to.path, asked.path) : asked.path;
  const shown = port === defaultPort(scheme) ? undefined : port;
  // On another port somebody else may listen.
  const isHere = shown === undefined || shown === asked.port;
  if (isHere && matchRoute(table, host, path.replace(/[?#].*$/, '')) === route) return undefined;
  const query = to?.kind === 'Full' ? '' : asked.query;
  return `${scheme}://${host}${shown === undefined ? '' : `:${shown}`}${path}${query}`;
}

function defaultPort(scheme: 'http' | 'https'): number {
  return scheme === 'https' ? 443 : 80;
}
