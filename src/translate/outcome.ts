// What came of a namespace once all hosts are settled: how many routes each policy governs, and what the statuses of its policies say.
import type { HostClaim } from './ingress.ts';
import type { NamespaceReading } from './namespace.ts';
import type { SettledHosts } from './hosts.ts';
import { desiredStatuses, policyFindings } from './status.ts';
import type { DesiredStatus } from './status.ts';
import type { Memory } from './translate.ts';
import type { World } from './world.ts';
import type { KubernetesObject } from '../model/objects.ts';

export interface Outcome {
  /** By policy, a ClusterPolicy among them, the routes of this namespace that it governs. */
  readonly routes: ReadonlyMap<KubernetesObject, number>;
  readonly statuses: readonly DesiredStatus[];
}

export interface Round {
  readonly changed: ReadonlySet<string>;
  readonly claims: ReadonlyMap<string, readonly HostClaim[]>;
  readonly namespaces: ReadonlyMap<string, NamespaceReading>;
  readonly settled: SettledHosts;
}

/** By namespace. Those stay as they were of which neither an object nor a host is another. */
export function outcomesOf(
  world: World,
  round: Round,
  known: Pick<Memory, 'outcomes'> | undefined,
): ReadonlyMap<string, Outcome> {
  const { changed, claims, namespaces, settled } = round;
  const outcomes = new Map(known?.outcomes);
  const touched = new Set(changed);
  for (const ofHost of claims.values()) {
    for (const { ingress } of ofHost) touched.add(ingress.metadata.namespace ?? '');
  }
  for (const name of touched) {
    const reading = namespaces.get(name);
    if (reading === undefined) outcomes.delete(name);
    else outcomes.set(name, outcomeOf(world, reading, settled));
  }
  return outcomes;
}

function outcomeOf(world: World, { served, policies, diagnostics }: NamespaceReading, settled: SettledHosts): Outcome {
  const routes = countRoutes(served, settled);
  return { routes, statuses: desiredStatuses(world, policyFindings('policies', policies, routes), diagnostics) };
}

// Of the routes that are served: one that another Ingress took, or of a host that is another's, is governed by nothing.
function countRoutes(
  served: NamespaceReading['served'],
  { hosts }: SettledHosts,
): ReadonlyMap<KubernetesObject, number> {
  const counts = new Map<KubernetesObject, number>();
  for (const { binding, claims } of served) {
    if (binding.policies.length === 0) continue;
    let routes = 0;
    for (const claim of claims) {
      const ofHost = new Set(hosts.get(claim.host)?.routes);
      routes += claim.routes.filter((route) => ofHost.has(route)).length;
    }
    for (const policy of binding.policies) counts.set(policy, (counts.get(policy) ?? 0) + routes);
  }
  return counts;
}

/** @param ofNoIngress Those that govern one route more. */
export function routesOfClusterPolicies(
  outcomes: ReadonlyMap<string, Outcome>,
  ofNoIngress: readonly KubernetesObject[],
): ReadonlyMap<KubernetesObject, number> {
  const counts = new Map(ofNoIngress.map((policy) => [policy, 1]));
  for (const { routes } of outcomes.values()) {
    for (const [policy, count] of routes) {
      if (policy.kind === 'ClusterPolicy') counts.set(policy, (counts.get(policy) ?? 0) + count);
    }
  }
  return counts;
}
