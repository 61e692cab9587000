// A master is lost and a replica takes over: sessions live on, what was removed stays removed, and listeners are told to ask.
import assert from 'node:assert/strict';
import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { startCluster } from './cluster.ts';
import type { RedisCluster } from './cluster.ts';
import { createRig, newRecord, stored } from './rig.ts';
import type { Rig } from './rig.ts';
import { masterName, startWatched } from './sentinel.ts';
import type { Watched } from './sentinel.ts';
import { eventually, startRedis } from './server.ts';
import type { RedisServer } from './server.ts';

describe('Sentinel promotes a replica', { timeout: 90_000 }, () => {
  let watched: Watched;
  let rig: Rig;
  before(async () => {
    watched = await startWatched();
    rig = createRig({ urls: watched.sentinelUrls, sentinel: masterName });
  });
  after(async () => {
    await rig.store.close();
    await watched.stop();
  });

  test('sessions live on, and one that was removed the moment before stays removed', async () => {
    const kept = await stored(rig.store, { index: { person: 'ana' } });
    const ended = await stored(rig.store, { index: { person: 'ana' } });
    assert.equal(await rig.store.remove('session', ended.id), true);
    await watched.master.kill();
    rig.heard.length = 0;
    const startedAt = Date.now();
    await eventually(() => stored(rig.store), 30_000);
    assert.ok(Date.now() - startedAt < 15_000, `back after ${Date.now() - startedAt} ms`);
    assert.deepEqual(await rig.store.find('session', 'person', 'ana'), [kept]);
    assert.equal(await rig.store.read('session', ended.id), undefined);
    assert.deepEqual(rig.heard[0], { change: 'unknown' });
  });

  test('news travel over the new master', async () => {
    const other = createRig({ urls: watched.sentinelUrls, sentinel: masterName });
    const one = await stored(other.store);
    await eventually(async () => rig.heard.some((news) => news.change === 'created' && news.id === one.id));
    await other.store.close();
  });

  test('the old master comes back as a replica, and is not taken for the master', async () => {
    await watched.master.start();
    await eventually(
      async () => String(await watched.master.command('INFO', 'replication')).includes('role:slave'),
      30_000,
    );
    const late = createRig({ urls: watched.sentinelUrls, sentinel: masterName });
    await stored(late.store);
    await late.store.close();
  });

  test('a master that nobody knows is told by name', async () => {
    const lost = createRig({ urls: watched.sentinelUrls, sentinel: 'nobody' });
    await assert.rejects(lost.store.read('session', 'x'), /no Sentinel tells where the master nobody is/);
    await lost.store.close();
  });
});

describe('a replica takes over in a Cluster', { timeout: 120_000 }, () => {
  let cluster: RedisCluster;
  let rig: Rig;
  before(async () => {
    cluster = await startCluster(3, 1);
    rig = createRig({ urls: cluster.urls, cluster: true });
  });
  after(async () => {
    await rig.store.close();
    await cluster.stop();
  });
  const ids = Array.from({ length: 30 }, () => newRecord().id);
  const readAll = () => Promise.all(ids.map(async (id) => (await rig.store.read('session', id)) !== undefined));

  test('sessions on all nodes live on, and those that were removed stay removed', async () => {
    for (const id of ids) await stored(rig.store, { id, index: { person: 'ana' } });
    for (const id of ids.slice(0, 10)) assert.equal(await rig.store.remove('session', id), true);
    await cluster.masters[0]?.kill();
    const startedAt = Date.now();
    await eventually(readAll, 30_000);
    for (let round = 0; round < 10; round += 1) await eventually(() => stored(rig.store), 30_000);
    assert.ok(Date.now() - startedAt < 20_000, `back after ${Date.now() - startedAt} ms`);
    const alive = await readAll();
    assert.deepEqual(
      alive,
      ids.map((_, index) => index >= 10),
    );
    await eventually(async () => (await rig.store.find('session', 'person', 'ana')).length === 20);
  });

  test('a store that starts while a node is down finds the rest', async () => {
    const late = createRig({ urls: cluster.urls, cluster: true });
    await eventually(async () => (await late.store.find('session', 'person', 'ana')).length === 20);
    await late.store.close();
  });

  test('a master that hangs is left for its replica', async () => {
    cluster.masters[1]?.signal('SIGSTOP');
    await eventually(async () => (await readAll()).filter(Boolean).length === 20, 40_000);
    cluster.masters[1]?.signal('SIGCONT');
  });

  test('all nodes are killed and started again', async () => {
    const nodes = [...cluster.masters, ...cluster.replicas];
    await Promise.all(nodes.map((node) => node.kill()));
    await assert.rejects(rig.store.read('session', 'x'));
    await Promise.all(nodes.map((node) => node.start()));
    for (let round = 0; round < 10; round += 1) await eventually(() => stored(rig.store), 40_000);
    rig.heard.length = 0;
    const one = await stored(rig.store);
    await eventually(async () => rig.heard.some((news) => news.change === 'created' && news.id === one.id));
  });

  test('a node that is cut off from the others is not listened to for long', async () => {
    const listening = [];
    for (const node of [...cluster.masters, ...cluster.replicas])
      if (String(await node.command('PUBSUB', 'NUMSUB', 'sallyport:news')).endsWith('1')) listening.push(node);
    const [deaf, ...more] = listening;
    assert.ok(deaf !== undefined && more.length === 0, 'news come from one node');
    const others = [...cluster.masters, ...cluster.replicas].filter((node) => node !== deaf);
    // Left alone, it holds the Cluster for failed, as it would were it cut off.
    for (const node of others) node.signal('SIGSTOP');
    await eventually(async () => String(await deaf.command('CLUSTER', 'INFO')).includes('cluster_state:fail'));
    await eventually(async () => !String(await deaf.command('PUBSUB', 'NUMSUB', 'sallyport:news')).endsWith('1'));
    for (const node of others) node.signal('SIGCONT');
    rig.heard.length = 0;
    await eventually(async () => rig.heard.some(({ change }) => change === 'unknown'), 20_000);
    for (let round = 0; round < 10; round += 1) await eventually(() => stored(rig.store), 40_000);
  });
});

describe('a server that missed a removal brings a record back', { timeout: 30_000 }, () => {
  let server: RedisServer;
  let rig: Rig;
  let other: Rig;
  before(async () => {
    server = await startRedis();
    rig = createRig({ urls: [server.url] });
    other = createRig({ urls: [server.url] });
    await other.store.read('session', 'x');
  });
  after(async () => {
    await Promise.all([rig.store.close(), other.store.close()]);
    await server.stop();
  });
  /** As a failover to a replica that lags does it. */
  const removedAndBack = async () => {
    const one = await stored(rig.store, { index: { person: 'ana' } });
    const key = `sallyport:session:${one.id}`;
    const value = String(await server.command('GET', key));
    const revision = (await rig.store.read('session', one.id))?.revision ?? '';
    await rig.store.remove('session', one.id);
    await eventually(async () => other.heard.some((news) => news.change === 'removed' && news.id === one.id));
    await server.command('SET', key, value, 'PX', '600000');
    return { one, key, revision };
  };

  test('nobody who heard of the removal can read, find, take or replace it', async () => {
    for (const { store } of [rig, other]) {
      const read = await removedAndBack();
      assert.equal(await store.read('session', read.one.id), undefined);
      const found = await removedAndBack();
      assert.deepEqual(await store.find('session', 'person', 'ana'), []);
      assert.equal(await server.command('EXISTS', found.key), 0);
      const taken = await removedAndBack();
      assert.equal(await store.take('session', taken.one.id), undefined);
      const replaced = await removedAndBack();
      assert.equal(await store.replace(replaced.one, replaced.revision), false);
    }
  });

  test('a new life under the same id is not touched', async () => {
    const { one } = await removedAndBack();
    assert.equal(await rig.store.read('session', one.id), undefined);
    assert.equal(await rig.store.create({ ...one, body: 'another life' }), true);
    assert.equal((await rig.store.read('session', one.id))?.record.body, 'another life');
    assert.equal((await other.store.read('session', one.id))?.record.body, 'another life');
  });

  test('it ends again as soon as the server is reached, whether or not anybody asks', async () => {
    const { key } = await removedAndBack();
    await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await eventually(async () => (await server.command('EXISTS', key)) === 0);
  });

  test('where Redis takes no writes at first, it ends as soon as it does', async () => {
    const { key } = await removedAndBack();
    await server.command('CONFIG', 'SET', 'save', '3600 1');
    await mkdir(join(server.directory, 'dump.rdb'));
    await server.command('BGSAVE');
    await eventually(async () => String(await server.command('INFO', 'persistence')).includes('bgsave_status:err'));
    await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await eventually(() => rig.store.read('session', 'x'));
    await delay(500);
    assert.equal(await server.command('EXISTS', key), 1);
    await rmdir(join(server.directory, 'dump.rdb'));
    await server.command('BGSAVE');
    await eventually(async () => (await server.command('EXISTS', key)) === 0);
  });
});
