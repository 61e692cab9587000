// authenticatedUser: anybody whom a provider vouches for. A workload of the cluster is nobody's user: it counts against it.
import { aboutPerson, holds } from '../truth.ts';
import type { Compiling, Judge } from '../truth.ts';

export const compileAuthenticatedUser = (_: true, { against }: Compiling): Judge =>
  aboutPerson(
    'user',
    ({ serviceAccount }) => (serviceAccount === undefined ? holds : against),
    ({ user }) => user,
  );
