// groups: the groups that the provider, or its directory, says the person is in.
import type { ListMatcher } from '../../model/matchers.ts';
import { compileList } from '../list.ts';
import { aboutPerson, failed } from '../truth.ts';
import type { Compiling, Judge } from '../truth.ts';

export function compileGroups(matcher: ListMatcher, compiling: Compiling): Judge | undefined {
  const test = compileList(matcher, compiling);
  const unknown = compiling.against | failed;
  return (
    test &&
    aboutPerson(
      'groups',
      ({ groups, groupsUnknown }, { now }) => (groupsUnknown === true ? unknown : test(groups, now)),
      ({ groups, groupsUnknown }) => (groupsUnknown === true ? { failed: 'the groups are not known' } : groups),
    )
  );
}
