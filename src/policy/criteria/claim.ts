// claim: whatever else the provider said of the person, found by its path.
import { listOf } from '../../model/claim-value.ts';
import type { List } from '../../model/claim-value.ts';
import type { Criterion } from '../../model/criteria.ts';
import type { Identity } from '../../model/identity.ts';
import { compileList } from '../list.ts';
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
  let value: unknown = claims;
  for (let depth = 0; depth < path.length; depth += 1) {
    if (Array.isArray(value)) return claimsWithin(value, path.slice(depth));
    value = ownValue(value, path[depth] ?? '');
    if (value === undefined) return undefined;
  }
  return listOf(value);
}

function claimsWithin(list: List, path: readonly string[]): List | undefined {
  const found = list.flatMap((element) =>
    typeof element === 'object' && element !== null && !Array.isArray(element)
      ? (claimAt(element as Identity['claims'], path) ?? [])
      : [],
  );
  return found.length === 0 ? undefined : found;
}

function ownValue(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
