// Sessions in a store: begun when somebody signs in, read on a request, their use noted.
import { randomBytes } from 'node:crypto';
import type { Ticket } from '../cookie.ts';
import { openSession, sealSession } from './record.ts';
import type { Origin, SessionBody, Tokens } from './record.ts';
import type { Identity, Session } from '../../model/identity.ts';
import type { ClassSettings, KeyRing } from '../../model/settings.ts';
import { StoreError } from '../../sessions/store.ts';
import type { Revised, Store } from '../../sessions/store.ts';

/** A sign-in that succeeded, before it is a session. */
export interface SignedIn {
  readonly provider: string;
  readonly issuer: string;
  readonly subject: string;
  /** The provider's own session id, where it tells one (OpenID Connect Back-Channel Logout 1.0, section 2.1). */
  readonly providerSessionId?: string;
  readonly identity: Identity;
  readonly tokens: Tokens;
  /** Until when the access token holds, milliseconds since the epoch; absent where the provider does not say. */
  readonly tokensExpireAt?: number;
  /** Milliseconds since the epoch. */
  readonly authenticatedAt: number;
}

/** A session as it was read, with all that only `auth` may see. */
export interface ReadSession {
  readonly found: Revised;
  readonly body: SessionBody;
}

export type SessionLife = Pick<ClassSettings, 'sessionLifetimeMs' | 'sessionIdleTimeoutMs'>;

/** A session of a provider that does not say how long its tokens hold is taken to know for so long who somebody is. */
const usualTokensMs = 3_600_000;

/**
 * Writes a new session, with an id and a secret of its own, whatever session was there before.
 * @throws {StoreError}
 */
export async function createSession(
  store: Store,
  ring: KeyRing,
  signedIn: SignedIn,
  now: number,
  life: SessionLife,
  origin: Origin = {},
): Promise<Ticket> {
  const ticket: Ticket = { id: randomBytes(16).toString('base64url'), secret: randomBytes(32) };
  const { tokensExpireAt, ...said } = signedIn;
  const endsAt = now + life.sessionLifetimeMs;
  const body: SessionBody = {
    ...said,
    ...origin,
    startedAt: now,
    endsAt,
    claimsAt: now,
    ...claimsUntil(signedIn.tokens, tokensExpireAt, now),
  };
  const created = await store.create(
    sealSession(ring, ticket, body, { expiresAt: endOfUse(body, now, life), usedAt: now }),
  );
  // 128 random bits do not meet twice; where they seem to, something is very wrong.
  if (!created) throw new Error('a new session id was taken already');
  return ticket;
}

/** Without a refresh token nobody can ask again: what was said at sign-in holds for the session's life. */
export function claimsUntil(
  { refreshToken }: Tokens,
  tokensExpireAt: number | undefined,
  now: number,
): Pick<SessionBody, 'claimsUntil'> {
  return refreshToken === undefined ? {} : { claimsUntil: tokensExpireAt ?? now + usualTokensMs };
}

/** When a session ends that is used now, and then no more. */
export function endOfUse(
  { endsAt }: Pick<SessionBody, 'endsAt'>,
  now: number,
  { sessionIdleTimeoutMs = Infinity }: SessionLife,
): number {
  return Math.min(endsAt, now + sessionIdleTimeoutMs);
}

/** The session of a ticket; `undefined` where there is none, or the secret is not its own. @throws {StoreError} */
export async function readSession(store: Store, ring: KeyRing, ticket: Ticket): Promise<ReadSession | undefined> {
  const found = await store.read('session', ticket.id);
  const body = found && openSession(ring, found.record, ticket.secret);
  return found && body && { found, body };
}

/** What may be told of it beyond `auth`. */
export function sessionOf({ found: { record }, body }: ReadSession): Session {
  const { provider, identity, authenticatedAt, startedAt } = body;
  return { id: record.id, provider, identity, authenticatedAt, startedAt, expiresAt: record.expiresAt };
}

/**
 * Notes that a session is used: its end is put off, at most once in a quarter of the idle timeout (promise 6). Only here
 * can it be, for the body is sealed to its end, and opens with the browser's secret. Returns the session as it is then;
 * that its use cannot be noted changes nothing now.
 */
export async function noteUse(
  store: Store,
  ring: KeyRing,
  ticket: Ticket,
  read: ReadSession,
  now: number,
  life: SessionLife,
): Promise<ReadSession | undefined> {
  const { found, body } = read;
  const expiresAt = endOfUse(body, now, life);
  if (!isDue(found.record.expiresAt, expiresAt, now, life)) return read;
  const record = sealSession(ring, ticket, body, { expiresAt, usedAt: now });
  try {
    if (await store.replace(record, found.revision)) return { found: { ...found, record }, body };
    // Another replica was faster, or it has ended.
    return await readSession(store, ring, ticket);
  } catch (error) {
    if (error instanceof StoreError) return read;
    throw error;
  }
}

// Earlier, too, where the timeout was shortened: by more than two clocks differ.
function isDue(before: number, after: number, now: number, { sessionIdleTimeoutMs: idleMs = Infinity }: SessionLife) {
  const notedAt = before - idleMs;
  return after > before ? now - notedAt >= idleMs / 4 : before - after >= idleMs / 4;
}
