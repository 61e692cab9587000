// Which policies govern an Ingress, whose sign-in counts there, and why it denies where that cannot be told.
import { readAnnotations } from './annotations.ts';
import type { GoverningClusterPolicy, OwnPolicy } from './attachment.ts';
import { complain } from './parse.ts';
import type { ClassReading } from './settings.ts';
import { chooseProviders } from './sign-in.ts';
import type { World } from './world.ts';
import type { Criterion } from '../model/criteria.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { Access, AttachedPolicy, Operators, Policy } from '../model/policy.ts';
import { criteriaOf } from '../policy/placed.ts';

/** What decides who may use an Ingress's routes. */
export interface Binding {
  readonly access: Access;
  /** As the route's. */
  readonly providers: readonly string[];
  /** As the route's. */
  readonly workloads?: true;
  readonly denied?: string;
  readonly isPublic: boolean;
  /** The objects of `access.policies`, for counting their routes. */
  readonly policies: readonly KubernetesObject[];
  readonly diagnostics: readonly Diagnostic[];
}

const policyPath = 'metadata.annotations[sallyport.dev/policy]';

/** Binds an Ingress to all that governs it. */
export function bind(
  world: World,
  ingress: KubernetesObject,
  reading: ClassReading,
  own: readonly OwnPolicy[],
  cluster: readonly GoverningClusterPolicy[],
): Binding {
  const annotated = readAnnotations(ingress);
  const found = own.flatMap(({ reading }) => reading?.object ?? []);
  const brought: readonly AttachedPolicy[] = [
    ...(annotated.policy
      ? [{ policy: annotated.policy, attachment: 'Own' as const, because: 'its annotations about access' }]
      : []),
    ...own.flatMap(({ reading, because }) =>
      reading === undefined ? [] : [{ policy: reading.policy, attachment: 'Own' as const, because }],
    ),
  ];
  const imposed = cluster.filter(({ attached }) => brought.length === 0 || attached.attachment !== 'Default');
  const access: Access = {
    policies: [...brought, ...imposed.map(({ attached }) => attached)],
    defaultAccess: reading.settings.defaultAccess,
  };
  const missing = own.filter(({ reading }) => reading === undefined).map(({ name }) => name);
  const chosen = chooseProviders(world, ingress, reading, found);
  const denied = annotated.denied ?? missing.map((name) => `there is no Policy ${name}`)[0] ?? chosen.denied;
  const isPublic = annotated.isPublic && access.policies.length === 1;
  const workloads = access.policies.some(({ policy }) => asksForWorkload(policy));
  const gap = denied === undefined ? describeGap(access) : undefined;
  const canAdmit = denied === undefined && gap === undefined;
  return {
    access,
    isPublic,
    providers: chosen.providers,
    ...(workloads && { workloads }),
    policies: [...found, ...imposed.map(({ object }) => object)],
    diagnostics: [
      ...annotated.diagnostics,
      ...missing.map((name) => missingPolicy(ingress, name)),
      ...access.policies.flatMap(({ policy }) => (policy.broken === undefined ? [] : brokenPolicy(ingress, policy))),
      ...chosen.diagnostics,
      ...(gap === undefined ? [] : [complain(ingress, 'NoGrant', '', gap, 'warning')]),
      ...(canAdmit && !isPublic && chosen.providers.length === 0 && !isForWorkloadsAlone(access)
        ? [nobodySignsIn(ingress)]
        : []),
    ],
    ...(denied !== undefined && { denied }),
  };
}

// A workload's token is looked at where a policy speaks of workloads, in whatever way: elsewhere it is the application's.
function asksForWorkload({ rules }: Policy): boolean {
  return criteriaOf(rules).some(({ criterion }) => criterion.serviceAccount !== undefined);
}

/** A policy that allows must allow: one whose rules each ask for a workload lets in no person, and nobody needs to sign in. */
function isForWorkloadsAlone({ policies }: Access): boolean {
  return policies.some(({ policy: { mode, rules } }) => {
    const allowing = rules.filter((rule) => rule.allow !== undefined && rule.mode !== 'Audit');
    return mode === 'Enforce' && allowing.length > 0 && allowing.every(({ allow = {} }) => asksWorkloadsAlone(allow));
  });
}

/** The operators of one rule are joined by `or`, and an inverted criterion says nothing of who is let in. */
function asksWorkloadsAlone({ and = [], or = [], not = [], nor = [] }: Operators): boolean {
  const speaks = ({ serviceAccount }: Criterion): boolean => serviceAccount !== undefined;
  return not.length === 0 && nor.length === 0 && or.every(speaks) && (and.length === 0 || and.some(speaks));
}

function missingPolicy(ingress: KubernetesObject, name: string): Diagnostic {
  const message = `there is no Policy ${name} in namespace ${ingress.metadata.namespace ?? ''}: until there is, this Ingress denies everybody`;
  return complain(ingress, 'PolicyNotFound', policyPath, message);
}

function brokenPolicy(ingress: KubernetesObject, { name, broken = '' }: Policy): Diagnostic {
  const message = `${name} is broken, so this Ingress denies everybody: ${broken}`;
  return complain(ingress, 'PolicyBroken', '', message);
}

function nobodySignsIn(ingress: KubernetesObject): Diagnostic {
  const message =
    'there is no identity provider for it, so nobody can sign in: name one in spec.defaultIdentityProviderRef of the Sallyport of its class';
  return complain(ingress, 'IdentityProviderNotFound', '', message, 'warning');
}

/** Why nothing could ever let anybody in, and what would (see policy/evaluate for the rule). */
function describeGap({ policies, defaultAccess }: Access): string | undefined {
  const granting = policies.filter(({ attachment }) => attachment !== 'Mandatory').map(({ policy }) => policy);
  const adding = 'add the annotation sallyport.dev/policy, or sallyport.dev/access: authenticated';
  if (granting.length === 0) {
    return defaultAccess === 'Authenticated'
      ? undefined
      : `no policy lets anybody in, so this Ingress denies everybody: ${adding}`;
  }
  // A broken one denies, and is told of already.
  if (granting.some(({ broken }) => broken !== undefined)) return undefined;
  const enforced = granting.filter(({ mode }) => mode === 'Enforce');
  if (enforced.some(({ rules }) => rules.some(({ allow, mode }) => allow !== undefined && mode !== 'Audit')))
    return undefined;
  if (enforced.length === 0)
    return 'its policies are in mode Audit, which lets nobody in, so this Ingress denies everybody: for a trial add the annotation sallyport.dev/access: authenticated beside them';
  return enforced.some(({ rules }) => rules.some(({ allow }) => allow !== undefined))
    ? 'the rules of its policies that allow are in mode Audit, which lets nobody in, so this Ingress denies everybody: one of them needs an enforced rule that allows'
    : 'its enforced policies only refuse, so this Ingress denies everybody: one of them needs an enforced rule that allows';
}
