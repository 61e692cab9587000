// Criteria joined by "and" and "or" within each other, and the same laid out flat, as the operators of a rule hold them.
import type { Criterion } from '../../model/criteria.ts';

export type Join = 'all' | 'any';

export type Formula = { readonly criterion: Criterion } | { readonly join: Join; readonly of: readonly Formula[] };

/** Joined by `outer`; the criteria of a clause are joined by the other one. */
export type Clauses = readonly (readonly Criterion[])[];

/** Whoever writes so many means something else; the distributive law makes that of a dozen criteria with two matchers each. */
const maxClauses = 1024;

/** The disjunctive (`any`) or conjunctive (`all`) normal form; undefined where it has more than 1,024 clauses. */
export function layOut(formula: Formula, outer: Join): Clauses | undefined {
  if ('criterion' in formula) return [[formula.criterion]];
  let clauses: Clauses = formula.join === outer ? [] : [[]];
  for (const one of formula.of) {
    const added = layOut(one, outer);
    if (added === undefined) return undefined;
    const length = formula.join === outer ? clauses.length + added.length : clauses.length * added.length;
    if (length > maxClauses) return undefined;
    clauses =
      formula.join === outer
        ? [...clauses, ...added]
        : clauses.flatMap((clause) => added.map((more) => [...clause, ...more]));
  }
  return clauses;
}
