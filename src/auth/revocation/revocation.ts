// Ending sessions now: removed from the store, told to every replica, and confirmed by each.
import { setTimeout as sleep } from 'node:timers/promises';
import { writeNotice } from './notice.ts';
import type { Witness, WitnessOptions } from './witness.ts';
import { StoreError } from '../../sessions/store.ts';
import type { Store } from '../../sessions/store.ts';

export interface Ended {
  readonly ended: number;
  /** Had ended already. */
  readonly absent: number;
  /** Ids of those that go on, for all that is known. */
  readonly failed: readonly string[];
  /** Why, where some do. */
  readonly reason?: string;
}

const maxAtOnce = 32;

/** A store that fails for so many in a row is not asked about the rest. Never throws for what a store does. */
export async function endSessions(store: Store, ids: readonly string[]): Promise<Ended> {
  const failed: string[] = [];
  let [ended, absent] = [0, 0];
  let reason: string | undefined;
  for (let start = 0; start < ids.length; start += maxAtOnce) {
    const some = ids.slice(start, start + maxAtOnce);
    const results = await Promise.all(some.map((id) => endOne(store, id)));
    for (const [index, result] of results.entries()) {
      if (result === true) ended += 1;
      else if (result === false) absent += 1;
      else {
        failed.push(some[index] ?? '');
        reason = result.message;
      }
    }
    if (!results.every((result) => result instanceof StoreError)) continue;
    failed.push(...ids.slice(start + maxAtOnce));
    break;
  }
  return { ended, absent, failed, ...(reason !== undefined && { reason }) };
}

async function endOne(store: Store, id: string): Promise<boolean | StoreError> {
  try {
    return await store.remove('session', id);
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
}

export interface Confirmation {
  readonly replica: string;
  /** From the notice to our hearing of it. */
  readonly afterMs: number;
}

export interface Announcement {
  readonly sessions: readonly string[];
  readonly by: string;
  /** So many are waited for, and no longer; absent: nobody knows how many there are. */
  readonly replicas?: number;
}

/** How long nothing more must come before it is taken for all, and how long is waited at the most. */
const [quietMs, patienceMs] = [1_000, 3_000];
const pollMs = 10;

/** Tells all replicas that sessions have ended, and waits for them to say that they have them no more. @throws {StoreError} */
export async function announce(
  { store, ring, now }: Pick<WitnessOptions, 'store' | 'ring' | 'now'>,
  witness: Pick<Witness, 'onConfirmed'>,
  { sessions, by, replicas = Infinity }: Announcement,
): Promise<readonly Confirmation[]> {
  const heard: (Confirmation & { readonly notice: string })[] = [];
  const startedAt = performance.now();
  const passedMs = () => performance.now() - startedAt;
  const stop = witness.onConfirmed(
    (notice, replica) => void heard.push({ notice, replica, afterMs: Math.round(passedMs()) }),
  );
  try {
    // One may be heard before we know the notice's own id.
    const id = await writeNotice(store, ring(), { kind: 'Ended', sessions, by }, now());
    for (;;) {
      const confirmed = heard.filter(({ notice }) => notice === id);
      const isQuiet = passedMs() - (confirmed.at(-1)?.afterMs ?? 0) >= quietMs;
      if (confirmed.length >= replicas || passedMs() >= patienceMs || (isQuiet && replicas === Infinity)) {
        return confirmed.map(({ replica, afterMs }) => ({ replica, afterMs }));
      }
      await sleep(pollMs, undefined, { ref: false });
    }
  } finally {
    stop();
  }
}
