// serviceAccount: the Kubernetes workload that asks, as its own token names it.
import type { StringMatcher } from '../../model/matchers.ts';
import { compileText } from '../text.ts';
import { aboutPerson } from '../truth.ts';
import type { Compiling, Judge } from '../truth.ts';

/** A person is no workload: for them the matcher sees a missing value. */
export function compileServiceAccount(matcher: StringMatcher, compiling: Compiling): Judge | undefined {
  const test = compileText(matcher, compiling);
  return (
    test &&
    aboutPerson(
      'service-account',
      ({ serviceAccount }, { now }) => test(serviceAccount, now),
      ({ serviceAccount }) => serviceAccount,
    )
  );
}
