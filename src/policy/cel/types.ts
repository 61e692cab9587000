// CEL's types, as far as they are known before an expression runs.
import type { Kind } from './values.ts';

/** `dyn` is known only at run time; `never` is what an empty list holds. */
export type Type =
  | Exclude<Kind, 'list' | 'map'>
  | 'dyn'
  | 'never'
  | { readonly list: Type }
  | { readonly map: Type; readonly key: Type };

/** Undefined: it may be of several. */
export function kindOfType(type: Type): Kind | undefined {
  if (type === 'dyn' || type === 'never') return undefined;
  if (typeof type === 'string') return type;
  return 'list' in type ? 'list' : 'map';
}

/** False: no value of the one type is ever equal to one of the other. */
export function mayEqual(one: Type, other: Type): boolean {
  const [left, right] = [kindOfType(one), kindOfType(other)];
  const isNumber = (kind: Kind | undefined): boolean => kind === 'int' || kind === 'double';
  return left === undefined || right === undefined || left === right || (isNumber(left) && isNumber(right));
}

/** What holds the values of both. */
export function join(one: Type, other: Type): Type {
  if (one === 'never') return other;
  if (other === 'never' || one === other) return one;
  if (typeof one === 'string' || typeof other === 'string') return 'dyn';
  if ('list' in one && 'list' in other) return { list: join(one.list, other.list) };
  if ('map' in one && 'map' in other) return { map: join(one.map, other.map), key: join(one.key, other.key) };
  return 'dyn';
}
