// What the clock on the wall of a time zone shows at a moment.

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
 * Asking Intl costs some microseconds, so the offset is remembered for a quarter of an hour.
 * @throws {RangeError} where there is no such zone.
 */
export function wallClock(timezone: string): (now: number) => number {
  const format = new Intl.DateTimeFormat('en', {
    timeZone: timezone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  let slot = Number.NaN;
  let offsetMs = 0;
  return (now) => {
    const current = Math.floor(now / slotMs);
    if (current !== slot) {
      const second = Math.floor(now / 1000) * 1000;
      const parts = new Map(format.formatToParts(second).map(({ type, value }) => [type, Number(value)]));
      const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
      const shown = Date.UTC(
        part('year'),
        part('month') - 1,
        part('day'),
        part('hour'),
        part('minute'),
        part('second'),
      );
      offsetMs = shown - second;
      slot = current;
    }
    return now + offsetMs;
  };
}

/** `2026-12-24` or `2026-12-24T18:00` as wallClock would show it; undefined for one with an offset, or no date at all. */
export function localMoment(text: string): number | undefined {
  if (/(Z|[+-][0-9]{2}:[0-9]{2})$/.test(text.slice(10))) return undefined;
  return realMoment(text.length === 10 ? `${text}T00:00Z` : `${text}Z`);
}

/** Milliseconds since the epoch; undefined where there is no such day (2026-02-30). */
export function realMoment(text: string): number | undefined {
  const parsed = Date.parse(text);
  // JavaScript takes February 30 for March 2.
  const day = Number(text.slice(8, 10));
  const [year, month] = [Number(text.slice(0, 4)), Number(text.slice(5, 7))];
  return Number.isNaN(parsed) || day > new Date(Date.UTC(year, month, 0)).getUTCDate() ? undefined : parsed;
}

/** `HH:MM:SS`, milliseconds of the day. */
export function clockMs(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number);
  return ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

export const dayMs = 24 * 60 * 60_000;
