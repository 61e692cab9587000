// groups: the groups that the provider says the person is in.
import type { ListMatcher } from '../../model/matchers.ts';
import { compileList } from '../list.ts';
import { aboutPerson } from '../truth.ts';
import type { Compiling, Judge } from '../truth.ts';

export function compileGroups(matcher: ListMatcher, compiling: Compiling): Judge | undefined {
  const test = compileList(matcher, compiling);
  return (
    test &&
    aboutPerson(
      'groups',
      ({ groups }, { now }) => test(groups, now),
      ({ groups }) => groups,
    )
  );
}
