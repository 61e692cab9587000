// Which route serves a path: the host is chosen once, then exact before prefix, longer before shorter, by whole segments.
import type { HostRoutes, Route, RouteTable, Solver } from '../model/route.ts';
import type { CanonicalRequest } from './request.ts';

/** The host's own routes, else those of `*.rest` for exactly one more label, else those of no host. */
export function matchHost(table: RouteTable, host: string): HostRoutes | undefined {
  return namedHost(table, host) ?? table.hosts.get('');
}

function namedHost(table: RouteTable, host: string): HostRoutes | undefined {
  const exact = table.hosts.get(host);
  if (host === '' || (exact !== undefined && exact.solversOnly !== true)) return exact;
  const wildcard = wildcardOf(host);
  return wildcard === undefined ? undefined : table.hosts.get(wildcard);
}

/** `*.example.com` for `app.example.com`. */
export function wildcardOf(host: string): string | undefined {
  const dot = host.indexOf('.');
  return dot > 0 ? `*${host.slice(dot)}` : undefined;
}

/** Looked up by hash: a host with 5,000 paths costs what a host with one does. */
interface PathIndex {
  readonly exact: ReadonlyMap<string, Route>;
  readonly prefixes: ReadonlyMap<string, Route>;
  /** Length of the longest prefix: no longer piece of a path is tried, so a path of 4,000 segments costs nothing. */
  readonly longest: number;
}

const indexes = new WeakMap<HostRoutes, PathIndex>();

/** `path` must be canonical. There is no falling through to another host's routes. */
export function matchPath(host: HostRoutes, path: string): Route | undefined {
  const index = indexOf(host);
  return index.exact.get(path) ?? longestPrefix(index, path);
}

/** What answers an ACME challenge (RFC 8555, section 8.3): over plain http, by a bare GET, of exactly this path. */
export function matchSolver({ hosts }: RouteTable, asked: CanonicalRequest): Solver | undefined {
  const solvers = hosts.get(asked.host)?.solvers;
  if (solvers === undefined || asked.scheme !== 'http' || !isBare(asked)) return undefined;
  return solvers.find(({ path }) => path === asked.path);
}

/** No body, no other protocol. */
function isBare({ method, headers }: CanonicalRequest): boolean {
  const isRead = method === 'GET' || method === 'HEAD';
  return isRead && !['content-length', 'transfer-encoding', 'upgrade'].some((name) => headers.has(name));
}

/** Both steps at once. */
export function matchRoute(table: RouteTable, host: string, path: string): Route | undefined {
  const routes = matchHost(table, host);
  return routes && matchPath(routes, path);
}

function longestPrefix({ prefixes, longest }: PathIndex, path: string): Route | undefined {
  let end = path.length <= longest ? path.length : path.lastIndexOf('/', longest);
  while (end > 0) {
    const route = prefixes.get(path.slice(0, end));
    if (route !== undefined) return route;
    end = path.lastIndexOf('/', end - 1);
  }
  return prefixes.get('/');
}

function indexOf(host: HostRoutes): PathIndex {
  const known = indexes.get(host);
  if (known !== undefined) return known;
  const exact = new Map<string, Route>();
  const prefixes = new Map<string, Route>();
  for (const route of host.routes) {
    const paths = route.match === 'Exact' ? exact : prefixes;
    // In order of precedence: the first that claims a path has it.
    if (!paths.has(route.path)) paths.set(route.path, route);
  }
  const longest = Math.max(0, ...[...prefixes.keys()].map((path) => path.length));
  const index = { exact, prefixes, longest };
  indexes.set(host, index);
  return index;
}
