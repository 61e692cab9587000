// A verdict where not everything is known: the engine's own at best and at worst, and on what it hangs between the two.
import type { Criterion } from '../model/criteria.ts';
import type { Access, Operators, Rule } from '../model/policy.ts';
import type { Decision, Facts } from '../model/verdict.ts';
import { inForce, operators } from '../policy/compile.ts';
import { evaluate } from '../policy/evaluate.ts';
import { criteriaOf } from '../policy/placed.ts';
import { subjectsOf } from '../policy/subjects.ts';
import type { Subject } from '../policy/subjects.ts';

export interface Foreseen {
  /** Absent: it depends. */
  readonly decision?: Decision;
  /** What it hangs on; empty where it is decided. */
  readonly dependsOn: readonly Subject[];
}

/** A criterion that cannot be judged, and the side on which it stands. */
interface Open {
  readonly key: string;
  readonly subjects: readonly Subject[];
}

/** Beyond it, all that the open criteria look at is named, whether or not each of them is decisive. */
const maxTried = 8;

/**
 * The verdict for every value that the unknown subjects could have. Each criterion on one of them counts as favourable and
 * as unfavourable, in every combination: where it stands it can only help or only harm. That two of them may exclude each
 * other is not looked at, so a verdict may be called open that is not; one that is decided is that of every request.
 */
export function foresee(access: Access, facts: Facts, unknown: readonly Subject[]): Foreseen {
  const open = openCriteria(access, unknown);
  if (open.length === 0) return { decision: evaluate(access, facts).decision, dependsOn: [] };
  const verdict = (favourable: readonly Open[]): Decision =>
    evaluate(assume(access, open, new Set(favourable.map(({ key }) => key))), facts).decision;
  const [best, worst] = [verdict(open), verdict([])];
  if (best === worst) return { decision: best, dependsOn: [] };
  const decisive = new Set((open.length > maxTried ? open : decisiveOf(open, verdict)).flatMap((one) => one.subjects));
  return { dependsOn: unknown.filter((subject) => decisive.has(subject)) };
}

/** Those that change the verdict under some assumption about the others. */
function decisiveOf(open: readonly Open[], verdict: (favourable: readonly Open[]) => Decision): readonly Open[] {
  // By a bit for each criterion: whether it is favourable.
  const verdicts = Array.from({ length: 2 ** open.length }, (_, bits) =>
    verdict(open.filter((_, index) => (bits & (1 << index)) !== 0)),
  );
  return open.filter((_, index) => verdicts.some((one, bits) => one !== verdicts[bits ^ (1 << index)]));
}

function openCriteria(access: Access, unknown: readonly Subject[]): readonly Open[] {
  const enforced = inForce(access.policies).filter(({ policy }) => policy.mode === 'Enforce');
  const rules = enforced.flatMap(({ policy }) => policy.rules).filter(({ mode }) => mode !== 'Audit');
  const found = new Map<string, Open>();
  for (const { criterion, refuses } of criteriaOf(rules)) {
    const looksAt = subjectsOf(criterion);
    const subjects = unknown.filter((subject) => looksAt.has(subject));
    const key = keyOf(criterion, !refuses);
    if (subjects.length > 0) found.set(key, { key, subjects });
  }
  return [...found.values()];
}

function keyOf(criterion: Criterion, helps: boolean): string {
  return `${helps} ${JSON.stringify(criterion)}`;
}

type Replace = (criterion: Criterion, helps: boolean) => Criterion;

/** The same policies, with every open criterion replaced by what is assumed of it. */
function assume(access: Access, open: readonly Open[], favourable: ReadonlySet<string>): Access {
  const keys = new Set(open.map(({ key }) => key));
  const replace: Replace = (criterion, helps) => {
    const key = keyOf(criterion, helps);
    if (!keys.has(key)) return criterion;
    return favourable.has(key) === helps ? { accept: true } : { reject: true };
  };
  const policies = access.policies.map(({ policy, attachment }) => ({
    attachment,
    policy: { ...policy, rules: policy.rules.map((rule) => assumeRule(rule, replace)) },
  }));
  return { ...access, policies };
}

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
