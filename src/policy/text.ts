// How a matcher of texts is compiled. Comparison is by code unit: no case folding, no normalisation.
import type { StringMatcher } from '../model/matchers.ts';
import { compileDataSet } from './data-set.ts';
import { compilePattern } from './pattern.ts';
import { failed, truthOf } from './truth.ts';
import type { Compiling, Truth } from './truth.ts';

/** `now` is there for data sets, which grow stale. */
export type TextTest = (text: string | undefined, now: number) => Truth;

/** Undefined where no operator is known here, or its value cannot be used. */
export function compileText(matcher: StringMatcher, compiling: Compiling): TextTest | undefined {
  const { is, not, in: oneOf, notIn, startsWith, endsWith, contains, matches, inDataSet, notInDataSet } = matcher;
  const { against } = compiling;
  if (is !== undefined) return (text) => truthOf(text === is);
  if (not !== undefined) return (text) => (text === undefined ? against : truthOf(text !== not));
  if (oneOf !== undefined) {
    const wanted = new Set(oneOf);
    return (text) => truthOf(text !== undefined && wanted.has(text));
  }
  if (notIn !== undefined) {
    const unwanted = new Set(notIn);
    return (text) => (text === undefined ? against : truthOf(!unwanted.has(text)));
  }
  if (startsWith !== undefined) return (text) => truthOf(text?.startsWith(startsWith) === true);
  if (endsWith !== undefined) return (text) => truthOf(text?.endsWith(endsWith) === true);
  if (contains !== undefined) return (text) => truthOf(text?.includes(contains) === true);
  if (matches !== undefined) return matching(matches, compiling);
  if (inDataSet !== undefined || notInDataSet !== undefined) {
    const inside = compileDataSet(inDataSet ?? notInDataSet ?? '', compiling);
    const wanted = inDataSet !== undefined;
    return (text, now) => {
      const set = inside(now);
      if (set === undefined) return against | failed;
      if (text === undefined) return wanted ? 0 : against;
      return truthOf(set.has(text) === wanted);
    };
  }
  return undefined;
}

function matching(pattern: string, { against }: Compiling): TextTest | undefined {
  const compiled = compilePattern(pattern);
  if ('mistake' in compiled) return undefined;
  return (text) => {
    if (text === undefined) return 0;
    const answer = compiled.ok(text);
    return answer === 'Error' ? against | failed : truthOf(answer);
  };
}

/** Whether what differs from its value meets it. */
export function isNegative({ not, notIn, notInDataSet }: StringMatcher): boolean {
  return not !== undefined || notIn !== undefined || notInDataSet !== undefined;
}

/** Of several values all must do, or one; no value is a missing one. */
export function compileTexts(
  matcher: StringMatcher,
  all: boolean,
  compiling: Compiling,
): ((texts: readonly string[], now: number) => Truth) | undefined {
  const test = compileText(matcher, compiling);
  if (test === undefined) return undefined;
  return (texts, now) => {
    if (texts.length === 0) return test(undefined, now);
    let truth: Truth = truthOf(all);
    for (const text of texts) {
      const one = test(text, now);
      if ((one & failed) !== 0) return one;
      if (all) truth &= one;
      else truth |= one;
    }
    return truth;
  };
}

/**
 * What a client may send several times under one name. Which of them an application reads nobody knows, so that the worst of
 * them counts: where truth lets in all must do, and where truth refuses one is enough.
 */
export function compileSentTexts(matcher: StringMatcher, compiling: Compiling): ReturnType<typeof compileTexts> {
  return compileTexts(matcher, compiling.against === 0, compiling);
}
