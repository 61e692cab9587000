// Whole world in, whole answer out: from an inventory to the route table's content, with everything that is wrong attached to the object at fault.
import { settleHosts } from './hosts.ts';
import type { SettledHosts } from './hosts.ts';
import type { HostClaim } from './ingress.ts';
import { whatChanged } from './changes.ts';
import type { Basis } from './changes.ts';
import { readNamespace } from './namespace.ts';
import type { NamespaceReading } from './namespace.ts';
import { withinNamespaces } from './namespaces.ts';
import { outcomesOf, routesOfClusterPolicies } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { readPolicy } from './policy.ts';
import type { PolicyReading } from './policy.ts';
import { byAge } from './precedence.ts';
import { referencesOf } from './references.ts';
import { readClass } from './settings.ts';
import type { ClassReading } from './settings.ts';
import { classFindings, desiredStatuses, policyFindings } from './status.ts';
import type { DesiredStatus } from './status.ts';
import { createWorld } from './world.ts';
import type { Notes, TranslateOptions, World } from './world.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { Inventory, KubernetesObject, References } from '../model/objects.ts';
import type { Certificate, HostRoutes } from '../model/route.ts';
import type { AuthoritySettings, ClassSettings } from '../model/settings.ts';

export type { TranslateOptions } from './world.ts';
export type { DesiredStatus } from './status.ts';

export interface Translation {
  readonly settings: ClassSettings;
  /** A host that nothing touched is the same object as in the translation before. */
  readonly hosts: ReadonlyMap<string, HostRoutes>;
  readonly defaultCertificate?: Certificate;
  readonly authority: AuthoritySettings;
  readonly diagnostics: readonly Diagnostic[];
  readonly statuses: readonly DesiredStatus[];
  /** Those of the class that is served. */
  readonly ingresses: readonly KubernetesObject[];
  /** The Secrets and ConfigMaps that something refers to; the same object for as long as they are the same. */
  readonly references: References;
  /** Whether the content of one of them is still to come: a better answer will follow. */
  readonly isPending: boolean;
  /** How many Ingresses were translated, where the others were remembered. */
  readonly translatedIngresses: number;
  readonly memory: Memory;
}

/** What the next translation takes over, of namespaces in which nothing changed. */
export interface Memory extends Basis {
  readonly clusterNotes: Notes;
  readonly namespaces: ReadonlyMap<string, NamespaceReading>;
  readonly settled: SettledHosts;
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly references: References;
}

/**
 * Translates everything there is. It never throws, whatever the objects hold, and does no I/O.
 * @param now Milliseconds since the epoch, for the dates of certificates and conditions.
 * @param before An earlier translation: the answer is the same without it, and sooner there with it.
 */
export function translate(
  inventory: Inventory,
  options: TranslateOptions,
  now: number,
  before?: Translation,
): Translation {
  const world = createWorld(withinNamespaces(inventory, options), options, now);
  const { result: cluster, notes: clusterNotes } = world.noting(() => readCluster(world));
  const { reading, clusterPolicies } = cluster;
  const { basis, changed } = whatChanged(world, cluster, before?.memory);
  const known = before?.memory;

  const namespaces = new Map(known?.namespaces);
  for (const name of changed) {
    if (hasAnything(world, name)) namespaces.set(name, readNamespace(world, reading, name));
    else namespaces.delete(name);
  }
  const claims = claimsOf(changed, namespaces, known);
  const solvers = [...namespaces.values()].flatMap(({ solverClaims }) => solverClaims);
  const settled = settleHosts(world, reading, claims, solvers.toSorted(byIngressAge), known?.settled);
  const round = { changed, claims, namespaces, settled };
  const outcomes = outcomesOf(world, round, known);
  const all = [...namespaces.values()];
  const diagnostics = distinct([
    ...reading.diagnostics,
    ...all.flatMap((one) => one.diagnostics),
    ...clusterPolicies.flatMap((one) => one.diagnostics),
    ...all
      .flatMap(({ faultyIngresses }) => faultyIngresses)
      .toSorted(byIngressAge)
      .flatMap((one) => one.diagnostics),
    ...all
      .flatMap(({ faultySolvers }) => faultySolvers)
      .toSorted(byIngressAge)
      .flatMap((one) => one.diagnostics),
    ...settled.diagnostics,
  ]);
  const references = referencesOf(clusterNotes, round, known);
  const clusterFindings = [
    ...policyFindings(
      'clusterPolicies',
      world.inventory.clusterPolicies.values(),
      routesOfClusterPolicies(outcomes, settled.policies),
    ),
    ...classFindings(world, reading),
  ];
  const memory = {
    ...basis,
    until: Math.min(basis.until, world.until()),
    clusterNotes,
    namespaces,
    settled,
    outcomes,
    references,
  };
  return {
    settings: reading.settings,
    hosts: settled.hosts,
    ...(reading.defaultCertificate && { defaultCertificate: reading.defaultCertificate }),
    authority: reading.authority,
    diagnostics,
    statuses: [
      ...[...outcomes.values()].flatMap(({ statuses }) => statuses),
      ...desiredStatuses(world, clusterFindings, diagnostics),
    ],
    ingresses: all.flatMap(({ ingresses }) => ingresses),
    references,
    isPending:
      [clusterNotes, ...all.map(({ notes }) => notes)].some(({ isPending }) => isPending) || settled.pending.size > 0,
    translatedIngresses: world.translatedIngresses(),
    memory,
  };
}

/** What concerns more than one namespace. */
export interface Cluster {
  readonly reading: ClassReading;
  readonly clusterPolicies: readonly PolicyReading[];
}

function readCluster(world: World): Cluster {
  return {
    reading: readClass(world),
    clusterPolicies: [...world.inventory.clusterPolicies.values()].map((policy) => readPolicy(world, policy)),
  };
}

function hasAnything({ inventory }: World, namespace: string): boolean {
  return inventory.ingresses.parts.has(namespace) || inventory.policies.parts.has(namespace);
}

/** All the claims of each host that a changed namespace claims, or has claimed: by age, and none where it is nobody's now. */
function claimsOf(
  changed: ReadonlySet<string>,
  namespaces: ReadonlyMap<string, NamespaceReading>,
  known: Memory | undefined,
): ReadonlyMap<string, readonly HostClaim[]> {
  const claims = new Map<string, HostClaim[]>();
  const of = (host: string) => {
    const found = claims.get(host);
    if (found !== undefined) return found;
    const others = known?.settled.states.get(host)?.claims ?? [];
    const kept = others.filter(({ ingress }) => !changed.has(ingress.metadata.namespace ?? ''));
    claims.set(host, kept);
    return kept;
  };
  for (const name of changed) {
    for (const { host } of known?.namespaces.get(name)?.claims ?? []) of(host);
    for (const claim of namespaces.get(name)?.claims ?? []) of(claim.host).push(claim);
  }
  for (const ofHost of claims.values()) if (ofHost.length > 1) ofHost.sort(byIngressAge);
  return claims;
}

type OfIngress = { readonly ingress: KubernetesObject };

function byIngressAge({ ingress: a }: OfIngress, { ingress: b }: OfIngress): number {
  return a === b ? 0 : byAge(a, b);
}

// The same fault is met once for each Ingress that suffers from it, and said once.
function distinct(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Map<string, Diagnostic>();
  for (const one of diagnostics) seen.set(faultOf(one), one);
  return [...seen.values()];
}

const faults = new WeakMap<Diagnostic, string>();

function faultOf(diagnostic: Diagnostic): string {
  const known = faults.get(diagnostic);
  if (known !== undefined) return known;
  const { code, path, message } = diagnostic;
  const { kind, namespace = '', name } = diagnostic.object;
  const fault = [code, kind, namespace, name, path, message].join('\0');
  faults.set(diagnostic, fault);
  return fault;
}
