// A person's own sessions: where else they are signed in, and ending it there.
import { ownPrefix } from '../authority.ts';
import type { Answer, OwnRequest } from '../authority.ts';
import type { CurrentSession } from './current.ts';
import { heldRecord, page } from '../desk.ts';
import type { Desk } from '../desk.ts';
import { findSessions, ofIssuer } from './find.ts';
import { isSameOrigin, signOut } from '../logout/logout.ts';
import { urlOn } from '../place.ts';
import { endSessions } from '../revocation/revocation.ts';
import { personOf } from './record.ts';
import { describe } from '../revocation/roster.ts';
import type { OwnSession } from '../../model/page.ts';
import { StoreError } from '../../sessions/store.ts';
import type { StoredRecord } from '../../sessions/store.ts';

export const ownSessionsPath = `${ownPrefix}sessions`;

/** More than that nobody reads; all of them end with "everywhere". */
const shownAtMost = 50;

/** This one first, then the latest. `undefined`: the store does not answer, and who is asking is known all the same. */
export async function ownSessions(desk: Desk, held: CurrentSession): Promise<readonly OwnSession[] | undefined> {
  let records: readonly StoredRecord[];
  try {
    records = await recordsOf(desk, held);
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
  return records
    .map((record) => shown(desk, record, held))
    .toSorted((a, b) => Number(b.isThis) - Number(a.isThis) || b.since - a.since)
    .slice(0, shownAtMost);
}

// By issuer and subject: an e-mail address may be given to somebody else, and a provider may let people choose theirs.
function recordsOf(
  { store, ring }: Desk,
  { issuer, subject }: Pick<CurrentSession, 'issuer' | 'subject'>,
): Promise<readonly StoredRecord[]> {
  return findSessions(store, ring, 'subject', ofIssuer(issuer, subject));
}

function shown({ ring }: Desk, record: StoredRecord, { session }: CurrentSession): OwnSession {
  const { id, device = 'unknown device', address, createdAt = 0, usedAt = createdAt } = describe(ring, record);
  const isThis = id === session.id;
  return { id, device, ...(address !== undefined && { address }), since: createdAt, lastUsed: usedAt, isThis };
}

/** A form of our own page: `id=…` ends one, `all=yes` all of them. Whose it is not is not touched, and nobody is told so. */
export async function endOwnSessions(desk: Desk, request: OwnRequest): Promise<Answer> {
  if (request.method !== 'POST') return page({ kind: 'MethodNotAllowed', allow: ['POST'] });
  if (!isSameOrigin(request))
    return page({ kind: 'BadRequest', detail: 'Sessions are ended from our own page alone.' });
  const back = urlOn(request.scheme, request.authority, ownPrefix);
  const held = await heldRecord(desk, request);
  if (held === undefined) return { kind: 'Redirect', status: 303, location: back, cookies: [] };
  const form = new URLSearchParams(request.body);
  const isAll = form.get('all') === 'yes';
  const { id: own } = held.found.record;
  const meant = (await recordsOf(desk, held.body)).filter(({ id }) => isAll || id === form.get('id'));
  const others = meant.map(({ id }) => id).filter((id) => id !== own);
  const { ended, failed, reason = '' } = await endSessions(desk.store, others);
  if (ended > 0) {
    desk.log.info({ person: personOf(held.body.identity), session: own.slice(0, 8), ended }, 'signed out elsewhere');
  }
  // Whoever signs out everywhere must not be left to believe it where it is not so.
  if (failed.length > 0) throw new StoreError('unavailable', reason);
  if (others.length < meant.length) return signOut(desk, request);
  return { kind: 'Redirect', status: 303, location: back, cookies: [] };
}
