// date: the moment of the request.
import type { Criterion } from '../../model/criteria.ts';
import { aboutRequest, truthOf } from '../truth.ts';
import type { Judge } from '../truth.ts';
import { isTimezone, momentOf, wallClock } from '../wall-clock.ts';

/** Both sides are moments, not what a clock shows: an hour that comes twice must not end what has begun. */
export function compileDate({ after, before, timezone }: NonNullable<Criterion['date']>): Judge | undefined {
  if (!isTimezone(timezone) || (after === undefined && before === undefined)) return undefined;
  const from = after === undefined ? -Infinity : momentOf(after, timezone);
  const until = before === undefined ? Infinity : momentOf(before, timezone);
  if (from === undefined || until === undefined) return undefined;
  const clock = wallClock(timezone);
  return aboutRequest(
    'date',
    ({ now }) => truthOf(now >= from && now < until),
    ({ now }) => new Date(clock(now)).toISOString().slice(0, 19),
  );
}
