// email: the address that the provider says it has verified.
import type { StringMatcher } from '../../model/matchers.ts';
import { compileText } from '../text.ts';
import { aboutPerson } from '../truth.ts';
import type { Compiling, Judge } from '../truth.ts';

export function compileEmail(matcher: StringMatcher, compiling: Compiling): Judge | undefined {
  const test = compileText(matcher, compiling);
  return (
    test &&
    aboutPerson(
      'email',
      ({ email }, { now }) => test(email, now),
      ({ email }) => email,
    )
  );
}
