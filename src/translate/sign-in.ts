// Where people sign in for an Ingress: the providers that all its policies agree on, else those of the class.
import { complain } from './parse.ts';
import type { ProviderReading } from './provider.ts';
import { selects, selectsAll } from './selector.ts';
import type { ClassReading } from './settings.ts';
import type { World } from './world.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { KubernetesObject } from '../model/objects.ts';
import { parsePolicy } from '../policy/parse.ts';

export interface ChosenProviders {
  /** As the route's. */
  readonly providers: readonly string[];
  readonly denied?: string;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Each policy that names providers takes no other: those count that every such policy names. One that is not there, or not
 * for this namespace, is left out, and where that leaves a policy with none, the Ingress denies.
 */
export function chooseProviders(
  world: World,
  ingress: KubernetesObject,
  reading: ClassReading,
  policies: readonly KubernetesObject[],
): ChosenProviders {
  const lists = policies
    .map((policy) => judgeAll(world, reading, policy))
    .filter((judged) => judged.length > 0)
    .map((judged) => ({ judged, usable: judged.filter(({ fault }) => fault === undefined).map(({ name }) => name) }));
  const [first, ...others] = lists;
  if (first === undefined) return { providers: reading.settings.providers, diagnostics: [] };
  const unusable = lists.find(({ usable }) => usable.length === 0);
  const fault = unusable?.judged[0]?.fault;
  if (fault !== undefined) return { providers: [], denied: fault.message, diagnostics: [] };
  const providers = first.usable.filter((name) => others.every(({ usable }) => usable.includes(name)));
  if (providers.length > 0) return { providers, diagnostics: [] };
  const named = new Set(lists.flatMap(({ usable }) => usable));
  const message = `its policies name several identity providers (${[...named].join(', ')}), and none that all of them name: until they agree, this Ingress denies everybody`;
  return {
    providers: [],
    denied: 'its policies name several identity providers, and none that all of them name',
    diagnostics: [complain(ingress, 'IdentityProviderConflict', policyPath, message)],
  };
}

const policyPath = 'metadata.annotations[sallyport.dev/policy]';

/** What is wrong with the providers that a policy names: it is said on the policy, whether or not anything uses them. */
export function checkProviders(world: World, reading: ClassReading, policy: KubernetesObject): readonly Diagnostic[] {
  return judgeAll(world, reading, policy).flatMap(({ fault }) => fault ?? []);
}

/** The providers that a policy names, of those that are there. */
export function namedProviders(
  { providers }: ClassReading,
  policy: KubernetesObject,
): readonly (ProviderReading | undefined)[] {
  return named(policy).map(({ name }) => providers.get(name));
}

interface Named {
  readonly name: string;
  readonly path: string;
}

/** As a policy or a class names them, the first by default, each once. */
export function listProviders(
  first: readonly [path: string, reference: { readonly name: string } | undefined],
  more: readonly [path: string, references: readonly { readonly name: string }[] | undefined],
): readonly Named[] {
  const all = [
    ...(first[1] === undefined ? [] : [{ name: first[1].name, path: `${first[0]}.name` }]),
    ...(more[1] ?? []).map(({ name }, index) => ({ name, path: `${more[0]}[${index}].name` })),
  ];
  return all.filter(({ name }, index) => all.findIndex((other) => other.name === name) === index);
}

function named(policy: KubernetesObject): readonly Named[] {
  const spec = parsePolicy(policy).spec;
  return listProviders(
    ['spec.identityProviderRef', spec?.identityProviderRef],
    ['spec.identityProviderRefs', spec?.identityProviderRefs],
  );
}

function judgeAll(world: World, reading: ClassReading, policy: KubernetesObject) {
  return named(policy).map(({ name, path }) => ({ name, fault: judge(world, reading, policy, { name, path }) }));
}

function judge(
  world: World,
  { providers, settings }: ClassReading,
  policy: KubernetesObject,
  { name, path }: Named,
): Diagnostic | undefined {
  const provider = providers.get(name);
  if (provider === undefined) {
    const message = `there is no IdentityProvider ${name}: nobody can sign in with it`;
    return complain(policy, 'IdentityProviderNotFound', path, message);
  }
  const namespace = policy.metadata.namespace ?? '';
  if (settings.providers.includes(name) || mayUse(world, namespace, provider)) return undefined;
  const message = `IdentityProvider ${name} does not allow namespace ${namespace} (its spec.allowedNamespaces)`;
  return complain(policy, 'IdentityProviderNotAllowed', path, message);
}

function mayUse({ inventory }: World, namespace: string, { allowedNamespaces }: ProviderReading): boolean {
  if (allowedNamespaces === undefined) return false;
  if (selectsAll(allowedNamespaces)) return true;
  const found = inventory.namespaces.get(namespace);
  return found !== undefined && selects(allowedNamespaces, found);
}
