// A measured store answers as the store does, and counts what it does.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { measured } from '../../src/sessions/measured.ts';
import { createMemoryStore } from '../../src/sessions/memory.ts';
import type { StoredRecord } from '../../src/sessions/store.ts';
import { createMetrics } from '../../src/telemetry.ts';

const metrics = createMetrics();
const store = measured(createMemoryStore({ max: 1 }), metrics);
after(() => store.close());
const record: StoredRecord = {
  type: 'session',
  id: 'a',
  index: { person: 'ana' },
  listing: '',
  body: '',
  expiresAt: Date.now() + 60_000,
};
const page = () => metrics.registry.metrics();

test('each operation is timed under its name, and each error counted by its code', async () => {
  assert.equal(await store.create(record), true);
  await assert.rejects(store.create({ ...record, id: 'b' }), { code: 'full' });
  const found = await store.read('session', 'a');
  assert.deepEqual(found?.record, record);
  assert.equal(await store.replace(record, found.revision), true);
  assert.deepEqual(await store.find('session', 'person', 'ana'), [record]);
  assert.deepEqual(await store.take('session', 'a'), record);
  assert.equal(await store.remove('session', 'a'), false);
  await store.close();
  await assert.rejects(store.read('session', 'a'), { code: 'unavailable' });

  const text = await page();
  const count = (operation: string) =>
    Number(new RegExp(`sallyport_store_seconds_count{operation="${operation}"} (\\d+)`).exec(text)?.[1]);
  assert.deepEqual(['create', 'read', 'replace', 'find', 'take', 'remove'].map(count), [2, 2, 1, 1, 1, 1]);
  assert.match(text, /sallyport_store_errors_total{code="full"} 1/);
  assert.match(text, /sallyport_store_errors_total{code="unavailable"} 1/);
});
