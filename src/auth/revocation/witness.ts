// Hears which sessions were ended elsewhere, and says so once they are ended here: no request of theirs is let in, no stream is open.
import { setTimeout as sleep } from 'node:timers/promises';
import { openNotice, writeNotice } from './notice.ts';
import type { Notice } from './notice.ts';
import type { KeyRing } from '../../model/settings.ts';
import { StoreError } from '../../sessions/store.ts';
import type { Store } from '../../sessions/store.ts';
import type { Logger } from '../../telemetry.ts';

export interface WitnessOptions {
  readonly store: Store;
  readonly ring: () => KeyRing;
  /** What this replica is called. */
  readonly replica: string;
  /** Resolves when the data path has acted on all ends that it was told of. */
  readonly settled: () => Promise<unknown>;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface Witness {
  /** Calls back with each confirmation, our own too. Returns how to stop. */
  onConfirmed(listener: (notice: string, replica: string) => void): () => void;
  close(): void;
}

/** About 5 MB: an end that is forgotten is asked of the store. */
const maxEnded = 50_000;
/** News of an end may come after the notice of it, in a Redis Cluster. */
const [pollMs, newsMs] = [20, 200];
/** Then the store is asked, so often. */
const askMs = 250;
/** Whoever asks waits no longer than this. */
const patienceMs = 2_500;
const maxAtOnce = 20;

export function createWitness(options: WitnessOptions): Witness {
  const { store, ring, log } = options;
  const ended = new Set<string>();
  const listeners = new Set<(notice: string, replica: string) => void>();

  async function hear(id: string): Promise<void> {
    const found = await store.read('notice', id);
    const notice = found && openNotice(ring(), found.record);
    if (notice?.kind === 'Confirmed') for (const listener of listeners) listener(notice.notice, notice.replica);
    if (notice?.kind === 'Ended') await confirm(options, ended, id, notice);
  }

  const stop = store.watch((news) => {
    if (news.change === 'unknown') return;
    if (news.type === 'session' && news.change === 'removed') remember(ended, news.id);
    if (news.type !== 'notice' || news.change !== 'created') return;
    hear(news.id).catch((error: unknown) => log.warn({ err: error }, 'the end of sessions was not confirmed'));
  });

  return {
    onConfirmed(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      stop();
      listeners.clear();
    },
  };
}

function remember(ended: Set<string>, id: string): void {
  ended.add(id);
  for (const oldest of ended) {
    if (ended.size <= maxEnded) break;
    ended.delete(oldest);
  }
}

async function confirm(
  { store, ring, replica, settled, log, now }: WitnessOptions,
  ended: ReadonlySet<string>,
  notice: string,
  { sessions, by }: Extract<Notice, { kind: 'Ended' }>,
): Promise<void> {
  const left = await untilGone(store, ended, sessions);
  if (left.length > 0) {
    log.warn({ sessions: left.length }, 'sessions that were ended elsewhere are still believed here: not confirmed');
    return;
  }
  await settled();
  log.info({ by, sessions: sessions.length }, 'sessions that an operator ended are ended here');
  await writeNotice(store, ring(), { kind: 'Confirmed', notice, replica }, now());
}

/** Those that are believed still when there is no more time. */
async function untilGone(store: Store, ended: ReadonlySet<string>, ids: readonly string[]): Promise<readonly string[]> {
  const startedAt = performance.now();
  const passedMs = () => performance.now() - startedAt;
  let left = ids;
  for (;;) {
    left = left.filter((id) => !ended.has(id));
    // This replica may have begun after they ended, and hears of them nevermore: the store knows.
    const asks = passedMs() > newsMs;
    if (asks) left = await stillThere(store, left);
    if (left.length === 0 || passedMs() > patienceMs) return left;
    await sleep(asks ? askMs : pollMs, undefined, { ref: false });
  }
}

async function stillThere(store: Store, ids: readonly string[]): Promise<readonly string[]> {
  const there: string[] = [];
  for (let start = 0; start < ids.length; start += maxAtOnce) {
    const some = ids.slice(start, start + maxAtOnce);
    const found = await Promise.all(some.map((id) => isThere(store, id)));
    there.push(...some.filter((_, index) => found[index]));
  }
  return there;
}

async function isThere(store: Store, id: string): Promise<boolean> {
  try {
    return (await store.read('session', id)) !== undefined;
  } catch (error) {
    if (error instanceof StoreError) return true;
    throw error;
  }
}
