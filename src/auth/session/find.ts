// Sessions found without a browser: by what they are indexed under, whichever key of the ring they were begun with.
import { indexValue } from '../keys.ts';
import type { KeyRing } from '../../model/settings.ts';
import type { Store, StoredRecord } from '../../sessions/store.ts';

export type SessionIndex = 'person' | 'user' | 'provider' | 'subject' | 'sid';

/** What a provider calls somebody, or somebody's session, is its own: two providers may say the same. */
export const ofIssuer = (issuer: string, value: string) => `${issuer}\0${value}`;

/** An e-mail address as it is indexed and looked for: its domain in lower case, for two ways of writing that are one (RFC 4343). */
export function asIndexed(person: string): string {
  const at = person.lastIndexOf('@');
  return at < 0 ? person : person.slice(0, at) + person.slice(at).toLowerCase();
}

/** @throws {StoreError} */
export async function findSessions(
  store: Store,
  ring: KeyRing,
  name: SessionIndex,
  value: string,
): Promise<readonly StoredRecord[]> {
  const found = await Promise.all(ring.map((key) => store.find('session', name, indexValue(key, name, value))));
  return [...new Map(found.flat().map((record) => [record.id, record])).values()];
}

export function isIndexed({ index }: StoredRecord, ring: KeyRing, name: SessionIndex, value: string): boolean {
  return ring.some((key) => index[name] === indexValue(key, name, value));
}
