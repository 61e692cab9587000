// user: the provider's own name for the person.
import type { StringMatcher } from '../../model/matchers.ts';
import { compileText } from '../text.ts';
import { aboutPerson } from '../truth.ts';
import type { Compiling, Judge } from '../truth.ts';

export function compileUser(matcher: StringMatcher, compiling: Compiling): Judge | undefined {
  const test = compileText(matcher, compiling);
  return (
    test &&
    aboutPerson(
      'user',
      ({ user }, { now }) => test(user, now),
      ({ user }) => user,
    )
  );
}
