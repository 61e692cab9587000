// What a process hears of changes that others made, and what it makes of news that it missed or does not understand.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { createRig, newRecord, stored } from './rig.ts';
import type { Rig } from './rig.ts';
import { eventually, startRedis } from './server.ts';
import type { RedisServer } from './server.ts';

describe('news between processes', { timeout: 60_000 }, () => {
  let server: RedisServer;
  let here: Rig;
  let there: Rig;
  before(async () => {
    server = await startRedis();
    here = createRig({ urls: [server.url] });
    there = createRig({ urls: [server.url] });
    await Promise.all([here, there].map(({ store }) => store.read('session', 'x')));
  });
  after(async () => {
    await Promise.all([here.store.close(), there.store.close()]);
    await server.stop();
  });
  const heardThere = (id: string) =>
    there.heard.flatMap((news) => (news.change !== 'unknown' && news.id === id ? [news.change] : []));

  test('each change is heard elsewhere, in order, and at once', async () => {
    const one = await stored(here.store);
    const revision = (await here.store.read('session', one.id))?.revision ?? '';
    await here.store.replace({ ...one, body: 'new' }, revision);
    await here.store.remove('session', one.id);
    await eventually(async () => heardThere(one.id).length === 3, 200);
    assert.deepEqual(heardThere(one.id), ['created', 'replaced', 'removed']);
  });

  test('a record that was read here and expires is told of here, whoever wrote it', async () => {
    const one = await stored(here.store, { expiresAt: Date.now() + 700 });
    await there.store.read('session', one.id);
    await eventually(async () => heardThere(one.id).includes('removed'), 4_000);
  });

  test('a record whose end was moved without our hearing of it is not told to have ended', async () => {
    const one = await stored(here.store, { expiresAt: Date.now() + 700 });
    await server.command('PEXPIRE', `sallyport:session:${one.id}`, '2500');
    await delay(2_200);
    assert.deepEqual(heardThere(one.id), ['created']);
    await eventually(async () => heardThere(one.id).includes('removed'), 4_000);
  });

  test('what is on the channel and not ours is passed over', async () => {
    const before = there.heard.length;
    for (const text of [
      '',
      'removed',
      'removed session x',
      'removed elephant x 1',
      `created session ${'x'.repeat(99)} 1`,
      '{}',
    ])
      await server.command('PUBLISH', 'sallyport:news', text);
    const one = await stored(here.store);
    await eventually(async () => heardThere(one.id).length === 1);
    assert.equal(there.heard.length, before + 1);
  });

  test('what is under a key of ours and no record is none', async () => {
    const { id } = newRecord();
    for (const value of ['', 'x', 'x {', 'x null', 'x 7', `x ${JSON.stringify({ body: 1 })}`]) {
      await server.command('SET', `sallyport:session:${id}`, value);
      assert.equal(await here.store.read('session', id), undefined, value);
      assert.equal(await here.store.take('session', id), undefined, value);
    }
  });

  test('an index set goes with the last record that it led to', async () => {
    const index = { person: newRecord().id };
    const key = `sallyport:index:session:person:${index.person}`;
    await stored(here.store, { index, expiresAt: Date.now() + 400 });
    const last = await stored(here.store, { index, expiresAt: Date.now() + 1_500 });
    await delay(600);
    assert.deepEqual(await here.store.find('session', 'person', index.person), [last]);
    await stored(here.store, { index, expiresAt: Date.now() + 900 });
    assert.equal(await server.command('ZCARD', key), 2);
    await eventually(async () => (await server.command('EXISTS', key)) === 0, 4_000);
  });
});
