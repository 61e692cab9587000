// From the traces of an explanation back to outcomes and the decision, as the documentation words it: traces must not lie.
import type { DefaultAccess } from '../../src/model/policy.ts';
import type { Reason } from '../../src/model/reason.ts';
import type {
  CriterionTrace,
  Decision,
  Facts,
  OperatorTrace,
  PolicyExplanation,
  RuleTrace,
} from '../../src/model/verdict.ts';

interface Told {
  readonly value: boolean;
  readonly reasons: readonly Reason[];
}

/** Which criteria made an operator true, or false. */
function operatorFrom({ operator, criteria }: OperatorTrace): {
  readonly value: boolean;
  readonly by: readonly CriterionTrace[];
} {
  const [yes, no] = [criteria.filter(({ result }) => result), criteria.filter(({ result }) => !result)];
  if (operator === 'and') return no.length === 0 ? { value: true, by: yes } : { value: false, by: no };
  if (operator === 'or') return yes.length > 0 ? { value: true, by: yes } : { value: false, by: no };
  if (operator === 'not') return yes.length === 0 ? { value: true, by: no } : { value: false, by: yes };
  return no.length > 0 ? { value: true, by: no } : { value: false, by: yes };
}

function outcomeFrom(rules: readonly RuleTrace[], action: RuleTrace['action']): Told | undefined {
  const traced = rules.filter((rule) => rule.action === action);
  if (traced.length === 0) return undefined;
  const operators = traced.flatMap((rule) => rule.operators.map(operatorFrom));
  const value = operators.some((one) => one.value);
  const telling = operators.filter((one) => one.value === value);
  return { value, reasons: [...new Set(telling.flatMap(({ by }) => by.map(({ reason }) => reason)))].sort() };
}

/** Of a policy's enforced rules, of a policy in Audit all; and of all, where some of an enforced one are in Audit. */
export function outcomesFrom({ mode, rules, trial }: PolicyExplanation) {
  const both = (counted: readonly RuleTrace[]) => ({
    allow: outcomeFrom(counted, 'allow'),
    deny: outcomeFrom(counted, 'deny'),
  });
  return {
    ...both(mode === 'Audit' ? rules : rules.filter((rule) => rule.mode === 'Enforce')),
    ...(trial && { trial: both(rules) }),
  };
}

/** "The order of evaluation" of docs/policies.md, first that holds. Knows nothing of a sign-in's age. */
export function decisionFrom(
  policies: readonly PolicyExplanation[],
  defaultAccess: DefaultAccess,
  { identity }: Facts,
): Decision {
  if (policies.some(({ broken }) => broken !== undefined)) return 'Deny';
  const enforced = policies.filter(({ mode }) => mode === 'Enforce');
  const told = enforced.map((policy) => ({ grants: policy.attachment !== 'Mandatory', ...outcomesFrom(policy) }));
  const asks = (one: Told | undefined): boolean => one?.reasons.includes('user-unauthenticated') === true;
  const byDefault = defaultAccess === 'Authenticated' && policies.every(({ attachment }) => attachment === 'Mandatory');
  if (told.some(({ allow, deny }) => asks(allow) || asks(deny)) || (byDefault && identity === undefined))
    return 'Login';
  if (told.some(({ deny }) => deny?.value === true)) return 'Deny';
  if (told.some(({ allow }) => allow?.value === false)) return 'Deny';
  const isWorkload = identity?.serviceAccount !== undefined;
  if ((byDefault && !isWorkload) || told.some(({ grants, allow }) => grants && allow?.value === true)) return 'Allow';
  return 'Deny';
}
