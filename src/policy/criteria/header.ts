// header: a request header, which is the client's word and nobody else's.
import type { Criterion } from '../../model/criteria.ts';
import { compileSentTexts } from '../text.ts';
import { aboutRequest } from '../truth.ts';
import type { Compiling, Judge } from '../truth.ts';

/** Explanations are read by people, and these let whoever reads them be somebody else. */
const credentials: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization']);

export function compileHeader(
  { name, ...matcher }: NonNullable<Criterion['header']>,
  compiling: Compiling,
): Judge | undefined {
  const test = compileSentTexts(matcher, compiling);
  const key = String(name).toLowerCase();
  return (
    test &&
    aboutRequest(
      'header',
      ({ headers, now }) => test(headers.get(key) ?? [], now),
      ({ headers }) => (credentials.has(key) && headers.has(key) ? '[redacted]' : headers.get(key)),
    )
  );
}
