// What comes of a token that a program brings: a session, or the sentence that says why not.
import { hash } from 'node:crypto';
import type { OpenedSession, RefusedToken } from '../authority.ts';
import type { Identity, Session } from '../../model/identity.ts';

export type Judged = OpenedSession | RefusedToken;

/** How long a token that was judged is believed before it is judged again. */
export const believedMs = 60_000;

/** The times that tokens and introspection tell, in seconds since the epoch. */
export interface TokenTimes {
  readonly iat?: unknown;
  readonly auth_time?: unknown;
}

export interface Bearer {
  readonly provider: string;
  readonly identity: Identity;
  readonly times: TokenTimes;
  readonly expiresAt: number;
}

/**
 * A session that nobody stores: its token is all of it. Its id is the same wherever the token turns up, and longer than the
 * id of any record, so that neither is ever taken for the other. A token that does not say when its person proved who they
 * are proves it as of the moment that it was issued; one that does not say that either, never.
 */
export function sessionOf(token: string, { provider, identity, times, expiresAt }: Bearer): Session {
  const { iat, auth_time: authTime } = times;
  const issuedAt = typeof iat === 'number' ? iat * 1000 : 0;
  return {
    id: hash('sha256', `${provider} ${token}`, 'base64url'),
    provider,
    identity,
    authenticatedAt: typeof authTime === 'number' ? authTime * 1000 : issuedAt,
    startedAt: issuedAt,
    expiresAt,
  };
}
