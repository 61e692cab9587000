// Which policies govern an Ingress: those it names, those that name it, and the ClusterPolicies over its namespace.
import { readAnnotations } from './annotations.ts';
import { readPolicy } from './policy.ts';
import type { PolicyReading } from './policy.ts';
import { selects, selectsAll } from './selector.ts';
import type { World } from './world.ts';
import { labelSelector } from '../model/selector.ts';
import type { LabelSelector } from '../model/selector.ts';
import type { KubernetesObject, ObjectMap } from '../model/objects.ts';
import type { AttachedPolicy } from '../model/policy.ts';
import { nearest } from '../policy/spelling.ts';

/** A Policy by name; `reading` is undefined where there is none of that name. */
export interface OwnPolicy {
  readonly name: string;
  readonly because: string;
  readonly reading: PolicyReading | undefined;
}

/** Why a Policy governs that an Ingress names. It stands on the Ingress, and outlives the Policy: without it, nobody gets in. */
export const byAnnotation = 'annotation sallyport.dev/policy';

/** The Policies of an Ingress's own namespace that govern it: those it names, and those that name it. */
export function ownPolicies(world: World, ingress: KubernetesObject): readonly OwnPolicy[] {
  const { policies } = world.inventory;
  const { namespace = '', name: ingressName } = ingress.metadata;
  const reasons = new Map<string, string>();
  for (const name of readAnnotations(ingress).policyNames) reasons.set(name, byAnnotation);
  for (const { policy, targets } of targeting(policies.parts.get(namespace))) {
    const target = targets.find((one) => one.name === ingressName || (one.selector && selects(one.selector, ingress)));
    const { name } = policy.metadata;
    if (target !== undefined && !reasons.has(name)) reasons.set(name, target.because);
  }
  return [...reasons].map(([name, because]) => {
    const object = policies.get(`${namespace}/${name}`);
    return { name, because, reading: object && readPolicy(world, object) };
  });
}

interface Target {
  readonly because: string;
  readonly name?: string;
  readonly selector?: LabelSelector;
}

interface TargetingPolicy {
  readonly policy: KubernetesObject;
  readonly targets: readonly Target[];
}

const targetingPolicies = new WeakMap<ObjectMap, readonly TargetingPolicy[]>();

/** Those of a namespace's policies that have targetRefs. */
function targeting(policies: ObjectMap | undefined): readonly TargetingPolicy[] {
  if (policies === undefined) return [];
  const known = targetingPolicies.get(policies);
  if (known !== undefined) return known;
  const found = [...policies.values()]
    .map((policy) => ({ policy, targets: targetsOf(policy) }))
    .filter(({ targets }) => targets.length > 0);
  targetingPolicies.set(policies, found);
  return found;
}

const anyIngress: Target = { because: 'its spec.targetRefs cannot be read, and may mean any Ingress', selector: {} };

// Read loosely, so that a policy that is broken elsewhere still governs what it names, and denies there. A target that cannot
// be read may have meant any Ingress of the namespace, and is taken to mean all: nothing widens by being misspelt.
function targetsOf({ spec }: KubernetesObject): readonly Target[] {
  if (typeof spec !== 'object' || spec === null) return [];
  if (!('targetRefs' in spec)) return Object.keys(spec).some(isNearlyTargets) ? [anyIngress] : [];
  const references: unknown = spec.targetRefs;
  return Array.isArray(references) ? references.map(readTarget) : [anyIngress];
}

function readTarget(reference: unknown, index: number): Target {
  const fields: object = typeof reference === 'object' && reference !== null ? reference : {};
  const name: unknown = 'name' in fields ? fields.name : undefined;
  const selector: unknown = 'selector' in fields ? fields.selector : undefined;
  const because = `its spec.targetRefs[${index}]`;
  if (typeof name === 'string' && selector === undefined) return { because, name };
  const read = name === undefined ? labelSelector.safeParse(selector).data : undefined;
  return read === undefined ? anyIngress : { because, selector: read };
}

function isNearlyTargets(field: string): boolean {
  return nearest(field, ['targetRefs']) !== undefined;
}

export interface GoverningClusterPolicy {
  readonly object: KubernetesObject;
  readonly attached: AttachedPolicy;
}

/** The ClusterPolicies that govern a namespace. */
export function clusterPoliciesOf(world: World, namespace: string): readonly GoverningClusterPolicy[] {
  const { clusterPolicies, namespaces } = world.inventory;
  const found = namespaces.get(namespace);
  return [...clusterPolicies.values()].flatMap((object): readonly GoverningClusterPolicy[] => {
    const { policy } = readPolicy(world, object);
    const { enforcement, namespaceSelector } = reachOf(object);
    const isForAll = namespaceSelector === undefined || selectsAll(namespaceSelector);
    const because = isForAll ? 'it governs all namespaces' : `its namespaceSelector selects ${namespace}`;
    const governs = { object, attached: { policy, attachment: enforcement, because } };
    if (isForAll) return [governs];
    if (found !== undefined) return selects(namespaceSelector, found) ? [governs] : [];
    if (enforcement === 'Default') return [];
    const broken = `its namespaceSelector cannot be judged: Namespace ${namespace} cannot be read`;
    return [
      { object, attached: { policy: { ...policy, rules: [], broken }, attachment: 'Mandatory', because: broken } },
    ];
  });
}

interface Reach {
  readonly enforcement: 'Mandatory' | 'Default';
  readonly namespaceSelector?: LabelSelector;
}

const reaches = new WeakMap<KubernetesObject, Reach>();

function reachOf(object: KubernetesObject): Reach {
  const known = reaches.get(object);
  if (known !== undefined) return known;
  const reach = readReach(object);
  reaches.set(object, reach);
  return reach;
}

// Read loosely, so that a ClusterPolicy that is broken elsewhere denies where it was meant to govern, and nowhere else. Where
// even that cannot be told it may have been a guardrail for everything, and is taken for one.
function readReach(object: KubernetesObject): Reach {
  const spec = typeof object.spec === 'object' && object.spec !== null ? object.spec : {};
  const enforcement = 'enforcement' in spec && spec.enforcement === 'Default' ? 'Default' : 'Mandatory';
  const namespaceSelector =
    'namespaceSelector' in spec ? labelSelector.safeParse(spec.namespaceSelector).data : undefined;
  return { enforcement, ...(namespaceSelector && { namespaceSelector }) };
}
