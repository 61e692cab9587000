// Policy and ClusterPolicy objects → policies that can be judged, and what is wrong with them. Total: nothing here throws.
import type { z } from 'zod';
import { describeReference } from '../model/diagnostic.ts';
import type { Diagnostic, ObjectReference } from '../model/diagnostic.ts';
import { clusterPolicySpec, policySpec } from '../model/policy-kinds.ts';
import type { ClusterPolicySpec, PolicySpec } from '../model/policy-kinds.ts';
import { referenceTo } from '../model/objects.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { Policy } from '../model/policy.ts';
import { checkSpec } from './check.ts';
import { specDiagnostics } from './issues.ts';
import { runTests } from './tests.ts';

/**
 * What became of an object. With an error among the diagnostics the policy is broken: it has no rules, and denies. Its data
 * sets are there by name and empty: translate fills them, and the policy's own tests bring what they need.
 */
interface Parsed<Spec> {
  readonly policy: Policy;
  /** Absent where the object does not have the shape of its kind. */
  readonly spec?: Spec;
  readonly diagnostics: readonly Diagnostic[];
}

export type ParsedPolicy = Parsed<PolicySpec>;
export type ParsedClusterPolicy = Parsed<ClusterPolicySpec>;

/** Remembered by the object's identity: objects are frozen, and a changed one is another. */
export const parsePolicy: (object: KubernetesObject) => ParsedPolicy = remembered((object) =>
  parse<PolicySpec>(object, policySpec),
);

/** As parsePolicy. */
export const parseClusterPolicy: (object: KubernetesObject) => ParsedClusterPolicy = remembered((object) =>
  parse<ClusterPolicySpec>(object, clusterPolicySpec),
);

function remembered<Result>(parseObject: (object: KubernetesObject) => Result): (object: KubernetesObject) => Result {
  const results = new WeakMap<KubernetesObject, Result>();
  return (object) => {
    let result = results.get(object);
    if (result === undefined) {
      result = parseObject(object);
      results.set(object, result);
    }
    return result;
  };
}

function parse<Spec extends PolicySpec | ClusterPolicySpec>(
  object: KubernetesObject,
  schema: z.ZodType<Spec>,
): Parsed<Spec> {
  const reference = referenceTo(object);
  const parsed = schema.safeParse(object['spec']);
  if (!parsed.success) {
    const diagnostics = specDiagnostics(reference, schema, parsed.error.issues);
    return { policy: brokenPolicy(reference, 'Enforce', diagnostics), diagnostics };
  }
  const spec = parsed.data;
  const { mode, rules, contact, reveal } = spec;
  const policy: Policy = {
    name: describeReference(reference),
    mode,
    rules,
    ...(spec.dataSets && { dataSets: Object.fromEntries(spec.dataSets.map((one) => [one.name, { content: [] }])) }),
    ...(contact !== undefined && { contact }),
    ...(reveal && { reveal }),
  };
  const found = checkSpec(reference, spec);
  // What a policy with a mistake in it answers to its tests says nothing.
  const diagnostics = hasError(found) ? found : [...found, ...runTests(reference, policy, spec.tests ?? [])];
  return {
    policy: hasError(diagnostics) ? brokenPolicy(reference, spec.mode, diagnostics) : policy,
    spec,
    diagnostics,
  };
}

function hasError(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === 'error');
}

function brokenPolicy(reference: ObjectReference, mode: Policy['mode'], diagnostics: readonly Diagnostic[]): Policy {
  const [first, ...more] = diagnostics.filter(({ severity }) => severity === 'error');
  const others = more.length === 0 ? '' : ` (and ${more.length} more)`;
  const message = first?.message.replace(/\.$/, '') ?? 'it is wrong';
  const broken = `${first?.path ?? 'spec'}: ${message}${others}`;
  return { name: describeReference(reference), mode, rules: [], broken };
}
