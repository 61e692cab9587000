// authenticatedUser: anybody who is signed in.
import { aboutPerson, holds } from '../truth.ts';
import type { Judge } from '../truth.ts';

export const compileAuthenticatedUser = (): Judge =>
  aboutPerson(
    'user',
    () => holds,
    ({ user }) => user,
  );
