// timeOfDay: what the clock on the wall shows, in the policy's time zone.
import type { Criterion } from '../../model/criteria.ts';
import { aboutRequest, truthOf } from '../truth.ts';
import type { Judge } from '../truth.ts';
import { clockMs, dayMs, isTimezone, wallClock } from '../wall-clock.ts';

export function compileTimeOfDay({ after, before, timezone }: NonNullable<Criterion['timeOfDay']>): Judge | undefined {
  if (!isTimezone(timezone) || (after === undefined && before === undefined)) return undefined;
  const clock = wallClock(timezone);
  const from = after === undefined ? 0 : clockMs(after);
  const until = before === undefined ? dayMs : clockMs(before);
  const timeAt = (now: number): number => clock(now) % dayMs;
  return aboutRequest(
    'time-of-day',
    ({ now }) => {
      const time = timeAt(now);
      return truthOf(from <= until ? time >= from && time < until : time >= from || time < until);
    },
    ({ now }) => new Date(timeAt(now)).toISOString().slice(11, 19),
  );
}
