// authenticatedWithin: the person proved who they are a short while ago.
import { parseDuration } from '../../model/duration.ts';
import { aboutPerson, truthOf } from '../truth.ts';
import type { Judge } from '../truth.ts';

export function compileAuthenticatedWithin(duration: string): Judge {
  const withinMs = parseDuration(duration);
  return aboutPerson(
    'authenticated-within',
    (_, { session, now }) => truthOf(session !== undefined && now - session.authenticatedAt <= withinMs),
    (_, { session }) => session && new Date(session.authenticatedAt).toISOString(),
  );
}
