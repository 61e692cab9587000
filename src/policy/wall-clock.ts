// What the clock on the wall of a time zone shows at a moment, and the moment that a date in one means.

/** Zones change their clocks at multiples of this, in the years that a request can come from. */
const slotMs = 15 * 60_000;

/** Whether this machine knows the time zone. */
export function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/**
 * Milliseconds since the epoch, as if the zone were UTC: its date and time of day can be read off with UTC arithmetic.
 * Asking for the offset costs some microseconds, so it is remembered for a quarter of an hour.
 * @throws {RangeError} where there is no such zone.
 */
export function wallClock(timezone: string): (now: number) => number {
  let slot = Number.NaN;
  let offsetMs = 0;
  return (now) => {
    const current = Math.floor(now / slotMs);
    if (current !== slot) {
      const { offsetNanoseconds } = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(timezone);
      offsetMs = offsetNanoseconds / 1_000_000;
      slot = current;
    }
    return now + offsetMs;
  };
}

/**
 * Milliseconds since the epoch of `2026-12-24` (its first moment), `2026-12-24T18:00` in the zone, or one with an offset.
 * A local time that comes twice, when clocks are set back, is the first of them. Undefined: there is no such day.
 */
export function momentOf(text: string, timezone: string): number | undefined {
  const hasOffset = /(Z|[+-][0-9]{2}:[0-9]{2})$/.test(text.slice(10));
  try {
    const moment = hasOffset
      ? Temporal.Instant.from(text)
      : Temporal.PlainDateTime.from(text).toZonedDateTime(timezone, { disambiguation: 'compatible' });
    return moment.epochMilliseconds;
  } catch {
    return undefined;
  }
}

/** `HH:MM:SS`, milliseconds of the day. */
export function clockMs(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number);
  return ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

export const dayMs = 24 * 60 * 60_000;
