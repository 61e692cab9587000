// From the claims of all Ingresses to hosts: each is settled by itself, then given the certificate of its own wildcard and its ACME solvers.
import { precededBy, readDefaultBackend } from './default-backend.ts';
import type { HostClaim } from './ingress.ts';
import { complain } from './parse.ts';
import { byAge, settleHost } from './precedence.ts';
import type { SettledHost } from './precedence.ts';
import { createMemory } from './remember.ts';
import type { ClassReading } from './settings.ts';
import type { SolverClaim } from './solver.ts';
import type { Notes, World } from './world.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { HostRoutes, Solver } from '../model/route.ts';
import { draftOf, emptySharedMap, scatteredPart } from '../model/shared-map.ts';
import type { Draft, SharedMap } from '../model/shared-map.ts';

/** A host as it was settled by itself. */
export interface HostState {
  /** By age; at least one. */
  readonly claims: readonly HostClaim[];
  readonly settled: SettledHost;
  readonly notes: Notes;
}

export interface SettledHosts {
  readonly hosts: SharedMap<HostRoutes>;
  /** Those that govern the route of no Ingress: the default backend of the class. */
  readonly policies: readonly KubernetesObject[];
  readonly diagnostics: readonly Diagnostic[];
  readonly states: SharedMap<HostState>;
  /** Those of the states with diagnostics, and those that wait for content. */
  readonly faulty: ReadonlyMap<string, HostState>;
  readonly pending: ReadonlySet<string>;
  /** The hosts before solvers and the default backend. */
  readonly claimed: SharedMap<HostRoutes>;
}

const noHosts: Pick<SettledHosts, 'states' | 'faulty' | 'pending' | 'claimed'> = {
  states: emptySharedMap(scatteredPart),
  faulty: new Map(),
  pending: new Set(),
  claimed: emptySharedMap(scatteredPart),
};

/**
 * @param before What stays as it was, save for the hosts in `claims`.
 * @param claims All those of a host, by age; none: it is gone.
 */
export function settleHosts(
  world: World,
  reading: ClassReading,
  claims: ReadonlyMap<string, readonly HostClaim[]>,
  solvers: readonly SolverClaim[],
  before: Pick<SettledHosts, 'states' | 'faulty' | 'pending' | 'claimed'> = noHosts,
): SettledHosts {
  const settled = settleEach(world, reading, claims, before);
  const { states } = settled;
  const claimed = shareWildcards(claims.keys(), states, before);
  const hosts = draftOf(claimed);
  const diagnostics = [...settled.faulty.values()].toSorted(byFirstClaim).flatMap((state) => state.settled.diagnostics);
  diagnostics.push(...addSolvers(hosts, ownersOf(world, reading, states), solvers));
  const { host: fallback, policies, diagnostics: found } = readDefaultBackend(world, reading);
  diagnostics.push(...found);
  const hostless = states.get('')?.claims[0];
  const isUsed = fallback !== undefined && hostless === undefined;
  if (isUsed) hosts.set('', fallback);
  else if (fallback !== undefined && hostless !== undefined) diagnostics.push(...precededBy(hostless.ingress, reading));
  return { ...settled, claimed, hosts: hosts.finish(), policies: isUsed ? policies : [], diagnostics };
}

function settleEach(
  world: World,
  reading: ClassReading,
  claims: ReadonlyMap<string, readonly HostClaim[]>,
  before: Pick<SettledHosts, 'states' | 'faulty' | 'pending'>,
): Pick<SettledHosts, 'states' | 'faulty' | 'pending'> {
  const states = draftOf(before.states);
  const faulty = new Map(before.faulty);
  const pending = new Set(before.pending);
  const reserved = reservedName(reading);
  for (const [host, ofHost] of claims) {
    faulty.delete(host);
    pending.delete(host);
    const { result: settled, notes } = world.noting(() => settleHost(world, ofHost, reserved, reading.hostSharing));
    if (settled === undefined) {
      states.delete(host);
      continue;
    }
    const state = { claims: ofHost, settled, notes };
    states.set(host, state);
    if (settled.diagnostics.length > 0) faulty.set(host, state);
    if (notes.isPending) pending.add(host);
  }
  return { states: states.finish(), faulty, pending };
}

function byFirstClaim({ claims: [a] }: HostState, { claims: [b] }: HostState): number {
  if (a === undefined || b === undefined || a.ingress === b.ingress) return 0;
  return byAge(a.ingress, b.ingress);
}

function reservedName({ settings }: ClassReading): string | undefined {
  return settings.authenticationHost?.replace(/:[0-9]+$/, '');
}

/** Whose a host is; nothing where it is nobody's. */
type Owners = (host: string) => { readonly namespace: string | undefined } | undefined;

function ownersOf({ options }: World, reading: ClassReading, states: SharedMap<HostState>): Owners {
  const reserved = reservedName(reading);
  return (host) => {
    const state = states.get(host);
    if (state !== undefined) return { namespace: state.settled.owner };
    return host === reserved ? { namespace: options.installationNamespace } : undefined;
  };
}

const rememberShared = createMemory<HostRoutes>();

/**
 * A host without a certificate has that of the wildcard above it, where both are of one namespace: never somebody else's.
 * Where a wildcard may have changed hands, the hosts below it are looked at as well, whosever they are.
 */
function shareWildcards(
  changed: Iterable<string>,
  states: SharedMap<HostState>,
  before: Pick<SettledHosts, 'claimed'>,
): SharedMap<HostRoutes> {
  const claimed = draftOf(before.claimed);
  const names = new Set(changed);
  if ([...names].some(isWildcard)) {
    for (const name of states.keys()) if (names.has(wildcardAbove(name) ?? '')) names.add(name);
  }
  for (const name of names) {
    const host = withWildcard(name, states);
    if (host === undefined) claimed.delete(name);
    else if (claimed.get(name) !== host) claimed.set(name, host);
  }
  return claimed.finish();
}

function withWildcard(name: string, states: SharedMap<HostState>): HostRoutes | undefined {
  const { host, owner } = states.get(name)?.settled ?? {};
  const wildcard = wildcardAbove(name);
  if (host === undefined || host.certificate !== undefined || wildcard === undefined) return host;
  const above = states.get(wildcard)?.settled;
  const certificate = above?.owner === owner ? above?.host?.certificate : undefined;
  return certificate === undefined ? host : rememberShared(host, [certificate], () => ({ ...host, certificate }));
}

const isWildcard = (host: string) => host.startsWith('*');

/** `*.example.com` for `app.example.com`; none for a wildcard, which has nothing above it. */
function wildcardAbove(host: string): string | undefined {
  const dot = host.indexOf('.');
  return dot <= 0 || isWildcard(host) ? undefined : `*${host.slice(dot)}`;
}

const rememberSolved = createMemory<HostRoutes>();

/** Solvers own nothing: they are served where their namespace owns the host, or nobody does, and the oldest has its path. */
function addSolvers(hosts: Draft<HostRoutes>, owners: Owners, solvers: readonly SolverClaim[]): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const [name, claims] of Map.groupBy(solvers, ({ host }) => host)) {
    const paths = new Map<string, Solver>();
    for (const claim of claims) {
      const owner = ownerOf(name, owners);
      const { namespace } = claim.ingress.metadata;
      if (owner !== undefined && owner.namespace !== namespace)
        diagnostics.push(ownedElsewhere(claim, owner.namespace));
      else if (!paths.has(claim.solver.path)) paths.set(claim.solver.path, claim.solver);
    }
    const solved = [...paths.values()];
    const [first] = solved;
    if (first === undefined) continue;
    const host = hosts.get(name);
    const made = rememberSolved(host ?? first, solved, () =>
      host === undefined
        ? { host: name, routes: [], solvers: solved, solversOnly: true }
        : { ...host, solvers: solved },
    );
    hosts.set(name, made);
  }
  return diagnostics;
}

/** Whose requests for a host are now: of whoever owns it, else of whoever owns the wildcard above it. */
function ownerOf(host: string, owners: Owners): ReturnType<Owners> {
  const wildcard = wildcardAbove(host);
  return owners(host) ?? (wildcard === undefined ? undefined : owners(wildcard));
}

function ownedElsewhere({ ingress, host, path }: SolverClaim, owner: string | undefined): Diagnostic {
  const message = `the host ${host} belongs to namespace ${owner ?? ''}: its challenges are answered from there alone`;
  return { ...complain(ingress, 'HostOwnedElsewhere', path, message), host };
}
