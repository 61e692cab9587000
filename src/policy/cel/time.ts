// CEL's timestamps and durations: how they are written, and what they are made of in a time zone.
import { Failure, Instant, Span } from './values.ts';

const nanosPerSecond = 1_000_000_000n;
const earliest = -62_135_596_800n * nanosPerSecond;
const latest = 253_402_300_800n * nanosPerSecond - 1n;
const longest = 9_223_372_036_854_775_807n;

export function instant(nanos: bigint): Instant | Failure {
  return nanos < earliest || nanos > latest
    ? new Failure('a timestamp outside the years 1 to 9999')
    : new Instant(nanos);
}

export function span(nanos: bigint): Span | Failure {
  return nanos < -longest || nanos > longest ? new Failure('a duration of more than 292 years') : new Span(nanos);
}

/** RFC 3339. */
export function parseTimestamp(text: string): Instant | Failure {
  const failure = new Failure('a timestamp is written like 2026-01-31T09:00:00Z');
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!parts) return failure;
  const [, whole = '', fraction = '', zone = ''] = parts;
  const local = Date.parse(`${whole}Z`);
  const offset = zone === 'Z' ? 0 : offsetOf(zone);
  // Date takes 31 February for 3 March.
  if (Number.isNaN(local) || offset === undefined || !new Date(local).toISOString().startsWith(whole)) return failure;
  return instant(BigInt(local - offset) * 1_000_000n + BigInt(fraction.padEnd(9, '0')));
}

/** Milliseconds. */
function offsetOf(zone: string): number | undefined {
  const parts = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  const [hours, minutes] = [Number(parts?.[2]), Number(parts?.[3])];
  if (!parts || hours > 23 || minutes > 59) return undefined;
  return (parts[1] === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

const nanosOfUnit: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  ms: 1_000_000n,
  s: nanosPerSecond,
  m: 60n * nanosPerSecond,
  h: 3600n * nanosPerSecond,
};

/** Like `1h30m` or `-1.5s`. */
export function parseDuration(text: string): Span | Failure {
  if (text.length > 64 || !/^[+-]?(?:0|(?:\d+(?:\.\d+)?(?:ns|us|ms|s|m|h))+)$/.test(text)) {
    return new Failure('a duration is written like 1h30m or 90s');
  }
  let nanos = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(/(\d+)(?:\.(\d+))?(ns|us|ms|s|m|h)/g)) {
    const of = nanosOfUnit[unit] ?? 0n;
    nanos += BigInt(whole) * of + (BigInt(fraction || 0) * of) / 10n ** BigInt(fraction.length);
  }
  return span(text.startsWith('-') ? -nanos : nanos);
}

export function writeTimestamp({ nanos }: Instant): string {
  const fraction = ((nanos % nanosPerSecond) + nanosPerSecond) % nanosPerSecond;
  const whole = new Date(Number((nanos - fraction) / 1_000_000n)).toISOString().slice(0, 19);
  return `${whole}${writeFraction(fraction)}Z`;
}

export function writeDuration({ nanos }: Span): string {
  const length = nanos < 0n ? -nanos : nanos;
  return `${nanos < 0n ? '-' : ''}${length / nanosPerSecond}${writeFraction(length % nanosPerSecond)}s`;
}

/** In groups of three digits, as protobuf's JSON has it. */
function writeFraction(nanos: bigint): string {
  if (nanos === 0n) return '';
  return `.${nanos
    .toString()
    .padStart(9, '0')
    .replace(/(?:000){1,2}$/, '')}`;
}

/** Seconds since the epoch, or of a duration. */
export const secondsOf = ({ nanos }: Instant | Span): bigint => {
  const seconds = nanos / nanosPerSecond;
  return nanos < 0n && nanos % nanosPerSecond !== 0n ? seconds - 1n : seconds;
};

/** What is read of a timestamp: months and days count from 0, but getDate's from 1; a week begins on Sunday. */
export const partsOfTimestamp: Readonly<Record<string, (date: Date) => number>> = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDate: (date) => date.getUTCDate(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDayOfWeek: (date) => date.getUTCDay(),
  getDayOfYear: (date) => Math.floor((date.getTime() - new Date(date).setUTCMonth(0, 1)) / 86_400_000),
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
  getMilliseconds: (date) => date.getUTCMilliseconds(),
};

export const partsOfDuration: Readonly<Record<string, (length: Span) => bigint>> = {
  getHours: ({ nanos }) => nanos / (3600n * nanosPerSecond),
  getMinutes: ({ nanos }) => nanos / (60n * nanosPerSecond),
  getSeconds: ({ nanos }) => nanos / nanosPerSecond,
  getMilliseconds: ({ nanos }) => (nanos % nanosPerSecond) / 1_000_000n,
};

export type Zone = (instant: Instant) => Date;

export const utc: Zone = ({ nanos }) =>
  new Date(Number((nanos - (((nanos % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n));

/**
 * A date whose UTC fields are the zone's clock. The formatter is made once: making one takes 50 µs, and it is why a zone
 * must be written out. Undefined: there is no such zone.
 */
export function zoneOf(name: string): Zone | undefined {
  const offset = offsetOf(name);
  if (offset !== undefined) return (instant) => new Date(utc(instant).getTime() + offset);
  if (!/^[A-Za-z][\w+/-]*$/.test(name)) return undefined;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: name, ...clock });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
  return (instant) => {
    const date = utc(instant);
    const part = Object.fromEntries(format.formatToParts(date).map(({ type, value }) => [type, Number(value)]));
    const local = new Date(0);
    local.setUTCFullYear(part['year'] ?? 0, (part['month'] ?? 1) - 1, part['day'] ?? 1);
    local.setUTCHours(part['hour'] ?? 0, part['minute'] ?? 0, part['second'] ?? 0, date.getUTCMilliseconds());
    return local;
  };
}

const clock = {
  calendar: 'gregory',
  numberingSystem: 'latn',
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
} as const;
