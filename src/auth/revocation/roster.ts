// Sessions as operators see them: found by person, provider or id, and described by what the key ring alone opens.
import { asIndexed, findSessions, isIndexed } from '../session/find.ts';
import { deviceOf } from '../session/device.ts';
import { openListing } from '../session/record.ts';
import type { KeyRing } from '../../model/settings.ts';
import type { RecordPage, Store, StoredRecord } from '../../sessions/store.ts';

/** Which sessions are meant. */
export type Which =
  /** An e-mail address, or the provider's name for somebody; exactly so, but for the case of the domain. */
  | { readonly person: string }
  /** An id, or its first letters, as logs print them. */
  | { readonly id: string }
  | { readonly provider: string }
  | { readonly all: true };

/** What is missing was sealed by a key that the ring does not hold. */
export interface ListedSession {
  readonly id: string;
  readonly person?: string;
  readonly user?: string;
  readonly provider?: string;
  /** In plain words. */
  readonly device?: string;
  readonly userAgent?: string;
  readonly address?: string;
  /** Milliseconds since the epoch, as all that follow. */
  readonly createdAt?: number;
  /** When its use was last noted. */
  readonly usedAt?: number;
  readonly refreshedAt?: number;
  readonly expiresAt: number;
}

export interface Roster {
  readonly sessions: readonly ListedSession[];
  /** Asks for those that follow; there may be more even where these are none. */
  readonly next?: string;
}

const idLength = 22;

/** A session may be on two pages. @throws {StoreError} */
export async function listSessions(store: Store, ring: KeyRing, which: Which, cursor?: string): Promise<Roster> {
  const { records, next } = await select(store, ring, which, cursor);
  return { sessions: records.map((record) => describe(ring, record)), ...(next !== undefined && { next }) };
}

async function select(store: Store, ring: KeyRing, which: Which, cursor?: string): Promise<RecordPage> {
  if ('person' in which) return { records: await findPerson(store, ring, which.person) };
  if ('id' in which && which.id.length === idLength) {
    const found = await store.read('session', which.id);
    return { records: found === undefined ? [] : [found.record] };
  }
  const { records, ...more } = await store.page('session', cursor);
  return { records: records.filter((record) => isMeant(ring, record, which)), ...more };
}

async function findPerson(store: Store, ring: KeyRing, person: string): Promise<readonly StoredRecord[]> {
  const found = await Promise.all([
    findSessions(store, ring, 'person', asIndexed(person)),
    findSessions(store, ring, 'user', person),
  ]);
  return [...new Map(found.flat().map((record) => [record.id, record])).values()];
}

function isMeant(ring: KeyRing, record: StoredRecord, which: Exclude<Which, { person: string }>): boolean {
  if ('id' in which) return record.id.startsWith(which.id);
  return 'all' in which || isIndexed(record, ring, 'provider', which.provider);
}

export function describe(ring: KeyRing, record: StoredRecord): ListedSession {
  const { id, expiresAt } = record;
  const listing = openListing(ring, record);
  if (listing === undefined) return { id, expiresAt };
  const { person, user, provider, device, address, createdAt, usedAt, refreshedAt } = listing;
  return {
    id,
    person,
    user,
    provider,
    device: deviceOf(device),
    ...(device !== undefined && { userAgent: device }),
    ...(address !== undefined && { address }),
    createdAt,
    usedAt,
    ...(refreshedAt !== undefined && { refreshedAt }),
    expiresAt,
  };
}
