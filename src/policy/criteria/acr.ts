// acr: how strongly the person signed in, in the provider's own classes (OpenID Connect Core 1.0, section 2).
import { spelling } from '../../model/claim-value.ts';
import type { Identity } from '../../model/identity.ts';
import type { StringMatcher } from '../../model/matchers.ts';
import { compileText } from '../text.ts';
import { aboutPerson } from '../truth.ts';
import type { Compiling, Judge } from '../truth.ts';

export function compileAcr(matcher: StringMatcher, compiling: Compiling): Judge | undefined {
  const test = compileText(matcher, compiling);
  return (
    test &&
    aboutPerson(
      'acr',
      (identity, { now }) => test(acrOf(identity), now),
      (identity) => acrOf(identity),
    )
  );
}

function acrOf({ claims }: Identity): string | undefined {
  return Object.hasOwn(claims, 'acr') ? spelling(claims['acr']) : undefined;
}
