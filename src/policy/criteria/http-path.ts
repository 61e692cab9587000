// httpPath: the canonical path, which is also the one that is forwarded.
import type { StringMatcher } from '../../model/matchers.ts';
import { compileText } from '../text.ts';
import { aboutRequest } from '../truth.ts';
import type { Compiling, Judge } from '../truth.ts';

export function compileHttpPath(matcher: StringMatcher, compiling: Compiling): Judge | undefined {
  const test = compileText(matcher, compiling);
  return (
    test &&
    aboutRequest(
      'http-path',
      ({ path, now }) => test(path, now),
      ({ path }) => path,
    )
  );
}
