// dayOfWeek: which day it is, in the policy's time zone.
import type { Criterion, Weekday } from '../../model/criteria.ts';
import { aboutRequest, truthOf } from '../truth.ts';
import type { Judge } from '../truth.ts';
import { dayMs, isTimezone, wallClock } from '../wall-clock.ts';

// The epoch was a Thursday.
const days = [
  'Thursday',
  'Friday',
  'Saturday',
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
] as const satisfies Weekday[];

export function compileDayOfWeek({ in: wanted, timezone }: NonNullable<Criterion['dayOfWeek']>): Judge | undefined {
  if (!isTimezone(timezone)) return undefined;
  const clock = wallClock(timezone);
  const dayAt = (now: number) => days[Math.floor(clock(now) / dayMs) % days.length] ?? 'Thursday';
  const among: ReadonlySet<Weekday> = new Set(wanted);
  return aboutRequest(
    'day-of-week',
    ({ now }) => truthOf(among.has(dayAt(now))),
    ({ now }) => dayAt(now),
  );
}
