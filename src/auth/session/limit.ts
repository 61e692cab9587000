// How many sessions one person may have: a sign-in beyond that ends the oldest.
import type { Desk } from '../desk.ts';
import { findSessions, ofIssuer } from './find.ts';
import { openListing } from './record.ts';
import type { SignedIn } from './session.ts';
import type { StoredRecord } from '../../sessions/store.ts';

/**
 * Ends what is too much beside the session that has just begun. It asks after the session was made, so that of two
 * sign-ins at the same moment the later sees the earlier; one that began later is left to its own sign-in to count,
 * because two that ended each other would leave nobody signed in.
 * @throws {StoreError}
 */
export async function endSurplus(desk: Desk, { issuer, subject }: SignedIn, begun: string): Promise<void> {
  const { store, ring, settings, now, log } = desk;
  const { sessionsPerPerson } = settings;
  if (sessionsPerPerson === undefined) return;
  const createdAt = (record: StoredRecord) => openListing(ring, record)?.createdAt ?? 0;
  const others = (await findSessions(store, ring, 'subject', ofIssuer(issuer, subject)))
    .filter(({ id }) => id !== begun)
    .map((record) => ({ id: record.id, at: createdAt(record) }))
    .toSorted((a, b) => b.at - a.at);
  const surplus = others.slice(sessionsPerPerson - 1).filter(({ at }) => at <= now);
  await Promise.all(surplus.map(({ id }) => store.remove('session', id)));
  if (surplus.length > 0)
    log.info({ session: begun.slice(0, 8), ended: surplus.length }, 'a person had too many sessions');
}
