// What the tests of the Redis store share: a store with what it told, records, and how calls end.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { RedisSettings } from '../../src/model/settings.ts';
import { createRedisStore } from '../../src/sessions/redis.ts';
import { StoreError } from '../../src/sessions/store.ts';
import type { RecordChange, Store, StoredRecord } from '../../src/sessions/store.ts';
import { createLogger } from '../../src/telemetry.ts';

export interface Rig {
  readonly store: Store;
  /** The codes and sentences that were logged. */
  readonly logged: { readonly code?: string; readonly level: string; readonly msg: string }[];
  readonly heard: RecordChange[];
}

export function createRig(settings: Partial<RedisSettings> & Pick<RedisSettings, 'urls'>, timeoutMs?: number): Rig {
  const logged: Rig['logged'] = [];
  const log = createLogger('info', (line) => void logged.push(JSON.parse(line)));
  const store = createRedisStore(
    { cluster: false, ...settings },
    { log, ...(timeoutMs !== undefined && { timeoutMs }) },
  );
  const heard: RecordChange[] = [];
  store.watch((change) => void heard.push(change));
  return { store, logged, heard };
}

export const newRecord = (more: Partial<StoredRecord> = {}): StoredRecord => ({
  type: 'session',
  id: randomBytes(16).toString('base64url'),
  index: {},
  listing: 'listing',
  body: 'body',
  expiresAt: Date.now() + 600_000,
  ...more,
});

export async function stored(store: Store, more: Partial<StoredRecord> = {}): Promise<StoredRecord> {
  const record = newRecord(more);
  assert.equal(await store.create(record), true);
  return record;
}

/** Fails with this code, and returns after how many milliseconds. */
export async function failsAfterMs(call: Promise<unknown>, code: StoreError['code'] = 'unavailable'): Promise<number> {
  const startedAt = performance.now();
  await assert.rejects(call, (error) => error instanceof StoreError && error.code === code);
  return performance.now() - startedAt;
}
