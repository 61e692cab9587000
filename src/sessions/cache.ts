// A store that remembers the sessions it has read: it asks again where they may have changed, and bears an outage for a while.
import type { Logger, Metrics } from '../telemetry.ts';
import { createRecollection } from './recollection.ts';
import { createOutage } from './outage.ts';
import { StoreError } from './store.ts';
import type { RecordChange, RecordType, Store } from './store.ts';

export interface CachedStoreOptions {
  /** How long what is remembered is believed while the store is away, within each record's own time. */
  readonly graceMs: () => number;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'storeUp'>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** A record that nobody has: asked for to learn whether the store answers. */
const nobody = ['session', 'nobody'] as const;

/** Records stay sealed: what is remembered opens nothing. */
export function cached(store: Store, { graceMs, log, metrics, now = Date.now }: CachedStoreOptions): Store {
  const recollection = createRecollection(now);
  const listeners = new Set<(news: RecordChange) => void>();
  const outage = createOutage({ graceMs, probe: () => store.read(...nobody), log, metrics, now });
  let closed = false;

  const stopWatching = store.watch((news) => {
    recollection.hear(news);
    for (const listener of listeners) listener(news);
  });

  const pass = <T>(of: 'reading' | 'writing', work: () => Promise<T>): Promise<T> =>
    closed ? Promise.reject(new StoreError('unavailable', 'the store is closed')) : outage.note(work(), of);

  async function end<T>(type: RecordType, id: string, work: () => Promise<T>): Promise<T> {
    const answer = await pass('writing', work);
    recollection.hear({ type, id, change: 'removed' });
    return answer;
  }

  return {
    async create(record) {
      const created = await pass('writing', () => store.create(record));
      if (created) recollection.hear({ type: record.type, id: record.id, change: 'created' });
      return created;
    },
    async read(type, id) {
      const known = closed ? undefined : recollection.recall(type, id);
      const isAway = outage.state !== 'Reachable';
      // That there is none is no sign that the store answers, and such a read may be asked for just that.
      if (known?.isFresh === true && (known.found === undefined ? !isAway : outage.state !== 'Over'))
        return known.found;
      if (known?.found !== undefined && outage.state === 'InGrace') return known.found;
      const before = recollection.mark();
      try {
        const found = await pass('reading', () => store.read(type, id));
        recollection.learn(type, id, found, before);
        return found;
      } catch (error) {
        if (!(error instanceof StoreError) || closed || outage.state !== 'InGrace') throw error;
        // Asked for once more: it may have ended meanwhile.
        const left = recollection.recall(type, id)?.found;
        if (left === undefined) throw error;
        return left;
      }
    },
    async replace(record, revision) {
      const replaced = await pass('writing', () => store.replace(record, revision));
      if (replaced) recollection.rewrite(record);
      // Somebody else was faster: what is remembered is not what is there.
      else recollection.hear({ type: record.type, id: record.id, change: 'replaced' });
      return replaced;
    },
    take: (type, id) => end(type, id, () => store.take(type, id)),
    remove: (type, id) => end(type, id, () => store.remove(type, id)),
    find: (type, name, value) => pass('reading', () => store.find(type, name, value)),
    page: (type, cursor) => pass('reading', () => store.page(type, cursor)),
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closed = true;
      listeners.clear();
      stopWatching();
      outage.close();
      await store.close();
    },
  };
}
