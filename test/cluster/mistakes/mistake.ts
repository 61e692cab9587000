// What a row of the tables of mistakes is.

/** A mistake that a person could make, beside what they meant. Specs are YAML. */
export interface Mistake {
  readonly mistake: string;
  readonly wrong: string;
  /** The object spelt as it was meant; where the mistake is what they meant, the nearest thing that can be said. */
  readonly right: string;
  /** What kubectl must say: the field, and what is wanted there. */
  readonly says: RegExp;
}

/** A row; a table is easier to read without the names of its columns. */
export function mistake(name: string, wrong: string, right: string, says: RegExp): Mistake {
  return { mistake: name, wrong, right, says };
}
