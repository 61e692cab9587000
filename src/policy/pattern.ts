// Regular expressions in linear time, by re2js, each within a limit on what it may cost.
import { RE2JS, RE2JSException } from 're2js';

/** `Error`: the text is too long for this pattern, and nothing can be said about it. */
export type PatternAnswer = boolean | 'Error';

export interface Pattern {
  readonly ok: (text: string) => PatternAnswer;
  /** The most that judging a text of this length takes, in steps of the compiled program. */
  readonly work: (length: number) => number;
  readonly groupCount: number;
  /** What each group held where the whole text matches, at 0 all of it; `undefined` where it does not. */
  readonly groups: (text: string) => readonly (string | undefined)[] | undefined | 'Error';
}

/** Longer patterns are lists, and lists have criteria of their own. */
const maxPatternLength = 1024;

/** Steps of the compiled program: `[a-z]{1,64}` has about 128. */
const maxSize = 1024;

/** No path, header or claim that is worth a pattern is longer. */
const maxTextLength = 8192;

/**
 * Linear is not fast: one character costs up to the whole program. This is the most that steps times characters may be:
 * 64 characters for the largest program, all 8192 for those of 8 steps. Four times as much took 20 ms
 * (bench/policy-hostile.ts has what it takes now).
 */
const maxWork = 65_536;

/**
 * Of re2js' automaton, in the bytes that it estimates. By itself it keeps 8 MiB for each pattern and spends 200 ms on filling them for
 * `[ab]*a[ab]{400}`; with less it turns to its backtracker, whose time is steps times characters.
 */
const maxAutomatonBytes = 32_768;

/** A Unicode class is 650 ranges: \pL{1000} took 50 ms to compile. */
const unicodeClassSize = 16;

/**
 * Compiles a pattern in RE2's syntax: no lookaround and no references back, or time could not be linear. `Whole` wants the
 * text to match from beginning to end; `Part`, as CEL's `matches` has it, is content with a match anywhere.
 */
export function compilePattern(
  text: string,
  extent: 'Whole' | 'Part' = 'Whole',
): Pattern | { readonly mistake: string } {
  const mistake = mistakeBeforeCompiling(text);
  if (mistake !== undefined) return { mistake };
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(text);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return { mistake: error.message.replace(/^error parsing regexp: /, '') };
  }
  const size = compiled.programSize();
  if (size > maxSize) return { mistake: tooLarge };
  const automaton = compiled.re2().dfa;
  automaton.stateBudget = maxAutomatonBytes;
  automaton.memBudget = maxAutomatonBytes;
  const longest = Math.min(maxTextLength, Math.floor(maxWork / size));
  const matches =
    extent === 'Whole' ? (value: string) => compiled.testExact(value) : (value: string) => compiled.test(value);
  return {
    ok: (value) => (value.length > longest ? 'Error' : matches(value)),
    work: (length) => (length > longest ? 0 : length * size),
    groupCount: compiled.groupCount(),
    groups: (value) => (value.length > longest ? 'Error' : groupsOf(compiled, value)),
  };
}

function groupsOf(compiled: RE2JS, text: string): readonly (string | undefined)[] | undefined {
  const matcher = compiled.matcher(text);
  if (!matcher.matches()) return undefined;
  return Array.from({ length: compiled.groupCount() + 1 }, (_, group) => matcher.group(group) ?? undefined);
}

const tooLarge = `it is too large: with its repetitions written out it has more than ${maxSize} steps`;

function mistakeBeforeCompiling(text: string): string | undefined {
  if (text.length > maxPatternLength) return `it is longer than ${maxPatternLength} characters`;
  // Each character of a range is folded by itself: `(?i)[\x{42}-\x{1E942}]` has 125,000 of them.
  if (/\(\?[a-zA-Z-]*i/.test(text) && /[^ -~]|\\[pP]|\\x\{/.test(text)) {
    return 'only ASCII can be compared without regard to case (?i)';
  }
  return sizeOf(text) > maxSize ? tooLarge : undefined;
}

/**
 * About how many steps a pattern has with its repetitions written out: compiling `a{1000}` 140 times in a row first took
 * 600 ms to find that out. What it gets wrong re2js refuses afterwards.
 */
function sizeOf(text: string): number {
  const outer: number[] = [];
  let total = 0;
  let last = 0;
  for (const [part] of text.matchAll(partPattern)) {
    const counts = /^\{(\d+)(,?)(\d*)\}$/.exec(part);
    if (counts) {
      const times = counts[3] === '' ? Number(counts[1]) + (counts[2] === '' ? 0 : 1) : Number(counts[3]);
      total += last * Math.max(0, times - 1);
      last *= times;
    } else if (part === '(') {
      outer.push(total);
      total = 0;
      last = 0;
    } else if (part === ')') {
      last = total + 2;
      total = (outer.pop() ?? 0) + last;
    } else {
      const unicode = part.match(/\\[pP]/g)?.length ?? 0;
      last = 1 + unicode * unicodeClassSize + Math.floor(part.length / 16);
      total += last;
    }
  }
  return outer.reduce((sum, one) => sum + one, total);
}

/** A count, a class, an escape, or any one character. */
const partPattern = /\{\d+(?:,\d*)?\}|\[\]?(?:\\[^]|\[:\w+:\]|[^\]\\])*\]|\\[pPx]\{[^}]*\}|\\[pP][^]|\\[^]|[^]/g;
