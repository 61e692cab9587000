// claim: whatever else the provider said of the person, found by its path.
import type { Criterion } from '../../model/criteria.ts';
import type { Identity } from '../../model/identity.ts';
import { compileList, spelling } from '../list.ts';
import type { List } from '../list.ts';
import { aboutPerson } from '../truth.ts';
import type { Compiling, Judge } from '../truth.ts';

export function compileClaim(
  { path, ...matcher }: NonNullable<Criterion['claim']>,
  compiling: Compiling,
): Judge | undefined {
  const test = compileList(matcher, compiling);
  return (
    test &&
    aboutPerson(
      'claim',
      ({ claims }, { now }) => test(claimAt(claims, path), now),
      ({ claims }) => claimAt(claims, path),
    )
  );
}

/**
 * The claim at a path as a list, a single value being a list of one. Only own properties of objects are walked, so that
 * `constructor` is no claim, and neither is the `length` of a list. The objects of a list on the way are all looked into.
 */
function claimAt(claims: Identity['claims'], path: readonly string[]): List | undefined {
  let values: readonly unknown[] = [claims];
  for (const [depth, name] of path.entries()) {
    // Nothing was nested so far, which is nearly always.
    values = depth === 0 ? valuesUnder(claims, name) : values.flatMap((value) => valuesUnder(value, name));
    if (values.length === 0) return undefined;
  }
  const [first] = values;
  if (values.length === 1) return Array.isArray(first) ? first : spelling(first) === undefined ? undefined : [first];
  return values.flat();
}

function valuesUnder(value: unknown, name: string): readonly unknown[] {
  if (Array.isArray(value))
    return value.flatMap((element) => (Array.isArray(element) ? [] : valuesUnder(element, name)));
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return [];
  return [Object.getOwnPropertyDescriptor(value, name)?.value];
}
