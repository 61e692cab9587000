// Whole world in, whole answer out: from an inventory to the route table's content, with everything that is wrong attached to the object at fault.
import { settleHosts } from './hosts.ts';
import { classNameOf, isServed, readIngress } from './ingress.ts';
import type { IngressReading } from './ingress.ts';
import { withinNamespaces } from './namespaces.ts';
import { readPolicy } from './policy.ts';
import { byAge } from './precedence.ts';
import { classMissing, readClass } from './settings.ts';
import type { ClassReading } from './settings.ts';
import { checkProviders } from './sign-in.ts';
import { isSolver, readSolver } from './solver.ts';
import { desiredStatuses } from './status.ts';
import type { DesiredStatus } from './status.ts';
import { createWorld } from './world.ts';
import type { TranslateOptions, World } from './world.ts';
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
  /** Those of the class that is served, oldest first. */
  readonly ingresses: readonly KubernetesObject[];
  /** The Secrets and ConfigMaps that something refers to. */
  readonly references: References;
  /** Whether the content of one of them is still to come: a better answer will follow. */
  readonly isPending: boolean;
}

/**
 * Translates everything there is. It never throws, whatever the objects hold, and does no I/O.
 * @param now Milliseconds since the epoch, for the dates of certificates and conditions.
 */
export function translate(inventory: Inventory, options: TranslateOptions, now: number): Translation {
  const world = createWorld(withinNamespaces(inventory, options), options, now);
  const reading = readClass(world);
  const ingresses = [...world.inventory.ingresses.values()]
    .filter((ingress) => isServed(ingress, reading))
    .toSorted(byAge);
  const served = ingresses
    .filter((ingress) => !isSolver(ingress))
    .map((ingress) => readIngress(world, reading, ingress));
  const solvers = ingresses.filter(isSolver).map((ingress) => readSolver(world, ingress));
  const {
    hosts,
    policies,
    diagnostics: hostDiagnostics,
  } = settleHosts(
    world,
    served.flatMap(({ claims }) => claims),
    solvers.flatMap(({ claims }) => claims),
    reading,
  );
  const diagnostics = distinct([
    ...reading.diagnostics,
    ...classMissing(world, namingClass(world)),
    ...policyDiagnostics(world, reading),
    ...served.flatMap((ingress) => ingress.diagnostics),
    ...solvers.flatMap((ingress) => ingress.diagnostics),
    ...hostDiagnostics,
  ]);
  return {
    settings: reading.settings,
    hosts,
    ...(reading.defaultCertificate && { defaultCertificate: reading.defaultCertificate }),
    authority: reading.authority,
    diagnostics,
    statuses: desiredStatuses(world, reading, diagnostics, countRoutes(served, policies, hosts)),
    ingresses,
    references: world.references,
    isPending: world.isPending(),
  };
}

function namingClass({ inventory, options }: World): readonly KubernetesObject[] {
  return [...inventory.ingresses.values()].filter((ingress) => classNameOf(ingress) === options.className);
}

function policyDiagnostics(world: World, reading: ClassReading): readonly Diagnostic[] {
  const { inventory } = world;
  return [
    ...[...inventory.policies.values()].flatMap((policy) => [
      ...readPolicy(world, policy).diagnostics,
      ...checkProviders(world, reading, policy),
    ]),
    ...[...inventory.clusterPolicies.values()].flatMap((policy) => readPolicy(world, policy).diagnostics),
  ];
}

// Of the routes that are served: one that another Ingress took, or of a host that is another's, is governed by nothing.
function countRoutes(
  served: readonly IngressReading[],
  ofNoIngress: readonly KubernetesObject[],
  hosts: ReadonlyMap<string, HostRoutes>,
): ReadonlyMap<KubernetesObject, number> {
  const servedRoutes = new Set([...hosts.values()].flatMap(({ routes }) => routes));
  const counts = new Map(ofNoIngress.map((policy) => [policy, 1]));
  for (const { binding, claims } of served) {
    const routes = claims.flatMap((claim) => claim.routes).filter((route) => servedRoutes.has(route)).length;
    for (const policy of binding.policies) counts.set(policy, (counts.get(policy) ?? 0) + routes);
  }
  return counts;
}

// The same fault is met once for each Ingress that suffers from it, and said once.
function distinct(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Map<string, Diagnostic>();
  for (const one of diagnostics) {
    const { kind, namespace = '', name } = one.object;
    seen.set([one.code, kind, namespace, name, one.path, one.message].join('\0'), one);
  }
  return [...seen.values()];
}
