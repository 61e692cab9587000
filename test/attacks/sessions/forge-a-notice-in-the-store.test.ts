// Who can write to the store, and has no key, tells replicas that sessions ended, or the operator that replicas confirmed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createKeyRing, seal } from '../../../src/auth/keys.ts';
import { createLocalAuthority } from '../../../src/auth/local.ts';
import { openNotice } from '../../../src/auth/revocation/notice.ts';
import { defaultClassSettings } from '../../../src/model/settings.ts';
import { createMemoryStore } from '../../../src/sessions/memory.ts';
import type { Store, StoredRecord } from '../../../src/sessions/store.ts';
import { createLogger, createMetrics } from '../../../src/telemetry.ts';

const ring = createKeyRing();

function layOut(t: TestContext) {
  const store = createMemoryStore();
  const notices: StoredRecord[] = [];
  const spied: Store = {
    ...store,
    create(record) {
      if (record.type === 'notice') notices.push(record);
      return store.create(record);
    },
  };
  const authority = createLocalAuthority({
    store: spied,
    settings: { class: defaultClassSettings, providers: [], keyRing: ring },
    log: createLogger('silent'),
    metrics: createMetrics(),
    replica: 'ours',
  });
  t.after(async () => {
    await authority.close();
    await store.close();
  });
  const announce = async () => {
    const operated = await authority.operate({ announce: ['A'.repeat(22)], by: 'root', replicas: 2 });
    assert('ok' in operated && 'confirmed' in operated.ok);
    return operated.ok.confirmed.map(({ replica }) => replica);
  };
  return { store, notices, announce };
}

const confirmation = (notice: string) => JSON.stringify({ kind: 'Confirmed', notice, replica: 'forged' });

test('a confirmation that no ring of ours sealed counts for nothing', async (t) => {
  const { store, notices, announce } = layOut(t);
  const confirmed = announce();
  while (notices.length === 0) await new Promise((resolve) => void setImmediate(resolve));
  const [told] = notices;
  assert(told);
  const { expiresAt } = told;
  const forge = (id: string, body: string) =>
    store.create({ type: 'notice', id, index: {}, listing: '', body, expiresAt });
  const plain = confirmation(told.id);
  await forge('plain', plain);
  await forge('other-ring', seal(createKeyRing(), 'notice', plain, `other-ring ${expiresAt}`));
  // The attacker got something sealed with the right ring, for another use.
  await forge('other-use', seal(ring, 'listing', plain, `other-use ${expiresAt}`));
  assert.deepEqual(await confirmed, ['ours']);
});

test('a confirmation seen before cannot be laid there again, for another notice, under another name, or for longer', async (t) => {
  const { notices, announce } = layOut(t);
  assert.deepEqual(await announce(), ['ours']);
  const real = notices[1];
  assert(real && openNotice(ring, real)?.kind === 'Confirmed');
  assert.equal(openNotice(ring, { ...real, id: 'another' }), undefined);
  assert.equal(openNotice(ring, { ...real, expiresAt: real.expiresAt + 60_000 }), undefined);
});

test('a forged end is confirmed by nobody, and ends nothing', async (t) => {
  const { store, notices } = layOut(t);
  const expiresAt = Date.now() + 60_000;
  await store.create({ type: 'session', id: 'victim', index: {}, listing: '', body: '', expiresAt });
  const ended = JSON.stringify({ kind: 'Ended', sessions: ['victim'], by: 'root' });
  for (const [id, body] of [
    ['plain', ended],
    ['other-ring', seal(createKeyRing(), 'notice', ended, `other-ring ${expiresAt}`)],
  ] as const) {
    await store.create({ type: 'notice', id, index: {}, listing: '', body, expiresAt });
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(notices, []);
  assert.ok(await store.read('session', 'victim'));
});
