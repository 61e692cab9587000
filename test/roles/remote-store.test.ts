// The store at the other end of a line keeps the contract; so do its deadline, its bound, and what it says when nobody answers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryLink } from '../../src/roles/messages.ts';
import type { StoreQuestion, StoreReply } from '../../src/roles/messages.ts';
import { answerForStore, askStore } from '../../src/roles/remote-store.ts';
import { createMemoryStore } from '../../src/sessions/memory.ts';
import { StoreError } from '../../src/sessions/store.ts';
import type { RecordChange, Store } from '../../src/sessions/store.ts';
import { createLogger } from '../../src/telemetry.ts';
import { storeContract } from '../sessions.contract.ts';

const soon = () => new Promise((resolve) => void setImmediate(resolve));
const silent = createLogger('silent');
const line = () => memoryLink<StoreQuestion, StoreReply>(true);

storeContract('the store at the other end of a line', async ({ max } = {}) => {
  let offsetMs = 0;
  const now = () => Date.now() + offsetMs;
  const kept = createMemoryStore({ now, ...(max !== undefined && { max }) });
  const [toControl, toAuth] = line();
  answerForStore(toAuth, () => kept, silent);
  kept.watch((news) => toAuth.send({ type: 'news', news }));
  return { store: askStore(toControl), now, advance: (ms) => void (offsetMs += ms) };
});

test('where nobody answers, each call is unavailable after its deadline', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const [toControl] = line();
  const waiting = assert.rejects(askStore(toControl).read('session', 'x'), { code: 'unavailable', name: 'StoreError' });
  t.mock.timers.tick(12_001);
  await waiting;
});

test('no more than a thousand questions are open, and closing answers them all', async () => {
  const [toControl] = line();
  const store = askStore(toControl);
  const open = Promise.allSettled(Array.from({ length: 1_000 }, () => store.read('session', 'x')));
  await assert.rejects(store.read('session', 'x'), /too many questions/);
  await store.close();
  assert.ok((await open).every((one) => one.status === 'rejected' && one.reason instanceof StoreError));
});

test('control without a store, and one that fails in an unforeseen way, are unavailable', async () => {
  const [toControl, toAuth] = line();
  let kept: Store | undefined;
  answerForStore(toAuth, () => kept, silent);
  const store = askStore(toControl);
  await assert.rejects(store.read('session', 'x'), { code: 'unavailable', message: 'control keeps no store' });
  const broken = () => Promise.reject(new TypeError('secret detail'));
  kept = { ...createMemoryStore(), read: broken };
  await assert.rejects(store.read('session', 'x'), { code: 'unavailable', message: /failed to answer/ });
});

test('that news may have been lost is told across the line', async () => {
  const [toControl, toAuth] = line();
  const heard: RecordChange[] = [];
  askStore(toControl).watch((news) => void heard.push(news));
  toAuth.send({ type: 'news', news: { change: 'unknown' } });
  await soon();
  assert.deepEqual(heard, [{ change: 'unknown' }]);
});
