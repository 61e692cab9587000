// Why a request takes no other route: those of its host, hosts that are like it, and Ingresses that got nothing of it.
import { describeReference } from '../model/diagnostic.ts';
import type { Diagnostic, DiagnosticCode } from '../model/diagnostic.ts';
import type { HostRoutes, Route, RouteTable } from '../model/route.ts';
import { nearest } from '../policy/spelling.ts';
import { wildcardOf } from '../proxy/match.ts';
import { showRoute } from './shown.ts';
import type { ShownRoute } from './shown.ts';

export interface Neighbour {
  /** Absent: it is an Ingress that has no route there. */
  readonly route?: Pick<ShownRoute, 'id' | 'ingress' | 'host' | 'path' | 'match'>;
  readonly ingress?: string;
  readonly because: string;
}

/** As many as anybody reads. */
const limit = 20;

export interface Surroundings {
  readonly table: RouteTable;
  readonly diagnostics: readonly Diagnostic[];
  /** Asked for, canonical. */
  readonly host: string;
  readonly path: string;
  readonly chosen?: { readonly host: HostRoutes; readonly route?: Route };
}

export function neighboursOf(around: Surroundings): readonly Neighbour[] {
  const { matching, others } = siblings(around);
  return [...matching, ...otherHosts(around), ...unserved(around), ...others].slice(0, limit);
}

/** The other routes of the host that was chosen. */
function siblings({ path, chosen }: Surroundings): Readonly<Record<'matching' | 'others', readonly Neighbour[]>> {
  if (chosen === undefined) return { matching: [], others: [] };
  const { host, route: winner } = chosen;
  const rest = host.routes.filter((route) => route !== winner);
  const told = (routes: readonly Route[], because: (route: Route) => string) =>
    routes.slice(0, limit).map((route) => neighbour(host.host, route, because(route)));
  return {
    matching: told(
      rest.filter((route) => covers(route, path)),
      (route) => lostTo(route, winner),
    ),
    others: told(
      rest.filter((route) => !covers(route, path)),
      (route) => elsewhere(route, path),
    ),
  };
}

function covers(route: Route, path: string): boolean {
  if (route.match === 'Exact') return route.path === path;
  return route.path === '/' || path === route.path || path.startsWith(`${route.path}/`);
}

function lostTo(route: Route, winner: Route | undefined): string {
  if (winner?.match === 'Exact' && route.match === 'Prefix') return 'it matches too, and exact comes before prefix';
  return 'it matches too, and the longer prefix comes first';
}

function elsewhere({ match, path: own }: Route, path: string): string {
  return match === 'Exact' ? `it is exact, and ${path} is not ${own}` : `${path} does not lie under ${own}`;
}

function otherHosts({ table, host, chosen }: Surroundings): readonly Neighbour[] {
  const taken = chosen?.host.host;
  const found: Neighbour[] = [];
  const add = (name: string | undefined, because: string): void => {
    const other = name === undefined || name === taken ? undefined : table.hosts.get(name);
    const [first] = other?.routes ?? [];
    if (other !== undefined && first !== undefined) found.push(neighbour(other.host, first, because));
  };
  if (taken === host) add(wildcardOf(host), `the name ${host} itself comes before a wildcard`);
  if (taken !== '') add('', 'it takes only requests whose host nobody claims');
  if (taken === host) return found;
  const parent = wildcardOf(host);
  for (let wildcard = parent && wildcardOf(parent.slice(2)); wildcard !== undefined;) {
    add(wildcard, `a wildcard stands for one label, and ${host} has more of them`);
    wildcard = wildcardOf(wildcard.slice(2));
  }
  const similar = nearest(
    host,
    [...table.hosts.keys()].filter((name) => name !== taken && Math.abs(name.length - host.length) <= 2),
  );
  add(similar, 'its name is like the one asked for, and another');
  return found;
}

const hostDiagnostics: ReadonlySet<DiagnosticCode> = new Set([
  'HostOwnedElsewhere',
  'AuthenticationHostReserved',
  'ConflictingRoute',
]);

/** Ingresses that ask for the host, or for a path of it, and do not get it. */
function unserved({ diagnostics, host, chosen }: Surroundings): readonly Neighbour[] {
  const names = new Set([host, chosen?.host.host]);
  return diagnostics
    .filter((one) => hostDiagnostics.has(one.code) && one.host !== undefined && names.has(one.host))
    .map(({ object, message }) => ({ ingress: describeReference(object), because: message }));
}

function neighbour(host: string, route: Route, because: string): Neighbour {
  const { id, ingress, host: name, path, match } = showRoute(host, route);
  return { route: { id, ingress, host: name, path, match }, because };
}
