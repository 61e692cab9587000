// May this request pass? All policies that govern a route, and the facts, into one Verdict.
import type {
  Access,
  AttachedPolicy,
  Criterion,
  Decision,
  DefaultAccess,
  Facts,
  Operators,
  Outcome,
  Policy,
  PolicyVerdict,
  Reason,
  Rule,
  Verdict,
} from '../model/policy.ts';
import { absenceIn, compileCriterion } from './criteria.ts';
import type { Evaluation } from './criteria.ts';

/** `all`: every operand must hold, else one suffices. `inverted`: what counts is that an operand does not hold. */
interface Operator {
  readonly all: boolean;
  readonly inverted: boolean;
}

// The Pomerium Policy Language's, with its odd names: not is ¬A ∧ ¬B, nor is ¬A ∨ ¬B (its pkg/policy/generator/conditionals.go).
const operators = {
  and: { all: true, inverted: false },
  or: { all: false, inverted: false },
  not: { all: true, inverted: true },
  nor: { all: false, inverted: true },
} satisfies Record<keyof Operators, Operator>;

type Action = 'allow' | 'deny';

interface CompiledPolicy {
  readonly allow?: Evaluation;
  readonly deny?: Evaluation;
  readonly broken?: string;
}

const compiledPolicies = new WeakMap<Policy, CompiledPolicy>();

/**
 * Decides one request. First that holds: a policy that cannot be judged denies (its mode cannot be believed either, and
 * signing in would not help); a policy that asked who it is, and nobody is there, wants a sign-in; a deny refuses; an
 * allow that does not hold refuses; a grant lets in; nothing does, and the answer is no. Never throws.
 */
export function evaluate(access: Access, facts: Facts): Verdict {
  const policies = inForce(access.policies).map((attached) => judge(attached, facts));
  return { decision: decide(policies, access.defaultAccess, facts.identity !== undefined), policies };
}

/** A Default ClusterPolicy stands in for what an Ingress did not bring: an Own policy, in whatever mode, displaces it. */
function inForce(policies: readonly AttachedPolicy[]): readonly AttachedPolicy[] {
  const hasOwn = policies.some(({ attachment }) => attachment === 'Own');
  return hasOwn ? policies.filter(({ attachment }) => attachment !== 'Default') : policies;
}

function judge({ policy, attachment }: AttachedPolicy, facts: Facts): PolicyVerdict {
  const { name, mode } = policy;
  const { allow, deny, broken } = compile(policy);
  return {
    policy: name,
    mode,
    attachment,
    ...(allow && { allow: allow(facts) }),
    ...(deny && { deny: deny(facts) }),
    ...(broken !== undefined && { broken }),
  };
}

function decide(policies: readonly PolicyVerdict[], defaultAccess: DefaultAccess, signedIn: boolean): Decision {
  if (policies.some(({ broken }) => broken !== undefined)) return 'Deny';
  // `defaultAccess: Authenticated` is a policy `allow: authenticatedUser` where neither the Ingress nor a Default brings
  // one. An Audit policy counts as brought: a route with nothing but Audit denies.
  const byDefault = defaultAccess === 'Authenticated' && policies.every(({ attachment }) => attachment === 'Mandatory');
  const enforced = policies.filter(({ mode }) => mode !== 'Audit');
  if (enforced.some(asksWhoItIs) || (byDefault && !signedIn)) return 'Login';
  if (enforced.some(({ deny }) => deny?.result === true)) return 'Deny';
  if (enforced.some(({ allow }) => allow?.result === false)) return 'Deny';
  return byDefault || enforced.some(grants) ? 'Allow' : 'Deny';
}

/** Whether an answer hung on who the person is, and there was nobody. */
export function asksWhoItIs({ allow, deny }: PolicyVerdict): boolean {
  const unknown: Reason = 'user-unauthenticated';
  return allow?.reasons.includes(unknown) === true || deny?.reasons.includes(unknown) === true;
}

/** Mandatory policies can refuse, never grant. */
export function grants({ attachment, allow }: PolicyVerdict): boolean {
  return attachment !== 'Mandatory' && allow?.result === true;
}

function compile(policy: Policy): CompiledPolicy {
  let compiled = compiledPolicies.get(policy);
  if (compiled === undefined) {
    compiled = compilePolicy(policy);
    compiledPolicies.set(policy, compiled);
  }
  return compiled;
}

function compilePolicy({ rules, broken }: Policy): CompiledPolicy {
  if (broken !== undefined) return { broken };
  const allow = compileAction(rules, 'allow');
  const deny = compileAction(rules, 'deny');
  // The parser lets nothing of the kind through, but a newer control may send what an older proxy cannot know.
  if (!allow || !deny) return { broken: 'a rule of it is not understood here' };
  return {
    ...(rules.some((rule) => rule.allow) && { allow }),
    ...(rules.some((rule) => rule.deny) && { deny }),
  };
}

/**
 * All rules of one action, joined by "or". Undefined where one of them cannot be understood. An empty list of criteria is
 * skipped, as Pomerium does: "all of nothing" would be true.
 */
function compileAction(rules: readonly Rule[], action: Action): Evaluation | undefined {
  const branches = rules
    .flatMap((rule) => Object.entries(rule[action] ?? {}))
    .map(([name, criteria = []]) => ({ name, criteria }))
    .filter(({ criteria }) => criteria.length > 0)
    .map(({ name, criteria }) => compileOperator(action, name, criteria));
  return join(branches, operators.or);
}

function compileOperator(action: Action, name: string, criteria: readonly Criterion[]): Evaluation | undefined {
  if (!isOperator(name)) return undefined;
  const operator = operators[name];
  const absence = absenceIn(action, operator.inverted);
  return join(
    criteria.map((criterion) => compileCriterion(criterion, absence)),
    operator,
  );
}

function isOperator(name: string): name is keyof typeof operators {
  return Object.hasOwn(operators, name);
}

function join(operands: readonly (Evaluation | undefined)[], operator: Operator): Evaluation | undefined {
  const understood = operands.filter((operand) => operand !== undefined);
  if (understood.length < operands.length) return undefined;
  return (facts) => merge(understood, operator, facts);
}

/**
 * Looks at every operand, for the reasons: a true result carries those of the operands that are true, a false one those
 * of the false ones, and inversion turns a result and keeps its reason (Pomerium's pkg/policy/rules/rules.go).
 */
function merge(operands: readonly Evaluation[], { all, inverted }: Operator, facts: Facts): Outcome {
  let result = all;
  let reasons: readonly Reason[] = [];
  for (const operand of operands) {
    const outcome = operand(facts);
    const holds = outcome.result !== inverted;
    if (holds === result) {
      reasons = union(reasons, outcome.reasons);
    } else if (result === all) {
      // The first operand that settles it: what was gathered for the opposite no longer counts.
      result = !all;
      reasons = outcome.reasons;
    }
  }
  return { result, reasons };
}

/** Without a copy where there is nothing to add, which is nearly always. */
function union(some: readonly Reason[], more: readonly Reason[]): readonly Reason[] {
  if (some.length === 0) return more;
  const added = more.filter((reason) => !some.includes(reason));
  return added.length === 0 ? some : [...some, ...added];
}
