// A session as it is now: read, refreshed where it is due, and its use noted. Everybody who wants one comes through here.
import { setTimeout as sleep } from 'node:timers/promises';
import { hasUnknownGroups } from '../provider/claims.ts';
import type { Ticket } from '../cookie.ts';
import type { Desk } from '../desk.ts';
import type { Tokens } from './record.ts';
import { isAbandoned } from './refresh.ts';
import type { RefreshOutcome } from './refresh.ts';
import { noteUse, readSession, sessionOf } from './session.ts';
import type { ReadSession } from './session.ts';
import type { Identity, Session } from '../../model/identity.ts';
import type { ClassSettings } from '../../model/settings.ts';
import { StoreError } from '../../sessions/store.ts';

/** A session with what only `auth` may see. */
export interface CurrentSession {
  readonly session: Session;
  /** When it ends however much it is used; `session.expiresAt` is this, or earlier. */
  readonly endsAt: number;
  readonly issuer: string;
  readonly subject: string;
  readonly tokens: Tokens;
  /** When to ask again, milliseconds since the epoch. */
  readonly renewAt: number;
}

/** How long the data path may use an opened session before it asks again; assertions live five minutes. */
const usualRenewMs = 60_000;
/** While a refresh is under way, or what it needs is away. */
const soonMs = 1_000;
const awayMs = 5_000;
/** Longer than a call to a provider may take, and shorter than whoever asks for the session waits. */
const maxWaitMs = 8_000;
/** A token is refreshed before a quarter of its life is left, and no earlier than this before its end. */
const maxAheadMs = 300_000;
/** Another replica may change what was just read: not for ever. */
const maxRounds = 3;

/** @throws {StoreError} */
export async function currentSession(desk: Desk, ticket: Ticket): Promise<CurrentSession | undefined> {
  for (let round = 0; round < maxRounds; round += 1) {
    const read = await readSession(desk.store, desk.ring, ticket);
    if (read === undefined) return undefined;
    const { claimsUntil } = read.body;
    const now = desk.clock();
    const dueAt = refreshDueAt(read, desk.settings);
    if (claimsUntil === undefined || now < dueAt) return used(desk, ticket, read, dueAt);
    // It cannot be asked again: what is known holds to its end.
    if (now < claimsUntil && isAbandoned(read.body, now)) return used(desk, ticket, read, claimsUntil, claimsUntil);
    const refreshing = startRefresh(desk, ticket, read);
    if (now < claimsUntil) {
      // What is known still holds: nobody waits.
      refreshing.catch((error: unknown) => desk.log.error({ err: error }, 'a refresh failed'));
      return used(desk, ticket, read, now + soonMs);
    }
    const outcome = await Promise.race([refreshing, sleep(maxWaitMs, 'Unavailable' as const, { ref: false })]);
    if (outcome === 'Ended') return undefined;
    if (outcome === 'Orphaned') return endOrphan(desk, ticket);
    if (outcome === 'Unavailable') return inGrace(desk, ticket, read);
  }
  throw new StoreError('unavailable', 'the session changes faster than it can be read');
}

function refreshDueAt({ body }: ReadSession, { refreshIntervalMs }: Pick<ClassSettings, 'refreshIntervalMs'>): number {
  const { claimsAt, claimsUntil = Infinity } = body;
  const aheadMs = Math.min((claimsUntil - claimsAt) / 4, maxAheadMs);
  return Math.min(claimsUntil - aheadMs, claimsAt + refreshIntervalMs);
}

async function startRefresh(desk: Desk, ticket: Ticket, { body }: ReadSession): Promise<RefreshOutcome> {
  const { ring, settings, refresher } = desk;
  const provider = desk.provider(body.provider);
  // What is not there any more is like one that does not answer: it may come back.
  if (provider === undefined) return 'Unavailable';
  if (isAbandoned(body, desk.clock())) return 'Orphaned';
  return refresher.refresh({ ticket, claimsAt: body.claimsAt, provider, ring, life: settings });
}

/** What it knows holds no longer, and there is no way to ask again. */
async function endOrphan({ store, log }: Desk, ticket: Ticket): Promise<undefined> {
  log.info({ session: ticket.id.slice(0, 8) }, 'a session ends: its last refresh broke off, and cannot be tried again');
  await store.remove('session', ticket.id);
  return undefined;
}

/** The data path ends a session by itself then, should it not hear from us. */
function endOfGrace({ body: { claimsUntil = Infinity } }: ReadSession, { outageGraceMs }: ClassSettings): number {
  return claimsUntil + outageGraceMs;
}

/** Believed on for a while, as where the store is away. */
function inGrace(desk: Desk, ticket: Ticket, read: ReadSession) {
  const now = desk.clock();
  const until = endOfGrace(read, desk.settings);
  return now < until ? used(desk, ticket, read, Math.min(now + awayMs, until)) : undefined;
}

async function used(
  desk: Desk,
  ticket: Ticket,
  read: ReadSession,
  askAt: number,
  knownUntil = endOfGrace(read, desk.settings),
): Promise<CurrentSession | undefined> {
  const { store, ring, settings } = desk;
  const now = desk.clock();
  const noted = await noteUse(store, ring, ticket, read, now, settings);
  if (noted === undefined) return undefined;
  const session = sessionOf(noted);
  const { endsAt, issuer, subject, tokens } = noted.body;
  const { identity, renewAt: groupsUntil } = await withGroups(desk, session, subject);
  // Asked again so often, the data path has each use noted before the session could be taken for idle.
  const renewMs = Math.min(usualRenewMs, (settings.sessionIdleTimeoutMs ?? Infinity) / 4);
  return {
    session: { ...session, identity, expiresAt: Math.min(session.expiresAt, knownUntil) },
    endsAt,
    issuer,
    subject,
    tokens,
    renewAt: Math.min(now + renewMs, askAt, groupsUntil, session.expiresAt),
  };
}

/** The groups of the provider's directory are not stored with the session, so that whoever leaves one is out of it soon. */
export async function withGroups(
  desk: Pick<Desk, 'provider'>,
  { identity, provider }: Session,
  subject: string,
): Promise<{ readonly identity: Identity; readonly renewAt: number }> {
  const { email, claims } = identity;
  const person = { subject, claims, ...(email !== undefined && { email }) };
  const from = desk.provider(provider);
  const membership = await from?.groupsOf?.(person);
  if (membership === undefined) {
    const isUnknown = from !== undefined && hasUnknownGroups(from.settings, claims);
    return { identity: isUnknown ? { ...identity, groupsUnknown: true } : identity, renewAt: Infinity };
  }
  const { groups, renewAt } = membership;
  if (groups === undefined) return { identity: { ...identity, groupsUnknown: true }, renewAt };
  return { identity: { ...identity, groups: [...new Set([...identity.groups, ...groups])] }, renewAt };
}
