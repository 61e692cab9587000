// A path by pattern and substitution: compiled once, in linear time, with a path's form checked by whoever uses the result.
import { compilePattern } from './pattern.ts';

/** `Unmatched`: the pattern says nothing of this path. `Error`: the path is too long to be judged by it. */
export type RewriteAnswer = { readonly path: string } | 'Unmatched' | 'Error';

export interface CompiledRewrite {
  readonly apply: (path: string) => RewriteAnswer;
}

export interface RewriteMistake {
  readonly of: 'Pattern' | 'Substitution';
  readonly mistake: string;
}

const substitutionLimit = 1024;

/** A pattern in RE2's syntax, of the whole path; `\1` to `\9` in the substitution are its groups. */
export function compileRewrite(pattern: string, substitution: string): CompiledRewrite | RewriteMistake {
  const compiled = compilePattern(pattern);
  if ('mistake' in compiled) return { of: 'Pattern', mistake: compiled.mistake };
  const parts = partsOf(substitution, compiled.groupCount);
  if (typeof parts === 'string') return { of: 'Substitution', mistake: parts };
  return {
    apply(path) {
      const groups = compiled.groups(path);
      if (groups === 'Error') return 'Error';
      if (groups === undefined) return 'Unmatched';
      return { path: parts.map((part) => (typeof part === 'number' ? (groups[part] ?? '') : part)).join('') };
    },
  };
}

/** Text, and the numbers of groups; or what is wrong with it. */
function partsOf(substitution: string, groupCount: number): readonly (string | number)[] | string {
  if (substitution.length > substitutionLimit) return `it is longer than ${substitutionLimit} characters`;
  if (!substitution.startsWith('/')) return 'it begins with /, as every path does';
  if (!/^[\x21\x24-\x3b\x3d\x40-\x7e]*$/.test(substitution))
    return 'it holds a character that no path holds, ? and # among them';
  const wrong = /\\(?![1-9])./.exec(`${substitution} `);
  if (wrong !== null) return 'a backslash stands before the number of a group, from \\1 to \\9';
  const parts = substitution.split(/\\([1-9])/).map((part, at) => (at % 2 === 1 ? Number(part) : part));
  const missing = parts.find((part) => typeof part === 'number' && part > groupCount);
  return missing === undefined ? parts : `the pattern has no group ${missing}: it has ${groupCount}`;
}
