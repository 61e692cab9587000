// CEL's values at run time, what kind each is, when two are equal, and what an evaluation may cost.

/** A point in time. */
export class Instant {
  /** Since the epoch. */
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** A duration. */
export class Span {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** Why an expression has no value. It is a value itself, so that `||` and `&&` can pass over it, and costs no stack trace. */
export class Failure {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/** A CEL int is a bigint and a double a number. JSON is taken as it is: its numbers are doubles, its objects maps. */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Instant
  | Span
  | readonly Value[]
  | ReadonlyMap<string | bigint | boolean, Value>
  | { readonly [key: string]: Value };
export type CelMap = Exclude<Value, null | boolean | bigint | number | string | Instant | Span | readonly Value[]>;
export type Result = Value | Failure;

/** What is left to spend, in steps of about 10 ns. */
export interface Meter {
  left: number;
}

export const overBudget = new Failure('it costs too much');

/** False: there is not so much left. Nothing may be done then, and whoever runs the expression will say that it failed. */
export function spend(meter: Meter, steps: number): boolean {
  meter.left -= steps;
  return meter.left >= 0;
}

/** A failure with a message of its own takes 100 ns to word. */
export function fail(meter: Meter, message: string): Failure {
  return spend(meter, 20) ? new Failure(message) : overBudget;
}

export type Kind = 'null' | 'bool' | 'int' | 'double' | 'string' | 'timestamp' | 'duration' | 'list' | 'map';

export function kindOf(value: Value): Kind {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    default:
      if (value === null) return 'null';
      if (value instanceof Instant) return 'timestamp';
      if (value instanceof Span) return 'duration';
      return Array.isArray(value) ? 'list' : 'map';
  }
}

export const isList = (value: Result): value is readonly Value[] => Array.isArray(value);
export const isMap = (value: Result): value is CelMap => !(value instanceof Failure) && kindOf(value) === 'map';

/** The value at a key, never one inherited from a prototype; undefined: there is none. */
export function lookUp(map: CelMap, key: Value): Value | undefined {
  const plain = typeof key === 'number' && Number.isInteger(key) ? BigInt(key) : key;
  if (map instanceof Map) return map.get(plain);
  return typeof plain === 'string' && Object.hasOwn(map, plain)
    ? (map as Readonly<Record<string, Value>>)[plain]
    : undefined;
}

/** Listing the keys of an object takes 100 ns each, and a loop would ask for them again; claims and data sets do not change. */
const keysOfObjects = new WeakMap<CelMap, readonly string[]>();

export function keysOf(map: CelMap): readonly (string | bigint | boolean)[] {
  if (map instanceof Map) return [...map.keys()];
  const known = keysOfObjects.get(map);
  if (known !== undefined) return known;
  const keys = Object.keys(map);
  keysOfObjects.set(map, keys);
  return keys;
}

const maxDepth = 64;

/** CEL's equality: numbers across their kinds, lists and maps by what is in them. Comparing much costs much. */
export function equals(left: Value, right: Value, meter: Meter, depth = 0): boolean | Failure {
  // A claim may be nested deeper than the stack.
  if (depth > maxDepth) return new Failure('a value is nested too deeply');
  if (left === right) return !(typeof left === 'number' && Number.isNaN(left));
  if (typeof left === 'string' || typeof right === 'string') {
    // Only strings of one length are read, 128 characters a step.
    if (typeof left === 'string' && typeof right === 'string' && left.length === right.length) {
      if (!spend(meter, left.length >> 7)) return overBudget;
    }
    return false;
  }
  if (isNumber(left) && isNumber(right)) {
    // The one comparison of JavaScript that takes a bigint and a number for what they are.
    return !(left < right) && !(left > right) && !Number.isNaN(left) && !Number.isNaN(right);
  }
  if (left instanceof Instant) return right instanceof Instant && left.nanos === right.nanos;
  if (left instanceof Span) return right instanceof Span && left.nanos === right.nanos;
  if (isList(left)) return isList(right) && equalLists(left, right, meter, depth + 1);
  return isMap(left) && isMap(right) && equalMaps(left, right, meter, depth + 1);
}

function isNumber(value: Value): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number';
}

function equalLists(left: readonly Value[], right: readonly Value[], meter: Meter, depth: number): boolean | Failure {
  if (left.length !== right.length) return false;
  for (const [index, one] of left.entries()) {
    if (!spend(meter, 2)) return overBudget;
    const same = equals(one, right[index] ?? null, meter, depth);
    if (same !== true) return same;
  }
  return true;
}

function equalMaps(left: CelMap, right: CelMap, meter: Meter, depth: number): boolean | Failure {
  const keys = keysOf(left);
  // Listing the keys of an object has cost this much already.
  if (!spend(meter, keys.length * 4)) return overBudget;
  if (keys.length !== keysOf(right).length) return false;
  for (const key of keys) {
    const other = lookUp(right, key);
    if (other === undefined) return false;
    const same = equals(lookUp(left, key) ?? null, other, meter, depth);
    if (same !== true) return same;
  }
  return true;
}
