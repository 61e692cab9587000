// What replicas tell each other through the store, for a minute: that sessions were ended, and that one has taken note.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { parseSealed, seal, unseal } from '../keys.ts';
import type { KeyRing } from '../../model/settings.ts';
import type { Store, StoredRecord } from '../../sessions/store.ts';

const noticeSchema = z.discriminatedUnion('kind', [
  /** `by`: whoever ended them, in their own words. */
  z.strictObject({ kind: z.literal('Ended'), sessions: z.array(z.string()).readonly(), by: z.string() }),
  /** `replica` lets none of the sessions of that notice in, and has closed what they had open. */
  z.strictObject({ kind: z.literal('Confirmed'), notice: z.string(), replica: z.string() }),
]);
export type Notice = z.infer<typeof noticeSchema>;

const lifetimeMs = 60_000;

/** Sessions that one notice can tell of: some 170 KB, well under what a Secret may hold. */
export const maxSessionsTold = 5_000;

// Who can write to the store and has no ring can neither make one nor use an old one again, under its name or another.
const boundTo = (id: string, expiresAt: number) => `${id} ${expiresAt}`;

/** Returns the notice's id. @throws {StoreError} */
export async function writeNotice(store: Store, ring: KeyRing, notice: Notice, now: number): Promise<string> {
  const id = randomBytes(16).toString('base64url');
  const expiresAt = now + lifetimeMs;
  const body = seal(ring, 'notice', JSON.stringify(notice), boundTo(id, expiresAt));
  await store.create({ type: 'notice', id, index: {}, listing: '', body, expiresAt });
  return id;
}

/** `undefined`: not written by one of us. */
export function openNotice(ring: KeyRing, { id, body, expiresAt }: StoredRecord): Notice | undefined {
  return parseSealed(noticeSchema, unseal(ring, 'notice', body, boundTo(id, expiresAt)));
}
