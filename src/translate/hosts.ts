// From the claims of all Ingresses to hosts: each is settled by itself, then given the certificate of its own wildcard and its ACME solvers.
import { precededBy, readDefaultBackend } from './default-backend.ts';
import type { HostClaim } from './ingress.ts';
import { complain } from './parse.ts';
import { settleHost } from './precedence.ts';
import { createMemory } from './remember.ts';
import type { ClassReading } from './settings.ts';
import type { SolverClaim } from './solver.ts';
import type { World } from './world.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { HostRoutes, Solver } from '../model/route.ts';

export interface SettledHosts {
  readonly hosts: ReadonlyMap<string, HostRoutes>;
  /** Those that govern the route of no Ingress: the default backend of the class. */
  readonly policies: readonly KubernetesObject[];
  readonly diagnostics: readonly Diagnostic[];
}

export function settleHosts(
  world: World,
  claims: readonly HostClaim[],
  solvers: readonly SolverClaim[],
  reading: ClassReading,
): SettledHosts {
  const hosts = new Map<string, HostRoutes>();
  const owners = new Map<string, string | undefined>();
  const diagnostics: Diagnostic[] = [];
  const reserved = reading.settings.authenticationHost?.replace(/:[0-9]+$/, '');
  if (reserved !== undefined) owners.set(reserved, world.options.installationNamespace);
  for (const [host, ofHost] of Map.groupBy(claims, (claim) => claim.host)) {
    const settled = settleHost(world, ofHost, reserved, reading.hostSharing);
    if (settled === undefined) continue;
    if (settled.host !== undefined) hosts.set(host, settled.host);
    owners.set(host, settled.owner);
    diagnostics.push(...settled.diagnostics);
  }
  shareWildcards(hosts, owners);
  diagnostics.push(...addSolvers(hosts, owners, solvers));
  const { host: fallback, policies, diagnostics: found } = readDefaultBackend(world, reading);
  diagnostics.push(...found);
  const hostless = claims.find(({ host }) => host === '');
  if (fallback === undefined) return { hosts, diagnostics, policies: [] };
  if (hostless !== undefined) {
    return { hosts, diagnostics: [...diagnostics, ...precededBy(hostless.ingress, reading)], policies: [] };
  }
  hosts.set('', fallback);
  return { hosts, diagnostics, policies };
}

type Owners = ReadonlyMap<string, string | undefined>;

const rememberShared = createMemory<HostRoutes>();

/** A host without a certificate has that of the wildcard above it, where both are of one namespace: never somebody else's. */
function shareWildcards(hosts: Map<string, HostRoutes>, owners: Owners): void {
  for (const [name, host] of hosts) {
    const wildcard = wildcardAbove(name);
    if (host.certificate !== undefined || wildcard === undefined || owners.get(wildcard) !== owners.get(name)) continue;
    const certificate = hosts.get(wildcard)?.certificate;
    if (certificate === undefined) continue;
    hosts.set(
      name,
      rememberShared(host, [certificate], () => ({ ...host, certificate })),
    );
  }
}

/** `*.example.com` for `app.example.com`; none for a wildcard, which has nothing above it. */
function wildcardAbove(host: string): string | undefined {
  const dot = host.indexOf('.');
  return dot <= 0 || host.startsWith('*') ? undefined : `*${host.slice(dot)}`;
}

const rememberSolved = createMemory<HostRoutes>();

/** Solvers own nothing: they are served where their namespace owns the host, or nobody does, and the oldest has its path. */
function addSolvers(
  hosts: Map<string, HostRoutes>,
  owners: Owners,
  solvers: readonly SolverClaim[],
): readonly Diagnostic[] {
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
function ownerOf(host: string, owners: Owners): { readonly namespace: string | undefined } | undefined {
  for (const name of [host, wildcardAbove(host)]) {
    if (name !== undefined && owners.has(name)) return { namespace: owners.get(name) };
  }
  return undefined;
}

function ownedElsewhere({ ingress, host, path }: SolverClaim, owner: string | undefined): Diagnostic {
  const message = `the host ${host} belongs to namespace ${owner ?? ''}: its challenges are answered from there alone`;
  return { ...complain(ingress, 'HostOwnedElsewhere', path, message), host };
}
