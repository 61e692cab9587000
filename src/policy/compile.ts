// Policies and rules, compiled once into closures over numbers; evaluate runs them, explain walks them.
import type { Criterion } from '../model/criteria.ts';
import type { Access, Attachment, AttachedPolicy, Operators, Policy, PolicyMode, Rule } from '../model/policy.ts';
import type { Facts } from '../model/verdict.ts';
import { compileCriterion } from './criteria.ts';
import { askingsIn } from './step-up.ts';
import type { Askings } from './step-up.ts';
import { againstIn, holds, truthOf, unauthenticated } from './truth.ts';
import type { Judge, Truth } from './truth.ts';
import { forPeople } from './workload.ts';

export type Action = 'allow' | 'deny';

/** `all`: every operand must hold, else one suffices. `inverted`: what counts is that an operand does not hold. */
export interface Operator {
  readonly all: boolean;
  readonly inverted: boolean;
}

// The Pomerium Policy Language's, with its odd names: not is ¬A ∧ ¬B, nor is ¬A ∨ ¬B (its pkg/policy/generator/conditionals.go).
export const operators = {
  and: { all: true, inverted: false },
  or: { all: false, inverted: false },
  not: { all: true, inverted: true },
  nor: { all: false, inverted: true },
} satisfies Record<keyof Operators, Operator>;

type Test = (facts: Facts) => Truth;

export interface CompiledOperator {
  readonly operator: keyof Operators;
  readonly operands: readonly { readonly criterion: Criterion; readonly judge: Judge }[];
  readonly test: Test;
}

/** One action of one rule. */
export interface CompiledRule {
  readonly path: string;
  readonly name?: string;
  readonly mode: PolicyMode;
  readonly action: Action;
  readonly operators: readonly CompiledOperator[];
}

/** All rules of each action, joined by "or"; absent where there is none. */
export interface Actions {
  readonly allow?: Test;
  readonly deny?: Test;
}

export interface CompiledPolicy {
  readonly policy: Policy;
  readonly rules: readonly CompiledRule[];
  /** What its enforced rules say; of a policy in Audit, what all of them do. */
  readonly actions: Actions;
  /** What all its rules say; absent where none is in Audit beside enforced ones. */
  readonly trial?: Actions;
  readonly broken?: string;
}

/** A policy at its place: one of those that an Ingress is under. */
export interface Governing extends CompiledPolicy {
  readonly attachment: Attachment;
  readonly isEnforced: boolean;
}

export interface CompiledAccess {
  readonly policies: readonly Governing[];
  readonly isBroken: boolean;
  readonly enforced: Opinions;
  /** As if everything in Audit were enforced; absent where nothing is. */
  readonly trial?: Opinions;
  /** `defaultAccess: Authenticated` decides, for want of a policy that could grant. */
  readonly byDefault: boolean;
}

/** What counts in a decision. */
export interface Opinions {
  readonly all: readonly Opinion[];
  /** What a sign-in could be asked for; absent: it would change nothing. */
  readonly askings?: Askings;
}

/** What a policy has to say in a decision. */
export interface Opinion extends Actions {
  /** Mandatory policies can refuse, never grant. */
  readonly mayGrant: boolean;
}

const compiledPolicies = new WeakMap<Policy, CompiledPolicy>();
const compiledAccesses = new WeakMap<Access, CompiledAccess>();

function compilePolicy(policy: Policy): CompiledPolicy {
  let compiled = compiledPolicies.get(policy);
  if (compiled === undefined) {
    compiled = compileRules(policy);
    compiledPolicies.set(policy, compiled);
  }
  return compiled;
}

export function compileAccess(access: Access): CompiledAccess {
  let compiled = compiledAccesses.get(access);
  if (compiled === undefined) {
    compiled = compileAll(access);
    compiledAccesses.set(access, compiled);
  }
  return compiled;
}

/** A Default ClusterPolicy stands in for what an Ingress did not bring: an Own policy, in whatever mode, displaces it. */
export function inForce(policies: readonly AttachedPolicy[]): readonly AttachedPolicy[] {
  const hasOwn = policies.some(({ attachment }) => attachment === 'Own');
  return hasOwn ? policies.filter(({ attachment }) => attachment !== 'Default') : policies;
}

function compileAll({ policies: attached, defaultAccess }: Access): CompiledAccess {
  const policies = inForce(attached).map(({ policy, attachment }): Governing => ({
    ...compilePolicy(policy),
    attachment,
    isEnforced: policy.mode === 'Enforce',
  }));
  const opinions = (governing: readonly Governing[], of: (policy: Governing) => Actions, rules: readonly Rule[]) => {
    const askings = askingsIn(rules);
    const all = governing.map((policy): Opinion => ({ ...of(policy), mayGrant: policy.attachment !== 'Mandatory' }));
    return { all, ...(askings && { askings }) };
  };
  const enforced = policies.filter(({ isEnforced }) => isEnforced);
  const isTried = policies.some(({ isEnforced, trial }) => !isEnforced || trial !== undefined);
  const rulesOf = (governing: readonly Governing[]) => governing.flatMap(({ policy }) => policy.rules);
  return {
    policies,
    isBroken: policies.some(({ broken }) => broken !== undefined),
    enforced: opinions(
      enforced,
      ({ actions }) => actions,
      rulesOf(enforced).filter(({ mode }) => mode !== 'Audit'),
    ),
    ...(isTried && { trial: opinions(policies, ({ trial, actions }) => trial ?? actions, rulesOf(policies)) }),
    // An Audit policy counts as brought: a route with nothing but Audit denies.
    byDefault: defaultAccess === 'Authenticated' && policies.every(({ attachment }) => attachment === 'Mandatory'),
  };
}

function compileRules(policy: Policy): CompiledPolicy {
  const { rules, broken, mode } = policy;
  if (broken !== undefined) return { policy, rules: [], actions: {}, broken };
  const compiled = rules.flatMap((rule, index) => [
    compileRule(policy, rule, index, 'allow'),
    compileRule(policy, rule, index, 'deny'),
  ]);
  // The parser lets nothing of the kind through, but a newer control may send what an older proxy cannot know.
  if (compiled.includes('NotUnderstood')) {
    return { policy, rules: [], actions: {}, broken: 'a rule of it is not understood here' };
  }
  const understood = compiled.filter((rule) => rule !== undefined && rule !== 'NotUnderstood');
  const enforced = understood.filter((rule) => rule.mode === 'Enforce');
  const isMixed = mode === 'Enforce' && enforced.length < understood.length;
  return {
    policy,
    rules: understood,
    actions: joinRules(mode === 'Enforce' ? enforced : understood),
    ...(isMixed && { trial: joinRules(understood) }),
  };
}

function joinRules(rules: readonly CompiledRule[]): Actions {
  const join = (action: Action): Test | undefined => {
    const tests = rules.filter((rule) => rule.action === action).map((rule) => rule.operators.map(({ test }) => test));
    return tests.length === 0 ? undefined : merge(tests.flat(), operators.or);
  };
  const [allow, deny] = [join('allow'), join('deny')];
  return { ...(allow && { allow }), ...(deny && { deny }) };
}

function compileRule(
  policy: Policy,
  rule: Rule,
  index: number,
  action: Action,
): CompiledRule | 'NotUnderstood' | undefined {
  const written = rule[action];
  if (written === undefined) return undefined;
  // An empty list of criteria is skipped, as Pomerium does: "all of nothing" would be true.
  const compiled = Object.entries(written)
    .map(([name, criteria = []]) => ({ name, criteria }))
    .filter(({ criteria }) => criteria.length > 0)
    .map(({ name, criteria }) => compileOperator(policy, action, name, criteria));
  const understood = compiled.filter((operator) => operator !== undefined);
  if (understood.length < compiled.length) return 'NotUnderstood';
  return {
    path: `spec.rules[${index}].${action}`,
    ...(rule.name !== undefined && { name: rule.name }),
    mode: policy.mode === 'Audit' ? 'Audit' : (rule.mode ?? 'Enforce'),
    action,
    operators: understood,
  };
}

function compileOperator(
  { dataSets = {} }: Policy,
  action: Action,
  name: string,
  criteria: readonly Criterion[],
): CompiledOperator | undefined {
  if (!isOperator(name)) return undefined;
  const operator = operators[name];
  const compiling = { against: againstIn(action, operator.inverted), dataSets };
  const operands = criteria.flatMap((criterion) => {
    const judge = compileCriterion(criterion, compiling);
    if (judge === undefined) return [];
    return [{ criterion, judge: action === 'allow' ? forPeople(criterion, judge, compiling.against) : judge }];
  });
  if (operands.length < criteria.length) return undefined;
  const tests = operands.map(({ judge }) => judge.judge);
  return { operator: name, operands, test: merge(tests, operator) };
}

function isOperator(name: string): name is keyof typeof operators {
  return Object.hasOwn(operators, name);
}

/**
 * Without a session every operand is asked: a true result carries what the true operands carry, a false one what the false
 * ones do, and inversion turns a result and keeps what it carries (Pomerium's pkg/policy/rules/rules.go, with the reasons in
 * one bit). With a session nothing is carried, and the first operand that settles it is the last.
 */
function merge(tests: readonly Test[], { all, inverted }: Operator): Test {
  const turned = truthOf(inverted);
  const settling = truthOf(!all) ^ turned;
  return (facts) => {
    if (facts.identity !== undefined) {
      for (const test of tests) if ((test(facts) & holds) === settling) return truthOf(!all);
      return truthOf(all);
    }
    let whenTrue = 0;
    let whenFalse = 0;
    for (const test of tests) {
      const truth = test(facts) ^ turned;
      if ((truth & holds) === 0) whenFalse |= asked | (truth & unauthenticated);
      else whenTrue |= asked | (truth & unauthenticated);
    }
    const result = all ? whenFalse === 0 : whenTrue !== 0;
    return result ? holds | (whenTrue & unauthenticated) : whenFalse & unauthenticated;
  };
}

/** That there was such an operand, in `whenTrue` and `whenFalse`. */
const asked = holds;
