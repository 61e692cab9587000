// date: the moment of the request.
import type { Criterion } from '../../model/criteria.ts';
import { aboutRequest, truthOf } from '../truth.ts';
import type { Judge } from '../truth.ts';
import { isTimezone, localMoment, realMoment, wallClock } from '../wall-clock.ts';

export function compileDate({ after, before, timezone }: NonNullable<Criterion['date']>): Judge | undefined {
  if (!isTimezone(timezone) || (after === undefined && before === undefined)) return undefined;
  const clock = wallClock(timezone);
  const isPast = (text: string): ((now: number) => boolean) | undefined => {
    const local = localMoment(text);
    if (local !== undefined) return (now) => clock(now) >= local;
    const real = realMoment(text);
    return real === undefined ? undefined : (now) => now >= real;
  };
  const begun = after === undefined ? () => true : isPast(after);
  const over = before === undefined ? () => false : isPast(before);
  if (begun === undefined || over === undefined) return undefined;
  return aboutRequest(
    'date',
    ({ now }) => truthOf(begun(now) && !over(now)),
    ({ now }) => new Date(clock(now)).toISOString().slice(0, 19),
  );
}
