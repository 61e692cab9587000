// Every criterion of a policy with the place where it stands.
import type { Criterion } from '../model/criteria.ts';
import type { Rule } from '../model/policy.ts';

export type Path = readonly (string | number)[];

export interface Placed {
  /** From `rules` on. */
  readonly path: Path;
  /** Whether somebody is kept out where the criterion holds: in a deny, or inverted in an allow. */
  readonly refuses: boolean;
  readonly criterion: Criterion;
}

export function* criteriaOf(rules: readonly Rule[]): Generator<Placed> {
  for (const [index, rule] of rules.entries()) {
    for (const action of ['allow', 'deny'] as const) {
      for (const [operator, criteria = []] of Object.entries(rule[action] ?? {})) {
        const refuses = (action === 'deny') !== (operator === 'not' || operator === 'nor');
        for (const [place, criterion] of criteria.entries()) {
          yield { path: ['rules', index, action, operator, place], refuses, criterion };
        }
      }
    }
  }
}

/** A text that a matcher compares with, and where it stands. */
export interface Compared {
  readonly path: Path;
  readonly operator: string;
  readonly text: string;
  /** Whether it is met by what differs from the text. */
  readonly negative: boolean;
}

const negatives: ReadonlySet<string> = new Set(['not', 'notIn', 'notInDataSet', 'exclude', 'hasNoneInDataSet']);

/** Every text of a matcher that stands under `name`; of the operators named, or of all. */
export function comparedIn(name: string, matcher: object | undefined, only?: readonly string[]): readonly Compared[] {
  return Object.entries(matcher ?? {})
    .filter(([operator]) => only === undefined || only.includes(operator))
    .flatMap(([operator, value]: [string, unknown]) => {
      const negative = negatives.has(operator);
      if (typeof value === 'string') return [{ path: [name, operator], operator, text: value, negative }];
      if (!Array.isArray(value)) return [];
      return value
        .filter((text) => typeof text === 'string')
        .map((text, index) => ({ path: [name, operator, index], operator, text, negative }));
    });
}
