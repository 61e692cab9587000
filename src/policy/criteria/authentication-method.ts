// authenticationMethod: how the person signed in (amr, RFC 8176): a password, a second factor, a hardware key.
import { listOf } from '../../model/claim-value.ts';
import type { List } from '../../model/claim-value.ts';
import type { Identity } from '../../model/identity.ts';
import type { ListMatcher } from '../../model/matchers.ts';
import { compileList } from '../list.ts';
import { aboutPerson } from '../truth.ts';
import type { Compiling, Judge } from '../truth.ts';

export function compileAuthenticationMethod(matcher: ListMatcher, compiling: Compiling): Judge | undefined {
  const test = compileList(matcher, compiling);
  return (
    test &&
    aboutPerson(
      'authentication-method',
      (identity, { now }) => test(methodsOf(identity), now),
      (identity) => methodsOf(identity),
    )
  );
}

/** Some providers send a single one as a text, and a deny must not miss it. */
function methodsOf({ claims }: Identity): List | undefined {
  return Object.hasOwn(claims, 'amr') ? listOf(claims['amr']) : undefined;
}
