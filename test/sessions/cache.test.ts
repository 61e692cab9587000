// The cached store keeps the contract; it asks again where something may have changed, and bears an outage for as long as it was told.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { cached } from '../../src/sessions/cache.ts';
import { createMemoryStore } from '../../src/sessions/memory.ts';
import { StoreError } from '../../src/sessions/store.ts';
import type { RecordChange, Store, StoredRecord } from '../../src/sessions/store.ts';
import { createLogger, createMetrics } from '../../src/telemetry.ts';
import { storeContract } from '../sessions.contract.ts';

const graceMs = 600_000;

/** A store beneath that counts reads, and is away, or slow, when told. */
function makeStores(t?: TestContext, grace = graceMs) {
  let offsetMs = 0;
  const now = () => Date.now() + offsetMs;
  const lines: string[] = [];
  const metrics = createMetrics();
  const memory = createMemoryStore({ now });
  const listeners = new Set<(news: RecordChange) => void>();
  const beneath = { reads: 0, away: false, busy: false, readOnly: false, held: undefined as Promise<void> | undefined };
  const orAway = <T>(work: () => Promise<T>, isAway = beneath.away): Promise<T> =>
    isAway ? Promise.reject(new StoreError('unavailable', 'away')) : work();
  const orRefused = <T>(work: () => Promise<T>) => orAway(work, beneath.away || beneath.readOnly);
  const store: Store = {
    ...memory,
    create: (record) => orRefused(() => memory.create(record)),
    read: (type, id) =>
      orAway(async () => {
        beneath.reads += 1;
        if (beneath.busy) throw new StoreError('busy', 'too many strangers');
        const found = await memory.read(type, id);
        await beneath.held;
        return found;
      }),
    replace: (record, revision) => orRefused(() => memory.replace(record, revision)),
    remove: (type, id) => orRefused(() => memory.remove(type, id)),
    watch(listener) {
      listeners.add(listener);
      return memory.watch(listener);
    },
  };
  const log = createLogger('info', (line) => lines.push((JSON.parse(line) as { msg: string }).msg));
  const cache = cached(store, { graceMs: () => grace, log, metrics, now });
  t?.after(() => cache.close());
  return {
    cache,
    memory,
    beneath,
    lines,
    now,
    advance: (ms: number) => void (offsetMs += ms),
    tell: (news: RecordChange) => {
      for (const listener of listeners) listener(news);
    },
    isUp: async () => (await metrics.storeUp.get()).values[0]?.value === 1,
    async stored(expiresAt = now() + 3 * graceMs): Promise<StoredRecord> {
      ids += 1;
      const record: StoredRecord = { type: 'session', id: `s${ids}`, index: {}, listing: '', body: 'b', expiresAt };
      await memory.create(record);
      return record;
    },
  };
}
let ids = 0;

storeContract('the cached store', async ({ max } = {}) => {
  let offsetMs = 0;
  const now = () => Date.now() + offsetMs;
  const kept = createMemoryStore({ now, ...(max !== undefined && { max }) });
  const options = { graceMs: () => graceMs, log: createLogger('silent'), metrics: createMetrics(), now };
  return { store: cached(kept, options), now, advance: (ms) => void (offsetMs += ms) };
});

const isUnavailable = { name: 'StoreError', code: 'unavailable' };

describe('a record that was read', () => {
  test('is not asked for again while nothing is heard of it, for ten minutes', async (t) => {
    const { cache, beneath, stored, advance } = makeStores(t);
    const { id } = await stored();
    for (let count = 0; count < 100; count += 1) assert.ok(await cache.read('session', id));
    assert.equal(beneath.reads, 1);
    advance(600_001);
    await cache.read('session', id);
    assert.equal(beneath.reads, 2);
  });

  test('is asked for again when it was replaced, and when news may have been lost', async (t) => {
    const { cache, beneath, memory, stored, tell } = makeStores(t);
    const record = await stored();
    const found = await cache.read('session', record.id);
    await memory.replace({ ...record, body: 'other' }, found?.revision ?? '');
    assert.equal((await cache.read('session', record.id))?.record.body, 'other');
    tell({ change: 'unknown' });
    await cache.read('session', record.id);
    assert.equal(beneath.reads, 3);
  });

  test('is asked for again when it was replaced while it was read', async (t) => {
    const { cache, beneath, memory, stored } = makeStores(t);
    const record = await stored();
    const revision = (await memory.read('session', record.id))?.revision ?? '';
    const { promise, resolve } = Promise.withResolvers<void>();
    beneath.held = promise;
    const reading = cache.read('session', record.id);
    await memory.replace({ ...record, body: 'other' }, revision);
    resolve();
    await reading;
    assert.equal((await cache.read('session', record.id))?.record.body, 'other');
  });

  test('that there is none is believed for a second', async (t) => {
    const { cache, beneath, advance } = makeStores(t);
    for (let count = 0; count < 10; count += 1) await cache.read('session', 'nobody');
    assert.equal(beneath.reads, 1);
    advance(1_001);
    await cache.read('session', 'nobody');
    assert.equal(beneath.reads, 2);
  });

  test('does not come back by a read that was on its way when it was removed', async (t) => {
    const { cache, beneath, memory, stored } = makeStores(t);
    const { id } = await stored();
    const { promise, resolve } = Promise.withResolvers<void>();
    beneath.held = promise;
    const reading = cache.read('session', id);
    await memory.remove('session', id);
    resolve();
    await reading;
    beneath.away = true;
    await assert.rejects(cache.read('session', id), isUnavailable);
  });
});

describe('with the store away', () => {
  test('what was read goes on for the grace and no longer, new ones are refused, and one line tells of each change', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const { cache, beneath, lines, isUp, advance, stored } = makeStores(t);
    const [known, unknown] = [await stored(), await stored()];
    await cache.read('session', known.id);
    advance(600_001);
    beneath.away = true;
    for (let count = 0; count < 3; count += 1) assert.ok(await cache.read('session', known.id));
    await assert.rejects(cache.read('session', unknown.id), isUnavailable);
    await assert.rejects(cache.create({ ...known, id: 'new' }), isUnavailable);
    assert.equal(await isUp(), false);
    advance(graceMs - 1_000);
    assert.ok(await cache.read('session', known.id));
    advance(1_001);
    await assert.rejects(cache.read('session', known.id), isUnavailable);
    t.mock.timers.tick(1_000);
    beneath.away = false;
    assert.ok(await cache.read('session', known.id));
    assert.equal(await isUp(), true);
    assert.deepEqual(lines, [
      'the session store is away: live sessions go on, and nobody can sign in',
      'the session store is away for too long: sessions are no longer believed',
      'the session store is back',
    ]);
  });

  test('what was read a moment before is believed for the grace and no longer, though nothing was heard of it', async (t) => {
    const shortMs = 60_000;
    const { cache, beneath, advance, stored } = makeStores(t, shortMs);
    const [{ id }, other] = [await stored(), await stored()];
    await cache.read('session', id);
    beneath.away = true;
    await assert.rejects(cache.read('session', other.id), isUnavailable);
    advance(shortMs - 1_000);
    assert.ok(await cache.read('session', id));
    advance(1_001);
    await assert.rejects(cache.read('session', id), isUnavailable);
  });

  test('what was not there a moment ago is no answer once it is known to be away', async (t) => {
    const { cache, beneath, stored } = makeStores(t);
    await cache.read('session', 'nobody');
    beneath.away = true;
    await assert.rejects(cache.create({ ...(await stored()), id: 'x' }), isUnavailable);
    await assert.rejects(cache.read('session', 'nobody'), isUnavailable);
  });

  test('a session ends in its own time all the same', async (t) => {
    const { cache, beneath, now, stored, advance } = makeStores(t);
    const { id } = await stored(now() + 5_000);
    await cache.read('session', id);
    beneath.away = true;
    await assert.rejects(cache.create({ ...(await stored()), id: 'x' }), isUnavailable);
    assert.ok(await cache.read('session', id));
    advance(5_001);
    await assert.rejects(cache.read('session', id), isUnavailable);
  });

  test('it is noticed within a second that it is back, though nobody asks', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const { cache, beneath, isUp } = makeStores(t);
    beneath.away = true;
    await assert.rejects(cache.read('session', 'x'), isUnavailable);
    beneath.away = false;
    assert.equal(await isUp(), false);
    t.mock.timers.tick(1_000);
    await new Promise((resolve) => void setImmediate(resolve));
    assert.equal(await isUp(), true);
  });

  test('it may take no writes alone: one line and the metric say so until it takes one, and sessions are read', async (t) => {
    const { cache, beneath, lines, isUp, stored, now } = makeStores(t);
    const [one, other] = [await stored(), await stored()];
    beneath.readOnly = true;
    for (let count = 0; count < 3; count += 1) {
      await assert.rejects(cache.create({ ...one, id: 'new' }), isUnavailable);
      await new Promise((resolve) => void setImmediate(resolve));
      assert.ok(await cache.read('session', other.id));
      assert.equal(await isUp(), false);
    }
    beneath.readOnly = false;
    assert.equal(await cache.create({ ...one, id: 'new', expiresAt: now() + 9_999 }), true);
    assert.equal(await isUp(), true);
    assert.deepEqual(lines, [
      'the session store takes no writes: live sessions go on, and nobody can sign in',
      'the session store takes writes again',
    ]);
  });

  test('a store of which strangers ask too much is not away, nor back', async (t) => {
    const { cache, beneath, isUp } = makeStores(t);
    const busy = () => assert.rejects(cache.read('session', `made up ${Math.random()}`), { code: 'busy' });
    beneath.busy = true;
    await busy();
    assert.equal(await isUp(), true);
    beneath.away = true;
    await assert.rejects(cache.read('session', 'nobody'));
    beneath.away = false;
    await busy();
    assert.equal(await isUp(), false);
  });

  test('a full store is not away', async (t) => {
    const { isUp } = makeStores(t);
    const kept = createMemoryStore({ max: 1 });
    const metrics = createMetrics();
    const cache = cached(kept, { graceMs: () => graceMs, log: createLogger('silent'), metrics });
    t.after(() => cache.close());
    const record: StoredRecord = {
      type: 'session',
      id: 'a',
      index: {},
      listing: '',
      body: '',
      expiresAt: Date.now() + 9_999,
    };
    await cache.create(record);
    await assert.rejects(cache.create({ ...record, id: 'b' }), { code: 'full' });
    assert.equal((await metrics.storeUp.get()).values[0]?.value, 1);
    assert.equal(await isUp(), true);
  });
});
