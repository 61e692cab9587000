// Redis fails in each of its ways, and heals: calls end in time, the log tells once, and sessions are there again.
import assert from 'node:assert/strict';
import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Redacted } from '../../src/model/diagnostic.ts';
import { createRig, failsAfterMs, newRecord, stored } from './rig.ts';
import type { Rig } from './rig.ts';
import { eventually, freePort, startRedis } from './server.ts';
import type { RedisServer } from './server.ts';

const timeoutMs = 2_000;
/** Nothing is waited for: what is known to be away fails at once. */
const atOnceMs = 100;

describe('when Redis is in trouble,', { timeout: 120_000 }, () => {
  let server: RedisServer;
  let rig: Rig;
  const closing: (() => Promise<unknown>)[] = [];
  const open = (settings: Parameters<typeof createRig>[0]) => {
    const opened = createRig(settings, timeoutMs);
    closing.push(() => opened.store.close());
    return opened;
  };
  beforeEach(async () => {
    server = await startRedis();
    rig = open({ urls: [server.url] });
    await rig.store.read('session', 'x');
  });
  afterEach(async () => {
    await Promise.all(closing.splice(0).map((close) => close()));
    await server.stop();
  });
  const codes = () => rig.logged.map(({ code, msg }) => code ?? msg);
  const heals = () => eventually(() => stored(rig.store));

  test('killed and started again: calls fail at once, and news that may be lost are told', async () => {
    await server.kill();
    await eventually(async () => codes().length > 0);
    for (let call = 0; call < 20; call += 1) assert.ok((await failsAfterMs(rig.store.read('session', 'x'))) < atOnceMs);
    rig.heard.length = 0;
    await eventually(async () => rig.heard.length >= 2);
    assert.deepEqual(rig.heard[1], { change: 'unknown' }, 'who cannot hear says so again and again');
    rig.heard.length = 0;
    await server.start();
    await heals();
    assert.deepEqual(rig.heard[0], { change: 'unknown' });
    await eventually(async () => (await rig.store.read('session', 'x')) ?? codes().length === 2, 15_000);
    assert.deepEqual(codes(), ['Unreachable', 'Redis answers again']);
  });

  test('not there when we start: a first call waits for no more than one attempt, and all works once it is', async () => {
    const port = await freePort();
    const early = open({ urls: [`redis://127.0.0.1:${port}`] });
    assert.ok((await failsAfterMs(early.store.read('session', 'x'))) < 1_000);
    const late = await startRedis({ port });
    closing.push(() => late.stop());
    await eventually(() => stored(early.store));
  });

  test('hanging for 5 s: a call ends at its deadline, later ones at once', async () => {
    server.signal('SIGSTOP');
    const first = await Promise.all(Array.from({ length: 50 }, () => failsAfterMs(rig.store.read('session', 'x'))));
    assert.ok(Math.max(...first) < timeoutMs + 500, `the slowest took ${Math.max(...first)} ms`);
    await delay(1_500);
    assert.ok((await failsAfterMs(rig.store.read('session', 'x'))) < atOnceMs);
    await delay(1_500);
    server.signal('SIGCONT');
    await heals();
    assert.deepEqual(codes(), ['Unreachable']);
  });

  test('hanging under load: what is written does not pass for a sign of life', async () => {
    server.signal('SIGSTOP');
    const stopAt = Date.now() + 4_500;
    let last = Number.POSITIVE_INFINITY;
    while (Date.now() < stopAt) {
      const call = failsAfterMs(rig.store.read('session', 'x'));
      call.then((ms) => (last = ms)).catch(() => {});
      await delay(50);
    }
    assert.ok(last < atOnceMs, `the last took ${last} ms`);
    server.signal('SIGCONT');
    await heals();
  });

  test('slow, 1.5 s an answer: calls are answered', async () => {
    const one = await stored(rig.store);
    await server.command('CLIENT', 'PAUSE', '1500', 'ALL');
    assert.deepEqual((await rig.store.read('session', one.id))?.record, one);
    assert.deepEqual(codes(), []);
  });

  test('slow, 3 s an answer: calls end at their deadline', async () => {
    await server.command('CLIENT', 'PAUSE', '3000', 'ALL');
    const ms = await failsAfterMs(rig.store.read('session', 'x'));
    assert.ok(ms < timeoutMs + 500, `${ms} ms`);
    await heals();
  });

  test('its disk is full (MISCONF): it can be read, and the log says why nobody signs in', async () => {
    const one = await stored(rig.store);
    await server.command('CONFIG', 'SET', 'save', '3600 1');
    await mkdir(join(server.directory, 'dump.rdb'));
    await server.command('BGSAVE');
    await eventually(() => failsAfterMs(rig.store.create(newRecord())));
    for (let call = 0; call < 5; call += 1) {
      assert.deepEqual((await rig.store.read('session', one.id))?.record, one);
      await failsAfterMs(rig.store.create(newRecord()));
    }
    rig.heard.length = 0;
    for (const until = Date.now() + 3_500; Date.now() < until; await delay(50))
      assert.deepEqual((await rig.store.read('session', one.id))?.record, one);
    assert.deepEqual(rig.heard, [], 'the connection was kept');
    await rmdir(join(server.directory, 'dump.rdb'));
    await server.command('BGSAVE');
    await heals();
    assert.deepEqual(codes(), ['MISCONF']);
  });

  test('its memory is full (OOM): create says full, while reading, finding and removing go on', async () => {
    const one = await stored(rig.store, { index: { person: 'p' } });
    await server.command('CONFIG', 'SET', 'maxmemory', '1');
    await failsAfterMs(rig.store.create(newRecord()), 'full');
    await failsAfterMs(rig.store.create(newRecord({ index: { person: 'p' } })), 'full');
    assert.deepEqual(await rig.store.find('session', 'person', 'p'), [one]);
    assert.equal(await rig.store.remove('session', one.id), true);
    await server.command('CONFIG', 'SET', 'maxmemory', '0');
    await heals();
    assert.deepEqual(codes(), ['OOM']);
  });

  test('it wants a password (NOAUTH)', async () => {
    await server.command('CONFIG', 'SET', 'requirepass', 'secret');
    const asAdmin = (...words: string[]) => server.commandAs('secret', ...words);
    const admin = open({ urls: [server.url], password: new Redacted('secret') });
    await stored(admin.store);
    const wrong = open({ urls: [server.url], password: new Redacted('wrong') });
    await failsAfterMs(wrong.store.read('session', 'x'));
    assert.deepEqual(
      wrong.logged.map(({ code }) => code),
      ['WRONGPASS'],
    );
    await asAdmin('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await eventually(async () => codes().includes('NOAUTH'));
    await failsAfterMs(rig.store.read('session', 'x'));
    await asAdmin('CONFIG', 'SET', 'requirepass', '');
    await heals();
    assert.equal(codes().filter((code) => code === 'NOAUTH').length, 1);
  });

  test('it has become a replica (READONLY): we leave it, and come back', async () => {
    await server.command('REPLICAOF', '127.0.0.1', '1');
    rig.heard.length = 0;
    await eventually(() => failsAfterMs(rig.store.create(newRecord())));
    await eventually(async () => rig.heard.some(({ change }) => change === 'unknown'));
    await server.command('REPLICAOF', 'NO', 'ONE');
    await heals();
    assert.ok(codes().includes('READONLY'));
  });
});
