// How a matcher of lists is compiled.
import { spelling } from '../model/claim-value.ts';
import type { List } from '../model/claim-value.ts';
import type { ListMatcher } from '../model/matchers.ts';
import { compileDataSet } from './data-set.ts';
import { failed, truthOf } from './truth.ts';
import type { Compiling, Truth } from './truth.ts';

/** From here on a Set costs less than a look at each element. */
const shortList = 16;

const membersOfList = new WeakMap<List, ReadonlySet<unknown>>();

/** A person may be in 10,000 groups: their Set is made once, and lives as long as the session's array. */
function membersOf(list: List): ReadonlySet<unknown> {
  let members = membersOfList.get(list);
  if (members === undefined) {
    members = new Set(list.map(spelling));
    membersOfList.set(list, members);
  }
  return members;
}

function listHas(list: List, wanted: string): boolean {
  if (list.length > shortList) return membersOf(list).has(wanted);
  for (const element of list) if (spelling(element) === wanted) return true;
  return false;
}

function shareOne(list: List, set: ReadonlySet<string>): boolean {
  if (list.length > shortList && set.size < list.length) return set.values().some((one) => membersOf(list).has(one));
  return list.some((element) => {
    const text = spelling(element);
    return text !== undefined && set.has(text);
  });
}

export type ListTest = (list: List | undefined, now: number) => Truth;

/** Undefined where no operator is known here. */
export function compileList(matcher: ListMatcher, compiling: Compiling): ListTest | undefined {
  const { has, is, exclude, hasAnyInDataSet, hasNoneInDataSet } = matcher;
  const { against } = compiling;
  if (has !== undefined) return (list) => truthOf(list !== undefined && listHas(list, has));
  if (is !== undefined) return (list) => truthOf(list?.length === 1 && listHas(list, is));
  if (exclude !== undefined) return (list) => (list === undefined ? against : truthOf(!listHas(list, exclude)));
  if (hasAnyInDataSet !== undefined || hasNoneInDataSet !== undefined) {
    const inside = compileDataSet(hasAnyInDataSet ?? hasNoneInDataSet ?? '', compiling);
    const wanted = hasAnyInDataSet !== undefined;
    return (list, now) => {
      const set = inside(now);
      if (set === undefined) return against | failed;
      if (list === undefined) return wanted ? 0 : against;
      return truthOf(shareOne(list, set) === wanted);
    };
  }
  return undefined;
}
