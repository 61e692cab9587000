// corsPreflight: the question that a browser asks before a page of another origin may call (Fetch standard, section 3.3).
import { truthOf } from '../truth.ts';
import type { Judge } from '../truth.ts';

export const compileCorsPreflight = (): Judge => ({
  judge: ({ method, headers }) =>
    truthOf(method === 'OPTIONS' && headers.has('origin') && headers.has('access-control-request-method')),
  reason: (yes) => (yes ? 'cors-request' : 'non-cors-request'),
  see: ({ method }) => method,
});
