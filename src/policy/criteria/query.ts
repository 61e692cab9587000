// query: a parameter of the query string.
import type { Criterion } from '../../model/criteria.ts';
import { compileSentTexts } from '../text.ts';
import { aboutRequest } from '../truth.ts';
import type { Compiling, Judge } from '../truth.ts';

export function compileQuery(
  { name, ...matcher }: NonNullable<Criterion['query']>,
  compiling: Compiling,
): Judge | undefined {
  const test = compileSentTexts(matcher, compiling);
  const valuesIn = (query: string): readonly string[] =>
    query === '' ? [] : new URLSearchParams(query).getAll(String(name));
  return (
    test &&
    aboutRequest(
      'query',
      ({ query, now }) => test(valuesIn(query), now),
      ({ query }) => valuesIn(query),
    )
  );
}
