// Sessions as records: sealed when somebody signs in, opened on a request, ended at sign-out.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { indexValue, parseSealed, seal, unseal } from './keys.ts';
import type { Identity, Session } from '../model/identity.ts';
import type { ClassSettings, KeyRing } from '../model/settings.ts';
import { StoreError } from '../sessions/store.ts';
import type { Revised, Store, StoredRecord } from '../sessions/store.ts';
import { parseTicket } from './cookie.ts';
import type { Ticket } from './cookie.ts';

/** What the provider gave at sign-in. Tokens never leave the `auth` role. */
export interface Tokens {
  readonly idToken: string;
  readonly accessToken: string;
  readonly refreshToken?: string;
}

/** A sign-in that succeeded, before it is a session. */
export interface SignedIn {
  readonly provider: string;
  readonly issuer: string;
  readonly subject: string;
  /** The provider's own session id, where it tells one (OpenID Connect Back-Channel Logout 1.0, section 2.1). */
  readonly providerSessionId?: string;
  readonly identity: Identity;
  readonly tokens: Tokens;
  /** When the access token expires, milliseconds since the epoch; absent where the provider does not say. */
  readonly tokensExpireAt?: number;
  /** Milliseconds since the epoch. */
  readonly authenticatedAt: number;
}

const bodySchema = z.object({
  identity: z.object({
    user: z.string(),
    email: z.string().optional(),
    name: z.string().optional(),
    serviceAccount: z.string().optional(),
    groups: z.array(z.string()),
    claims: z.record(z.string(), z.unknown()),
  }),
  provider: z.string(),
  authenticatedAt: z.number(),
  startedAt: z.number(),
  // A record of a version that did not end idle sessions has none: it ends when it expires.
  endsAt: z.number().optional(),
  tokens: z.object({ idToken: z.string(), accessToken: z.string(), refreshToken: z.string().optional() }),
});

/** A session with what only `auth` may see. */
export interface FullSession {
  readonly session: Session;
  /** When it ends however much it is used, milliseconds since the epoch; `session.expiresAt` is this, or earlier. */
  readonly endsAt: number;
  readonly tokens: Tokens;
}

export type SessionLife = Pick<ClassSettings, 'sessionLifetimeMs' | 'sessionIdleTimeoutMs'>;

const newId = () => randomBytes(16).toString('base64url');

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
): Promise<Ticket> {
  const ticket: Ticket = { id: newId(), secret: randomBytes(32) };
  const { provider, issuer, subject, providerSessionId, identity, tokens, authenticatedAt } = signedIn;
  const [key] = ring;
  const person = identity.email ?? identity.user;
  const endsAt = now + life.sessionLifetimeMs;
  const expiresAt = endOfUse(endsAt, now, life);
  const sealed = JSON.stringify({ identity, provider, authenticatedAt, startedAt: now, endsAt, tokens });
  const created = await store.create({
    type: 'session',
    id: ticket.id,
    index: {
      person: indexValue(key, 'person', person),
      provider: indexValue(key, 'provider', provider),
      subject: indexValue(key, 'subject', `${issuer}\0${subject}`),
      ...(providerSessionId !== undefined && { sid: indexValue(key, 'sid', `${issuer}\0${providerSessionId}`) }),
    },
    listing: seal(ring, 'listing', JSON.stringify({ person, provider, createdAt: now }), ticket.id),
    body: seal(ring, 'body', sealed, boundTo(ticket.id, expiresAt), ticket.secret),
    expiresAt,
  });
  // 128 random bits do not meet twice; where they seem to, something is very wrong.
  if (!created) throw new Error('a new session id was taken already');
  return ticket;
}

// The expiry stands in the clear, for the store to act on. Who can write to the store cannot put it off: the body opens no more.
const boundTo = (id: string, expiresAt: number) => `${id} ${expiresAt}`;

/** When a session ends that is used now, and then no more. */
function endOfUse(endsAt: number, now: number, { sessionIdleTimeoutMs = Infinity }: SessionLife): number {
  return Math.min(endsAt, now + sessionIdleTimeoutMs);
}

/** The session of a ticket; `undefined` where there is none, or the secret is not its own. @throws {StoreError} */
export async function readSession(store: Store, ring: KeyRing, ticket: Ticket): Promise<FullSession | undefined> {
  const found = await store.read('session', ticket.id);
  return found && openRecord(ring, found.record, ticket.secret)?.full;
}

/**
 * As {@link readSession}, and notes that it is used: its end is put off, at most once in a quarter of the idle timeout
 * (promise 6). Only here can it be, for the body is sealed to its end, and opens with the browser's secret.
 * @throws {StoreError} where it cannot be read; that its use cannot be noted changes nothing now.
 */
export async function useSession(
  store: Store,
  ring: KeyRing,
  ticket: Ticket,
  now: number,
  life: SessionLife,
): Promise<FullSession | undefined> {
  const found = await store.read('session', ticket.id);
  if (found === undefined) return undefined;
  const opened = openRecord(ring, found.record, ticket.secret);
  if (opened === undefined) return undefined;
  const { full, body } = opened;
  const expiresAt = endOfUse(full.endsAt, now, life);
  if (!isDue(found.record.expiresAt, expiresAt, now, life)) return full;
  try {
    if (await moveEnd(store, ring, { found, body: { ...body, endsAt: full.endsAt }, ticket }, expiresAt)) {
      return { ...full, session: { ...full.session, expiresAt } };
    }
  } catch (error) {
    if (error instanceof StoreError) return full;
    throw error;
  }
  // Another replica was faster, or it has ended.
  return readSession(store, ring, ticket);
}

// Earlier, too, where the timeout was shortened: by more than two clocks differ.
function isDue(before: number, after: number, now: number, { sessionIdleTimeoutMs: idleMs = Infinity }: SessionLife) {
  const notedAt = before - idleMs;
  return after > before ? now - notedAt >= idleMs / 4 : before - after >= idleMs / 4;
}

type Body = z.infer<typeof bodySchema>;

function moveEnd(
  store: Store,
  ring: KeyRing,
  { found, body, ticket }: { readonly found: Revised; readonly body: Body; readonly ticket: Ticket },
  expiresAt: number,
): Promise<boolean> {
  const sealed = seal(ring, 'body', JSON.stringify(body), boundTo(ticket.id, expiresAt), ticket.secret);
  return store.replace({ ...found.record, body: sealed, expiresAt }, found.revision);
}

function openRecord(ring: KeyRing, record: StoredRecord, secret: Uint8Array) {
  const body = parseSealed(bodySchema, unseal(ring, 'body', record.body, boundTo(record.id, record.expiresAt), secret));
  if (body === undefined) return undefined;
  const { identity, provider, authenticatedAt, startedAt, endsAt = record.expiresAt, tokens } = body;
  const full: FullSession = {
    session: {
      id: record.id,
      provider,
      identity: withoutUndefined(identity),
      authenticatedAt,
      startedAt,
      expiresAt: record.expiresAt,
    },
    endsAt,
    tokens: withoutUndefined(tokens),
  };
  return { full, body };
}

/** Drops keys that hold `undefined`: zod's optional fields against exactOptionalPropertyTypes. */
type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };
function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Defined<T>;
}

const codeLifetimeMs = 60_000;

const codeSchema = z.object({ session: z.string(), secret: z.string(), authority: z.string(), binding: z.string() });

/** What a one-time code stands for: a session's ticket, on its way to one host, in one browser. */
export interface CodeGrant {
  readonly ticket: Ticket;
  /** The host it is for, with its port where it has one. */
  readonly authority: string;
  /** Hash of the secret that the browser's flow cookie on that host holds. */
  readonly binding: string;
}

/** Makes the one-time code for an application's host; valid for a minute. @throws {StoreError} */
export async function createCode(store: Store, ring: KeyRing, grant: CodeGrant, now: number): Promise<string> {
  const id = newId();
  const secret = randomBytes(32);
  const plain = JSON.stringify({
    session: grant.ticket.id,
    secret: Buffer.from(grant.ticket.secret).toString('base64url'),
    authority: grant.authority,
    binding: grant.binding,
  });
  await store.create({
    type: 'code',
    id,
    index: {},
    listing: '',
    body: seal(ring, 'body', plain, `code ${id}`, secret),
    expiresAt: now + codeLifetimeMs,
  });
  return `${id}.${secret.toString('base64url')}`;
}

/** What a code stands for, once: asking uses it up, whoever asks. @throws {StoreError} */
export async function takeCode(store: Store, ring: KeyRing, code: string): Promise<CodeGrant | undefined> {
  // A code looks like a ticket; nothing else comes near the store, for which an id is part of a name.
  const parsed = parseTicket(code);
  if (parsed === undefined) return undefined;
  const record = await store.take('code', parsed.id);
  if (record === undefined) return undefined;
  const grant = parseSealed(codeSchema, unseal(ring, 'body', record.body, `code ${parsed.id}`, parsed.secret));
  if (grant === undefined) return undefined;
  return {
    ticket: { id: grant.session, secret: Buffer.from(grant.secret, 'base64url') },
    authority: grant.authority,
    binding: grant.binding,
  };
}
