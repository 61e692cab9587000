// sessionAge: how long ago the session began, whenever the person last proved who they are.
import type { Criterion } from '../../model/criteria.ts';
import { parseDuration } from '../../model/duration.ts';
import { aboutPerson, truthOf } from '../truth.ts';
import type { Compiling, Judge } from '../truth.ts';

export function compileSessionAge(
  { under, over }: NonNullable<Criterion['sessionAge']>,
  { against }: Compiling,
): Judge | undefined {
  const text = under ?? over;
  if (text === undefined) return undefined;
  const limitMs = parseDuration(text);
  return aboutPerson(
    'session-age',
    (_, { session, now }) => {
      if (session === undefined) return against;
      const ageMs = now - session.startedAt;
      return truthOf(under === undefined ? ageMs >= limitMs : ageMs < limitMs);
    },
    (_, { session }) => session && new Date(session.startedAt).toISOString(),
  );
}
