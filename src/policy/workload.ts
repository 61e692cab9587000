// What an allow that speaks of people says of a workload of the cluster: nothing in its favour.
import type { Criterion } from '../model/criteria.ts';
import { subjectsOf } from './subjects.ts';
import type { Judge, Truth } from './truth.ts';

/**
 * Every pod there is can have a token, and a policy that wants "no contractor" means people. So what an allow asks about a
 * person counts against a workload, whatever the matcher, save what speaks of it: `serviceAccount`, and a claim where it is
 * asked for and not excluded. A deny is left as it is, where what a workload lacks counts against it already.
 */
export function forPeople(criterion: Criterion, judge: Judge, against: Truth): Judge {
  const subjects = subjectsOf(criterion);
  const isAboutPerson = subjects.has('identity') || subjects.has('session');
  const isAboutWorkload = criterion.serviceAccount !== undefined || (criterion.claim !== undefined && against === 0);
  if (!isAboutPerson || isAboutWorkload) return judge;
  const { judge: ask } = judge;
  return { ...judge, judge: (facts) => (facts.identity?.serviceAccount === undefined ? ask(facts) : against) };
}
