// The store in Redis: a single server, Sentinel's master, or a Cluster.
import type { RedisSettings } from '../model/settings.ts';
import type { Logger, Metrics } from '../telemetry.ts';
import { measured } from './measured.ts';
import { createAcknowledgement } from './redis/acknowledgement.ts';
import { inBatches } from './redis/batches.ts';
import { createBurial } from './redis/burial.ts';
import { createExpiries } from './redis/expiries.ts';
import { parseNews } from './redis/news.ts';
import { createReach } from './redis/reach.ts';
import { scanIds } from './redis/pages.ts';
import { createRecords } from './redis/records.ts';
import { createTombstones } from './redis/tombstones.ts';
import { recordKey } from './redis/value.ts';
import type { RecordChange, RecordType, Store } from './store.ts';

export interface RedisStoreOptions {
  readonly log: Logger;
  readonly metrics?: Metrics;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** How long any call may take before it throws `unavailable`; `find` may take as long for each hundred records. */
  readonly timeoutMs?: number;
}

/** Connects in the background and for ever; nothing is thrown here. */
export function createRedisStore(settings: RedisSettings, options: RedisStoreOptions): Store {
  const { log, metrics, now = Date.now, timeoutMs = 2_000 } = options;
  const listeners = new Set<(change: RecordChange) => void>();
  const tell = (change: RecordChange) => {
    for (const listener of listeners) listener(change);
  };
  const tombstones = createTombstones(now);
  const redis = createReach(settings, {
    log,
    now,
    timeoutMs,
    onDown: () => tell({ change: 'unknown' }),
    onUp() {
      tell({ change: 'unknown' });
      burial.begin();
    },
    onNews(text) {
      const news = parseNews(text);
      if (news === undefined) return;
      const { type, id, change, leftMs, life } = news;
      const until = now() + leftMs;
      if (change === 'removed') expiries.delete(type, id);
      else expiries.set(type, id, until);
      if (life !== undefined) tombstones.add({ type, id, life, until });
      tell({ type, id, change });
    },
  });
  const records = createRecords(redis.send, tombstones, now);
  const expiries = createExpiries({
    now,
    timeLeft: (type, id) => redis.ask(() => records.timeLeft(type, id)),
    onExpired: (type, id) => tell({ type, id, change: 'removed' }),
  });
  const acknowledge = createAcknowledgement(redis.send, now);
  const burial = createBurial(tombstones, ({ type, id, life }) => redis.change(() => records.end(type, id, life)));
  const read = async (type: RecordType, id: string) => {
    const found = await redis.ask(() => records.read(type, id));
    if (found !== undefined) expiries.set(type, id, found.record.expiresAt);
    return found;
  };
  const store: Store = {
    create: (record) => redis.change(() => records.create(record)),
    read,
    replace: (record, revision) => redis.change(() => records.replace(record, revision)),
    take: (type, id) => redis.change(() => records.end(type, id)),
    async remove(type, id) {
      const found = await redis.change(() => records.end(type, id));
      if (found !== undefined) await acknowledge(recordKey(type, id));
      return found !== undefined;
    },
    async find(type, name, value) {
      const ids = await redis.ask(() => records.candidates(type, name, value));
      const found = await inBatches(ids, (id) => read(type, id));
      return found.flatMap((one) => (one?.record.index[name] === value ? [one.record] : []));
    },
    async page(type, cursor) {
      const { ids, next } = await redis.ask(async () => scanIds(await redis.masters(), type, cursor));
      const found = await inBatches(ids, (id) => read(type, id));
      const records = found.flatMap((one) => one?.record ?? []);
      return { records, ...(next !== undefined && { next }) };
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      listeners.clear();
      expiries.close();
      burial.close();
      redis.close();
    },
  };
  return metrics === undefined ? store : measured(store, metrics);
}
