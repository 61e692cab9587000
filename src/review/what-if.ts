// A verdict where not everything is known: the engine's own, at best and at worst, and on what it hangs between the two.
import type { Criterion } from '../model/criteria.ts';
import type { Access, Operators, Policy, Rule } from '../model/policy.ts';
import type { Decision, Facts } from '../model/verdict.ts';
import { inForce, operators } from '../policy/compile.ts';
import { evaluate } from '../policy/evaluate.ts';
import { criteriaOfAccess, subjectsOf } from '../policy/subjects.ts';
import type { Subject } from '../policy/subjects.ts';

export interface Foreseen {
  /** Absent: it depends. */
  readonly decision?: Decision;
  /** What it hangs on; empty where it is decided. */
  readonly dependsOn: readonly Subject[];
}

/** Beyond it, all subjects that are asked for are named, whether or not each of them is decisive. */
const maxTried = 8;

/**
 * The verdict for every value that the unknown subjects could have. The criteria on each subject count as favourable, and
 * as unfavourable, in every combination: each stands in one place, and there it can only help or only harm. Two criteria
 * on one subject are taken to go together, and two that exclude each other to be able to hold: that may call a verdict
 * open that is not, and it says on what, so that a person looks.
 */
export function foresee(access: Access, facts: Facts, unknown: readonly Subject[]): Foreseen {
  const asked = unknown.filter((subject) => isAskedFor(access, subject));
  if (asked.length === 0) return { decision: evaluate(access, facts).decision, dependsOn: [] };
  const verdict = (favourable: readonly Subject[]): Decision =>
    evaluate(assume(access, new Set(asked), new Set(favourable)), facts).decision;
  const [best, worst] = [verdict(asked), verdict([])];
  if (best === worst) return { decision: best, dependsOn: [] };
  if (asked.length > maxTried) return { dependsOn: asked };
  // By a bit for each subject: whether it is favourable.
  const verdicts = Array.from({ length: 2 ** asked.length }, (_, bits) =>
    verdict(asked.filter((_, index) => (bits & (1 << index)) !== 0)),
  );
  return {
    dependsOn: asked.filter((_, index) => verdicts.some((one, bits) => one !== verdicts[bits ^ (1 << index)])),
  };
}

function isAskedFor(access: Access, subject: Subject): boolean {
  const policies = inForce(access.policies).filter(({ policy }) => policy.mode === 'Enforce');
  return criteriaOfAccess({ ...access, policies }).some((criterion) => subjectsOf(criterion).has(subject));
}

/** The same policies, with every criterion on an unknown subject replaced by what is assumed of it. */
function assume(access: Access, unknown: ReadonlySet<Subject>, favourable: ReadonlySet<Subject>): Access {
  const replace = (criterion: Criterion, helps: boolean): Criterion => {
    const subjects = [...subjectsOf(criterion)].filter((subject) => unknown.has(subject));
    if (subjects.length === 0) return criterion;
    const isFavourable = subjects.every((subject) => favourable.has(subject));
    return isFavourable === helps ? { accept: true } : { reject: true };
  };
  const policies = access.policies.map(({ policy, attachment }) => ({
    attachment,
    policy: { ...policy, rules: policy.rules.map((rule) => assumeRule(rule, replace)) } satisfies Policy,
  }));
  return { ...access, policies };
}

type Replace = (criterion: Criterion, helps: boolean) => Criterion;

function assumeRule({ allow, deny, ...rest }: Rule, replace: Replace): Rule {
  return {
    ...rest,
    ...(allow && { allow: assumeOperators(allow, true, replace) }),
    ...(deny && { deny: assumeOperators(deny, false, replace) }),
  };
}

/** @param admits Whether it helps the request where the whole holds. */
function assumeOperators(written: Operators, admits: boolean, replace: Replace): Operators {
  return Object.fromEntries(
    Object.entries(written).map(([name, criteria = []]) => {
      const helps = admits !== operators[name as keyof Operators].inverted;
      return [name, criteria.map((criterion) => replace(criterion, helps))];
    }),
  );
}
