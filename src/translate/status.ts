// What the statuses of our own kinds should say, as a value; kubernetes/reporter writes what differs.
import type { ProviderReading } from './provider.ts';
import { createMemory } from './remember.ts';
import type { ClassReading } from './settings.ts';
import type { World } from './world.ts';
import type { Diagnostic, DiagnosticCode, ObjectReference } from '../model/diagnostic.ts';
import type { Condition, Status } from '../model/kinds.ts';
import { ingressClassSpec, referenceTo } from '../model/objects.ts';
import type { Collection, KubernetesObject } from '../model/objects.ts';

export interface DesiredStatus {
  readonly collection: Collection;
  readonly object: ObjectReference;
  readonly status: Status;
}

type OwnCollection = Extract<Collection, 'sallyports' | 'identityProviders' | 'policies' | 'clusterPolicies'>;

// Codes that say that something referred to is not there, or not what it should be; every other error is about the object
// itself.
const unresolvedCodes: ReadonlySet<DiagnosticCode> = new Set<DiagnosticCode>([
  'CertificateInvalid',
  'DataSetInvalid',
  'IdentityProviderNotAllowed',
  'IdentityProviderNotFound',
  'SecretInvalid',
  'SecretNotFound',
  'ServiceNotFound',
  'ServicePortNotFound',
]);

export interface StatusFinding {
  readonly collection: OwnCollection;
  readonly object: KubernetesObject;
  /** Why it has no effect, where nothing is wrong with it. */
  readonly unused?: string | undefined;
  readonly routes?: number;
}

/**
 * @param diagnostics Whatever is wrong with these objects, and with others.
 * @returns One status for each. `lastTransitionTime` is when it was first found: the reporter keeps an earlier one where a
 *   condition has not flipped.
 */
export function desiredStatuses(
  { now }: World,
  findings: readonly StatusFinding[],
  diagnostics: readonly Diagnostic[],
): readonly DesiredStatus[] {
  const at = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
  const byObject = Map.groupBy(diagnostics, ({ object }) => key(object));
  return findings.map(({ collection, object, unused, routes }) => {
    const reference = referenceTo(object);
    const errors = (byObject.get(key(reference)) ?? []).filter(({ severity }) => severity === 'error');
    return rememberStatus(object, [routes, unused, ...errors], () => {
      const conditions = conditionsOf(object, errors, unused, at);
      return { collection, object: reference, status: { conditions, ...(routes !== undefined && { routes }) } };
    });
  });
}

// The reporter looks at nothing that is the very same as before.
const rememberStatus = createMemory<DesiredStatus>();

/** @param routesOf How many routes each policy governs. */
export function policyFindings(
  collection: 'policies' | 'clusterPolicies',
  objects: Iterable<KubernetesObject>,
  routesOf: ReadonlyMap<KubernetesObject, number>,
): readonly StatusFinding[] {
  return [...objects].map((object) => {
    const routes = routesOf.get(object) ?? 0;
    return {
      collection,
      object,
      routes,
      ...(routes === 0 && { unused: 'no route of this class is governed by it' }),
    };
  });
}

export function classFindings(world: World, reading: ClassReading): readonly StatusFinding[] {
  return [
    ...[...reading.providers.values()].map((provider): StatusFinding => ({
      collection: 'identityProviders',
      object: provider.object,
      unused: unusable(provider),
    })),
    ...sallyportsToTellOf(world, reading).map((object): StatusFinding => ({
      collection: 'sallyports',
      object,
      unused: object === reading.sallyport ? undefined : 'no IngressClass points at it',
    })),
  ];
}

/** Ours, and those that are nobody's: of another class's, the instance that serves that class speaks. */
function sallyportsToTellOf({ inventory }: World, { sallyport }: ClassReading): readonly KubernetesObject[] {
  const used = new Set(
    [...inventory.ingressClasses.values()].flatMap((object) => {
      const { parameters } = ingressClassSpec.safeParse(object.spec).data ?? {};
      return parameters?.kind === 'Sallyport' ? [parameters.name] : [];
    }),
  );
  return [...inventory.sallyports.values()].filter((one) => one === sallyport || !used.has(one.metadata.name));
}

function unusable({ settings }: ProviderReading): string | undefined {
  return settings === undefined ? 'nobody can sign in with it' : undefined;
}

function key({ kind, namespace = '', name }: ObjectReference): string {
  return `${kind}/${namespace}/${name}`;
}

function conditionsOf(
  object: KubernetesObject,
  errors: readonly Diagnostic[],
  unused: string | undefined,
  at: string,
): Condition[] {
  const unresolved = errors.filter(({ code }) => unresolvedCodes.has(code));
  const wrong = errors.filter(({ code }) => !unresolvedCodes.has(code));
  const condition = (type: string, fault: { code: string; message: string } | undefined): Condition => ({
    type,
    status: fault === undefined ? 'True' : 'False',
    ...(Number.isInteger(object.metadata.generation) && { observedGeneration: object.metadata.generation }),
    lastTransitionTime: at,
    reason: fault?.code ?? type,
    message: fault?.message ?? '',
  });
  const fault = (found: readonly Diagnostic[]) =>
    found[0] && { code: found[0].code, message: found.map(sentence).join('; ').slice(0, 4096) };
  return [
    condition('Accepted', fault(wrong)),
    condition('ResolvedRefs', fault(unresolved)),
    condition('Programmed', fault(errors) ?? (unused === undefined ? undefined : { code: 'Unused', message: unused })),
  ];
}

function sentence({ path, message }: Diagnostic): string {
  return path === '' ? message : `${path}: ${message}`;
}
