// Which policies govern an Ingress, whose sign-in counts there, and why it denies where that cannot be told.
import { readAnnotations } from './annotations.ts';
import { complain } from './parse.ts';
import { selects, selectsAll } from './selector.ts';
import type { ClassReading, ProviderReading } from './settings.ts';
import type { World } from './world.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { labelSelector } from '../model/kinds.ts';
import type { LabelSelector } from '../model/kinds.ts';
import { objectKey } from '../model/objects.ts';
import type { KubernetesObject, ObjectMap } from '../model/objects.ts';
import type { Access, AttachedPolicy } from '../model/policy.ts';
import { parseClusterPolicy, parsePolicy } from '../policy/parse.ts';
import type { ParsedPolicy } from '../policy/parse.ts';

/** What decides who may use an Ingress's routes. */
export interface Binding {
  readonly access: Access;
  readonly provider?: string;
  readonly denied?: string;
  readonly isPublic: boolean;
  /** Objects of the policies that govern, for counting their routes. */
  readonly policies: readonly KubernetesObject[];
  readonly diagnostics: readonly Diagnostic[];
}

interface GoverningClusterPolicy {
  readonly object: KubernetesObject;
  readonly attached: AttachedPolicy;
}

const policyPath = 'metadata.annotations[sallyport.dev/policy]';

/** A Policy by name; `object` is undefined where there is none of that name. */
export interface OwnPolicy {
  readonly name: string;
  readonly object: KubernetesObject | undefined;
}

/** The Policies of an Ingress's own namespace that govern it: those it names, and those that name it. */
export function ownPolicies(world: World, ingress: KubernetesObject): readonly OwnPolicy[] {
  const { inventory } = world;
  const namespace = ingress.metadata.namespace ?? '';
  const { policyNames } = readAnnotations(ingress);
  const targeted = targeting(inventory.policies).get(objectKey(ingress.metadata)) ?? [];
  const names = new Set([...policyNames, ...targeted.map(({ metadata }) => metadata.name)]);
  return [...names].map((name) => ({ name, object: inventory.policies.get(`${namespace}/${name}`) }));
}

// Policies by the Ingress that their targetRefs name.
const targets = new WeakMap<ObjectMap, ReadonlyMap<string, readonly KubernetesObject[]>>();

function targeting(policies: ObjectMap): ReadonlyMap<string, readonly KubernetesObject[]> {
  const known = targets.get(policies);
  if (known !== undefined) return known;
  const byIngress = new Map<string, KubernetesObject[]>();
  for (const policy of policies.values()) {
    for (const name of targetNames(policy)) {
      const key = `${policy.metadata.namespace ?? ''}/${name}`;
      byIngress.set(key, [...(byIngress.get(key) ?? []), policy]);
    }
  }
  targets.set(policies, byIngress);
  return byIngress;
}

// Read loosely, so that a policy that is broken elsewhere still governs what it names, and denies there.
function targetNames(policy: KubernetesObject): readonly string[] {
  const spec: unknown = policy.spec;
  const references: unknown =
    typeof spec === 'object' && spec !== null && 'targetRefs' in spec ? spec.targetRefs : undefined;
  if (!Array.isArray(references)) return [];
  return references.flatMap((reference: unknown) =>
    typeof reference === 'object' && reference !== null && 'name' in reference && typeof reference.name === 'string'
      ? [reference.name]
      : [],
  );
}

/** The ClusterPolicies that govern a namespace. */
export function clusterPoliciesOf(world: World, namespace: string): readonly GoverningClusterPolicy[] {
  const { clusterPolicies, namespaces } = world.inventory;
  const labels = namespaces.get(namespace)?.metadata;
  return [...clusterPolicies.values()].flatMap((object): readonly GoverningClusterPolicy[] => {
    const { policy } = parseClusterPolicy(object);
    const { enforcement, namespaceSelector } = readReach(object);
    const governs = { object, attached: { policy, attachment: enforcement } };
    if (namespaceSelector === undefined || selectsAll(namespaceSelector)) return [governs];
    if (labels !== undefined) return selects(namespaceSelector, labels.labels ?? {}) ? [governs] : [];
    if (enforcement === 'Default') return [];
    const broken = `its namespaceSelector cannot be judged: Namespace ${namespace} cannot be read`;
    return [{ object, attached: { policy: { ...policy, rules: [], broken }, attachment: 'Mandatory' } }];
  });
}

// Read loosely, so that a ClusterPolicy that is broken elsewhere denies where it was meant to govern, and nowhere else. Where
// even that cannot be told it may have been a guardrail for everything, and is taken for one.
function readReach(object: KubernetesObject): {
  readonly enforcement: 'Mandatory' | 'Default';
  readonly namespaceSelector?: LabelSelector;
} {
  const spec = typeof object.spec === 'object' && object.spec !== null ? object.spec : {};
  const enforcement = 'enforcement' in spec && spec.enforcement === 'Default' ? 'Default' : 'Mandatory';
  const namespaceSelector =
    'namespaceSelector' in spec ? labelSelector.safeParse(spec.namespaceSelector).data : undefined;
  return { enforcement, ...(namespaceSelector && { namespaceSelector }) };
}

/** Binds an Ingress to all that governs it. */
export function bind(
  world: World,
  ingress: KubernetesObject,
  reading: ClassReading,
  own: readonly OwnPolicy[],
  cluster: readonly GoverningClusterPolicy[],
): Binding {
  const annotated = readAnnotations(ingress);
  const diagnostics: Diagnostic[] = [...annotated.diagnostics];
  let { denied } = annotated;
  const parsed: { readonly object: KubernetesObject; readonly result: ParsedPolicy }[] = [];
  for (const { name, object } of own) {
    if (object === undefined) {
      denied ??= `there is no Policy ${name}`;
      const message = `there is no Policy ${name} in namespace ${ingress.metadata.namespace ?? ''}: until there is, this Ingress denies everybody`;
      diagnostics.push(complain(ingress, 'PolicyNotFound', policyPath, message));
    } else {
      const result = parsePolicy(object);
      parsed.push({ object, result });
      if (result.policy.broken !== undefined) diagnostics.push(brokenPolicy(ingress, result));
    }
  }
  const provider = chooseProvider(world, ingress, reading, parsed);
  diagnostics.push(...provider.diagnostics);
  denied ??= provider.denied;
  const policies: readonly AttachedPolicy[] = [
    ...(annotated.policy ? [{ policy: annotated.policy, attachment: 'Own' as const }] : []),
    ...parsed.map(({ result }) => ({ policy: result.policy, attachment: 'Own' as const })),
    ...cluster.map(({ attached }) => attached),
  ];
  const access: Access = { policies, defaultAccess: reading.settings.defaultAccess };
  if (denied === undefined && !canGrant(access)) diagnostics.push(noGrant(ingress));
  return {
    access,
    isPublic: annotated.isPublic,
    policies: [...parsed, ...cluster].map(({ object }) => object),
    diagnostics,
    ...(provider.name !== undefined && { provider: provider.name }),
    ...(denied !== undefined && { denied }),
  };
}

function brokenPolicy(ingress: KubernetesObject, { policy }: ParsedPolicy): Diagnostic {
  return complain(
    ingress,
    'PolicyBroken',
    '',
    `${policy.name} is broken, so this Ingress denies everybody: ${policy.broken ?? ''}`,
  );
}

function noGrant(ingress: KubernetesObject): Diagnostic {
  const message = `no enforced policy lets anybody in, so this Ingress denies everybody: add the annotation sallyport.dev/policy, or sallyport.dev/access: authenticated`;
  return complain(ingress, 'NoGrant', '', message, 'warning');
}

/** Whether anything could ever let anybody in (see policy/evaluate for the rule). */
function canGrant({ policies, defaultAccess }: Access): boolean {
  const by = (attachment: AttachedPolicy['attachment']) =>
    policies.filter((attached) => attached.attachment === attachment);
  const own = by('Own');
  const granting = own.length > 0 ? own : by('Default');
  if (granting.length === 0) return defaultAccess === 'Authenticated';
  return granting.some(
    ({ policy }) =>
      policy.broken !== undefined ||
      (policy.mode === 'Enforce' && policy.rules.some((rule) => rule.allow !== undefined)),
  );
}

interface ChosenProvider {
  readonly name?: string;
  readonly denied?: string;
  readonly diagnostics: readonly Diagnostic[];
}

function chooseProvider(
  world: World,
  ingress: KubernetesObject,
  reading: ClassReading,
  policies: readonly { readonly object: KubernetesObject; readonly result: ParsedPolicy }[],
): ChosenProvider {
  const naming = policies.flatMap(({ object, result }) => {
    const name = result.spec?.identityProviderRef?.name;
    return name === undefined ? [] : [{ object, name }];
  });
  const names = [...new Set(naming.map(({ name }) => name))];
  const [first] = naming;
  if (first === undefined) {
    const { defaultProvider } = reading.settings;
    return { ...(defaultProvider !== undefined && { name: defaultProvider }), diagnostics: [] };
  }
  if (names.length > 1) {
    const message = `its policies name several identity providers (${names.join(', ')}): a person signs in at one`;
    return {
      denied: 'its policies name several identity providers',
      diagnostics: [complain(ingress, 'IdentityProviderConflict', policyPath, message)],
    };
  }
  const found = reading.providers.get(first.name);
  const path = 'spec.identityProviderRef.name';
  if (found === undefined) {
    const message = `there is no IdentityProvider ${first.name}: until there is, the routes it governs deny`;
    return {
      denied: `there is no IdentityProvider ${first.name}`,
      diagnostics: [complain(first.object, 'IdentityProviderNotFound', path, message)],
    };
  }
  if (first.name !== reading.settings.defaultProvider && !mayUse(world, ingress, found)) {
    const message = `IdentityProvider ${first.name} does not allow namespace ${ingress.metadata.namespace ?? ''} (spec.allowedNamespaces)`;
    return { denied: message, diagnostics: [complain(first.object, 'IdentityProviderNotAllowed', path, message)] };
  }
  return { name: first.name, diagnostics: [] };
}

function mayUse(world: World, ingress: KubernetesObject, { allowedNamespaces }: ProviderReading): boolean {
  if (allowedNamespaces === undefined) return false;
  if (selectsAll(allowedNamespaces)) return true;
  const namespace = world.inventory.namespaces.get(ingress.metadata.namespace ?? '');
  return namespace !== undefined && selects(allowedNamespaces, namespace.metadata.labels ?? {});
}
