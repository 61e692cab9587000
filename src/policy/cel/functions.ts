// CEL's functions and operators: which kinds each takes, what it gives, and what it costs.
import { instant, parseDuration, parseTimestamp, secondsOf, span, writeDuration, writeTimestamp } from './time.ts';
import { binary, priced, unary } from './overloads.ts';
import type { Overload, Parameter } from './overloads.ts';
import { join } from './types.ts';
import { equals, Failure, keysOf, lookUp, overBudget, spend } from './values.ts';
import type { CelMap, Meter, Result, Value } from './values.ts';

/** Strings longer than this are not made: doubling one 20 times is a short expression. UTF-16 code units. */
const maxTextLength = 65_536;

function int(value: bigint): bigint | Failure {
  return BigInt.asIntN(64, value) === value ? value : new Failure('an int of more than 64 bits');
}

const divide = (call: (one: bigint, other: bigint) => bigint) => (one: bigint, other: bigint) =>
  other === 0n ? new Failure('a division by zero') : int(call(one, other));

/** Negative, zero or positive, as `one` is less than, equal to or more than `other`; NaN is none of them. */
function ordering(holds: (order: number) => boolean): readonly Overload[] {
  const order = (one: bigint | number | string, other: bigint | number | string): boolean =>
    holds(one < other ? -1 : one > other ? 1 : Number.isNaN(one) || Number.isNaN(other) ? NaN : 0);
  return [
    binary('int', 'int', 'bool', order),
    binary('double', 'double', 'bool', order),
    binary('int', 'double', 'bool', order),
    binary('double', 'int', 'bool', order),
    binary('string', 'string', 'bool', (one, other, meter) =>
      spend(meter, Math.min(one.length, other.length) >> 7) ? order(one, other) : overBudget,
    ),
    binary('timestamp', 'timestamp', 'bool', (one, other) => order(one.nanos, other.nanos)),
    binary('duration', 'duration', 'bool', (one, other) => order(one.nanos, other.nanos)),
    binary('bool', 'bool', 'bool', (one, other) => order(Number(one), Number(other))),
  ];
}

/** `holds` reads at most all of the shorter string. */
const textTest = (holds: (text: string, part: string) => boolean): Overload =>
  binary('string', 'string', 'bool', (text, part, meter) =>
    spend(meter, part.length >> 7) ? holds(text, part) : overBudget,
  );

/** What takes time with the length of the text, and makes one of that length. */
const textChange = (change: (text: string) => string): Overload =>
  unary('string', 'string', (text, meter) => (spend(meter, text.length * 2) ? change(text) : overBudget));

function concatenate(one: string, other: string, meter: Meter): Result {
  const length = one.length + other.length;
  if (length > maxTextLength) return new Failure(`a string of more than ${maxTextLength} characters`);
  return spend(meter, length >> 3) ? one + other : overBudget;
}

function concatenateLists(one: readonly Value[], other: readonly Value[], meter: Meter): Result {
  return spend(meter, one.length + other.length) ? [...one, ...other] : overBudget;
}

/** JavaScript searches in the product of the lengths where both are made for it: `aaab` in `aaaa…`. */
function contains(text: string, part: string, meter: Meter): Result {
  return spend(meter, Math.ceil((text.length * Math.min(part.length, text.length)) / 32))
    ? text.includes(part)
    : overBudget;
}

function countCharacters(text: string, meter: Meter): Result {
  if (!spend(meter, text.length >> 1)) return overBudget;
  let count = 0n;
  for (const _ of text) count += 1n;
  return count;
}

function splitText(text: string, separator: string, meter: Meter): Result {
  return spend(meter, text.length * 4 + separator.length) ? text.split(separator) : overBudget;
}

function isIn(value: Value, list: readonly Value[], meter: Meter): Result {
  if (typeof value === 'string') {
    // 10,000 groups are looked through in 20 µs. Strings are compared whole only where the length is the same.
    if (!spend(meter, (list.length >> 3) + list.length * (value.length >> 7))) return overBudget;
    return list.includes(value);
  }
  for (const one of list) {
    if (!spend(meter, 2)) return overBudget;
    const same = equals(value, one, meter);
    if (same !== false) return same;
  }
  return false;
}

const isKey = (kind: Parameter): Overload => binary(kind, 'map', 'bool', (key, map) => lookUp(map, key) !== undefined);

function countKeys(map: CelMap, meter: Meter): Result {
  if (map instanceof Map) return BigInt(map.size);
  const { length } = keysOf(map);
  return spend(meter, length * 4) ? BigInt(length) : overBudget;
}

function parseInt64(text: string): Result {
  return /^[+-]?\d{1,19}$/.test(text) ? int(BigInt(text.replace('+', ''))) : new Failure('a string that is no int');
}

function parseDouble(text: string): Result {
  const isOne = /^[+-]?(?:\d{1,64}(?:\.\d{0,64})?|\.\d{1,64})(?:[eE][+-]?\d{1,3})?$/.test(text);
  return isOne ? Number(text) : new Failure('a string that is no double');
}

function truncate(value: number): Result {
  return Math.abs(value) < 2 ** 63 ? BigInt(Math.trunc(value)) : new Failure('an int of more than 64 bits');
}

function parseBool(text: string): Result {
  if (['true', 'True', 'TRUE', 't', '1'].includes(text)) return true;
  return ['false', 'False', 'FALSE', 'f', '0'].includes(text) ? false : new Failure('a string that is no bool');
}

const sizes: readonly Overload[] = [
  unary('string', 'int', countCharacters),
  unary('list', 'int', (list) => BigInt(list.length)),
  unary('map', 'int', countKeys),
];

const ascii = (pattern: RegExp, change: (letters: string) => string) =>
  textChange((text) => text.replaceAll(pattern, change));

/** Operators and functions by the parser's names. */
export const functions: ReadonlyMap<string, readonly Overload[]> = new Map<string, readonly Overload[]>([
  [
    '_+_',
    [
      binary('int', 'int', 'int', (one, other) => int(one + other)),
      binary('double', 'double', 'double', (one, other) => one + other),
      binary('string', 'string', 'string', concatenate),
      binary('list', 'list', ([one = 'dyn', other = 'dyn']) => join(one, other), concatenateLists),
      priced(
        10,
        binary('timestamp', 'duration', 'timestamp', (one, other) => instant(one.nanos + other.nanos)),
      ),
      priced(
        10,
        binary('duration', 'timestamp', 'timestamp', (one, other) => instant(one.nanos + other.nanos)),
      ),
      priced(
        10,
        binary('duration', 'duration', 'duration', (one, other) => span(one.nanos + other.nanos)),
      ),
    ],
  ],
  [
    '_-_',
    [
      binary('int', 'int', 'int', (one, other) => int(one - other)),
      binary('double', 'double', 'double', (one, other) => one - other),
      priced(
        10,
        binary('timestamp', 'timestamp', 'duration', (one, other) => span(one.nanos - other.nanos)),
      ),
      priced(
        10,
        binary('timestamp', 'duration', 'timestamp', (one, other) => instant(one.nanos - other.nanos)),
      ),
      priced(
        10,
        binary('duration', 'duration', 'duration', (one, other) => span(one.nanos - other.nanos)),
      ),
    ],
  ],
  [
    '_*_',
    [
      binary('int', 'int', 'int', (one, other) => int(one * other)),
      binary('double', 'double', 'double', (one, other) => one * other),
    ],
  ],
  [
    '_/_',
    [
      binary(
        'int',
        'int',
        'int',
        divide((one, other) => one / other),
      ),
      binary('double', 'double', 'double', (one, other) => one / other),
    ],
  ],
  [
    '_%_',
    [
      binary(
        'int',
        'int',
        'int',
        divide((one, other) => one % other),
      ),
    ],
  ],
  ['-_', [unary('int', 'int', (one) => int(-one)), unary('double', 'double', (one) => -one)]],
  ['!_', [unary('bool', 'bool', (one) => !one)]],
  ['_<_', ordering((order) => order < 0)],
  ['_<=_', ordering((order) => order <= 0)],
  ['_>_', ordering((order) => order > 0)],
  ['_>=_', ordering((order) => order >= 0)],
  ['_==_', [binary('dyn', 'dyn', 'bool', equals)]],
  [
    '_!=_',
    [
      binary('dyn', 'dyn', 'bool', (one, other, meter) => {
        const same = equals(one, other, meter);
        return typeof same === 'boolean' ? !same : same;
      }),
    ],
  ],
  ['@in', [binary('dyn', 'list', 'bool', isIn), isKey('string'), isKey('int'), isKey('double'), isKey('bool')]],
  ['size', sizes],
  [
    'int',
    [
      unary('int', 'int', (one) => one),
      unary('double', 'int', truncate),
      priced(20, unary('string', 'int', parseInt64)),
      unary('timestamp', 'int', secondsOf),
    ],
  ],
  [
    'double',
    [
      unary('double', 'double', (one) => one),
      unary('int', 'double', Number),
      priced(30, unary('string', 'double', parseDouble)),
    ],
  ],
  ['bool', [unary('bool', 'bool', (one) => one), unary('string', 'bool', parseBool)]],
  [
    'string',
    [
      unary('string', 'string', (one) => one),
      unary('bool', 'string', String),
      priced(20, unary('int', 'string', String)),
      priced(30, unary('double', 'string', String)),
      priced(100, unary('timestamp', 'string', writeTimestamp)),
      priced(50, unary('duration', 'string', writeDuration)),
    ],
  ],
  [
    'timestamp',
    [unary('timestamp', 'timestamp', (one) => one), priced(150, unary('string', 'timestamp', parseTimestamp))],
  ],
  ['duration', [unary('duration', 'duration', (one) => one), priced(200, unary('string', 'duration', parseDuration))]],
  ['dyn', [unary('dyn', 'dyn', (one) => one)]],
]);

/** `one.name(other)`; the target is the first parameter. */
export const methods: ReadonlyMap<string, readonly Overload[]> = new Map<string, readonly Overload[]>([
  ['size', sizes],
  ['startsWith', [textTest((text, part) => text.startsWith(part))]],
  ['endsWith', [textTest((text, part) => text.endsWith(part))]],
  ['contains', [binary('string', 'string', 'bool', contains)]],
  ['lowerAscii', [ascii(/[A-Z]+/g, (letters) => letters.toLowerCase())]],
  ['upperAscii', [ascii(/[a-z]+/g, (letters) => letters.toUpperCase())]],
  ['split', [binary('string', 'string', { list: 'string' }, splitText)]],
]);
