// The store in Redis: a single server, Sentinel's master, or a Cluster.
import type { RedisSettings } from '../model/settings.ts';
import type { Logger, Metrics } from '../telemetry.ts';
import { StoreError } from './store.ts';
import type { Store } from './store.ts';

export interface RedisStoreOptions {
  readonly log: Logger;
  readonly metrics?: Metrics;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** How long any call may take before it throws `unavailable`. */
  readonly timeoutMs?: number;
}

/** Connects in the background and for ever; nothing is thrown here. */
export function createRedisStore(_settings: RedisSettings, _options: RedisStoreOptions): Store {
  const unfinished = async () => {
    throw new StoreError('unavailable', 'the Redis store is not finished');
  };
  return {
    create: unfinished,
    read: unfinished,
    replace: unfinished,
    take: unfinished,
    remove: unfinished,
    find: unfinished,
    watch: () => () => {},
    async close() {},
  };
}
