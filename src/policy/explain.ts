// How a verdict came about: the same closures that enforce, asked one by one, with what each of them saw.
import type { Access } from '../model/policy.ts';
import type { Reason } from '../model/reason.ts';
import type {
  Cause,
  CriterionTrace,
  Explanation,
  Facts,
  OperatorTrace,
  Outcome,
  PolicyExplanation,
  PolicyVerdict,
  RuleTrace,
} from '../model/verdict.ts';
import { compileAccess, operators } from './compile.ts';
import type { Action, CompiledOperator, CompiledRule, Governing } from './compile.ts';
import { evaluate } from './evaluate.ts';
import { failed, holds, unauthenticated } from './truth.ts';

/** Everything about one decision. Its `verdict` is evaluate's. Costs some microseconds: not for every request. Never throws. */
export function explain(access: Access, facts: Facts): Explanation {
  const { policies: governing, byDefault } = compileAccess(access);
  const verdict = evaluate(access, facts);
  const policies = governing.map((policy) => explainPolicy(policy, facts));
  const isEnforced = ({ mode }: PolicyVerdict): boolean => mode === 'Enforce';
  const enforced = policies.filter(isEnforced);
  return {
    verdict,
    cause: causeOf(verdict.decision, enforced, byDefault),
    ...(verdict.trial !== undefined && {
      trialCause: causeOf(
        verdict.trial,
        policies.map((policy) => ({ ...policy, ...policy.trial })),
        byDefault,
      ),
    }),
    policies,
  };
}

function explainPolicy({ policy, attachment, rules, trial, broken }: Governing, facts: Facts): PolicyExplanation {
  const traced = rules.map((rule) => traceRule(rule, facts));
  const counted = policy.mode === 'Audit' ? traced : traced.filter(({ mode }) => mode === 'Enforce');
  return {
    policy: policy.name,
    mode: policy.mode,
    attachment,
    ...outcomes(counted),
    ...(trial && { trial: outcomes(traced) }),
    ...(broken !== undefined && { broken }),
    rules: traced,
  };
}

interface TracedRule extends RuleTrace {
  readonly reasons: readonly Reason[];
}

function outcomes(rules: readonly TracedRule[]): { readonly allow?: Outcome; readonly deny?: Outcome } {
  const [allow, deny] = [outcome(rules, 'allow'), outcome(rules, 'deny')];
  return { ...(allow && { allow }), ...(deny && { deny }) };
}

function outcome(rules: readonly TracedRule[], action: Action): Outcome | undefined {
  const all = rules.filter((rule) => rule.action === action);
  if (all.length === 0) return undefined;
  const first = all.find(({ result }) => result);
  const result = first !== undefined;
  const telling = all.filter((rule) => rule.result === result);
  return {
    result,
    reasons: distinct(telling.flatMap(({ reasons }) => reasons)),
    ...(first?.name !== undefined && { rule: first.name }),
  };
}

function traceRule({ path, name, mode, action, operators: compiled }: CompiledRule, facts: Facts): TracedRule {
  const traces = compiled.map((operator) => traceOperator(operator, facts));
  const result = traces.some((trace) => trace.result);
  const reasons = distinct(traces.filter((trace) => trace.result === result).flatMap(reasonsOf));
  return { path, ...(name !== undefined && { name }), mode, action, result, operators: traces, reasons };
}

function traceOperator({ operator, operands, test }: CompiledOperator, facts: Facts): OperatorTrace {
  return {
    operator,
    result: (test(facts) & holds) !== 0,
    criteria: operands.map(({ criterion, judge }): CriterionTrace => {
      const truth = judge.judge(facts);
      const yes = (truth & holds) !== 0;
      const [[name, wanted] = ['', undefined]] = Object.entries(criterion);
      const seen = judge.see(facts);
      return { criterion: name, wanted, ...(seen !== undefined && { seen }), result: yes, reason: reasonFor(truth) };

      function reasonFor(bits: number): Reason {
        if ((bits & unauthenticated) !== 0) return 'user-unauthenticated';
        if ((bits & failed) !== 0) return 'criterion-error';
        return judge.reason(yes, facts);
      }
    }),
  };
}

/** Of the operands that led to the result: of those that say so where it is true, of the others where it is false. */
function reasonsOf({ operator, result, criteria }: OperatorTrace): readonly Reason[] {
  const { inverted } = operators[operator];
  return criteria.filter((criterion) => (criterion.result !== inverted) === result).map(({ reason }) => reason);
}

function distinct(reasons: readonly Reason[]): readonly Reason[] {
  return [...new Set(reasons)];
}

function causeOf(
  decision: Explanation['verdict']['decision'],
  policies: readonly PolicyVerdict[],
  byDefault: boolean,
): Cause {
  const by = (verdict: PolicyVerdict | undefined, outcome?: Outcome): Cause | undefined =>
    verdict && {
      policy: verdict.policy,
      ...(outcome?.rule !== undefined && { rule: outcome.rule }),
      reasons: outcome?.reasons ?? [],
    };
  const first = (test: (verdict: PolicyVerdict) => Outcome | undefined): Cause | undefined => {
    const found = policies.find((verdict) => test(verdict) !== undefined);
    return by(found, found && test(found));
  };
  const nobody: Cause = { reasons: byDefault && decision === 'Login' ? ['user-unauthenticated'] : [] };
  if (decision === 'Allow') return first((one) => (grants(one) ? one.allow : undefined)) ?? nobody;
  const broken = by(policies.find((one) => one.broken !== undefined));
  if (broken !== undefined) return broken;
  const asked = decision === 'Login' ? first((one) => askingOutcome(one)) : undefined;
  return (
    asked ??
    first(({ deny }) => (deny?.result === true ? deny : undefined)) ??
    first(({ allow }) => (allow?.result === false ? allow : undefined)) ??
    nobody
  );
}

function askingOutcome({ allow, deny }: PolicyVerdict): Outcome | undefined {
  return [deny, allow].find((outcome) => outcome?.reasons.includes('user-unauthenticated') === true);
}

/** Whether an answer hung on who the person is, and there was nobody. */
export function asksWhoItIs(verdict: PolicyVerdict): boolean {
  return askingOutcome(verdict) !== undefined;
}

/** Mandatory policies can refuse, never grant. */
export function grants({ attachment, allow }: PolicyVerdict): boolean {
  return attachment !== 'Mandatory' && allow?.result === true;
}
