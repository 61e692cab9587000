// httpMethod: the request method, in upper case.
import type { StringMatcher } from '../../model/matchers.ts';
import { compileText } from '../text.ts';
import { aboutRequest } from '../truth.ts';
import type { Compiling, Judge } from '../truth.ts';

export function compileHttpMethod(matcher: StringMatcher, compiling: Compiling): Judge | undefined {
  const test = compileText(matcher, compiling);
  return (
    test &&
    aboutRequest(
      'http-method',
      ({ method, now }) => test(method, now),
      ({ method }) => method,
    )
  );
}
