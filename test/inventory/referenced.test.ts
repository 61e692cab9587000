// Secrets and ConfigMaps: content is fetched for a reason only, follows its object within moments, and what may not be read harms nothing else.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { clusterInventory } from '../../src/inventory/cluster.ts';
import type { InventorySource } from '../../src/inventory/source.ts';
import { systemClock } from '../../src/inventory/watch.ts';
import { createKubernetesClient } from '../../src/kubernetes/client.ts';
import { collections, reachOf, referencedCollections } from '../../src/model/objects.ts';
import type { Inventory, ReferencedCollection } from '../../src/model/objects.ts';
import { createMetrics } from '../../src/telemetry.ts';
import { fail, startFakeApi, status } from './fake-api.ts';
import type { FakeApi, Fault } from './fake-api.ts';
import { lines, until } from './log.ts';

const kindsWithoutConfigMaps = 10;
let api: FakeApi;
let source: InventorySource | undefined;
let inventories: Inventory[];
let log: ReturnType<typeof lines>;
let slept: number[];
let longestSleepMs: number;

beforeEach(async () => {
  api = await startFakeApi();
  inventories = [];
  log = lines();
  slept = [];
  longestSleepMs = 10;
});
afterEach(async () => {
  await source?.stop();
  source = undefined;
  await api.stop();
});

async function start(namespaces?: string[]): Promise<void> {
  source = clusterInventory({
    client: createKubernetesClient({ server: api.url, credentials: async () => ({}) }),
    log: log.logger,
    metrics: createMetrics(),
    onChange: (inventory) => void inventories.push(inventory),
    clock: {
      ...systemClock,
      random: () => 0.5,
      sleep: (ms, signal) => {
        slept.push(ms);
        return systemClock.sleep(Math.min(ms, longestSleepMs), signal);
      },
    },
    ...(namespaces && { namespaces }),
  });
  await source.start();
}
const latest = () => inventories.at(-1)!;
const reference = (collection: ReferencedCollection, ...keys: string[]) =>
  source!.reference({ secrets: new Set(), configMaps: new Set(), [collection]: new Set(keys) });
const asked = (pattern: RegExp) => api.seen.filter(({ path }) => pattern.test(path));

for (const collection of referencedCollections) {
  const { kind, resource } = collections[collection];
  const all = `/api/v1/${resource}`;
  const inDefault = `/api/v1/namespaces/default/${resource}`;
  const gets = () => asked(new RegExp(`^${inDefault}/`)).map(({ path }) => path);
  const found = (name: string) => latest()[collection].get(`default/${name}`);
  const dataOf = (name: string) => found(name)?.['data'];
  /** An object as the watch shows it, and as a GET answers it. */
  function put(name: string, value: string, annotations: Record<string, string> = {}): void {
    const metadata = { name, namespace: 'default', annotations };
    api.put(inDefault, { metadata, apiVersion: 'v1', kind, data: { k: value } }, true);
    api.put(all, { metadata });
  }
  /** Referring to something is what begins the watch of ConfigMaps. */
  async function watching(): Promise<void> {
    reference(collection, 'default/named', 'default/missing');
    await until(() => asked(new RegExp(`^${all}$`)).length >= 2);
    await until(() => reachOf(latest(), collection, 'default/missing') === 'Listed');
  }

  describe(`the content of a ${kind}`, () => {
    test('is fetched when something refers to it, again when it changes, and forgotten afterwards', async () => {
      put('named', 'v1');
      put('other', 'x');
      await start();
      assert.deepEqual(gets(), []);
      await watching();
      reference(collection, 'default/named', 'default/missing');
      await until(() => dataOf('named') !== undefined);
      assert.deepEqual(dataOf('named'), { k: 'v1' });
      assert.equal(found('named')?.kind, kind);
      assert.deepEqual(gets(), [`${inDefault}/named`]);
      assert.ok(asked(new RegExp(`^${all}$`)).every(({ accept }) => accept.includes(';as=PartialObjectMetadata')));
      put('named', 'v2');
      await until(() => (dataOf('named') as { k: string }).k === 'v2');
      assert.equal(gets().length, 2);
      reference(collection);
      await until(() => dataOf('named') === undefined);
      assert.equal(found('named')?.kind, 'PartialObjectMetadata');
      put('named', 'v3');
      await sleep(50);
      assert.equal(gets().length, 2);
      // Referred to, forgotten and referred to again, while it stays as it is.
      for (const times of [3, 4]) {
        reference(collection, 'default/named');
        await until(() => (dataOf('named') as { k: string } | undefined)?.k === 'v3');
        assert.equal(gets().length, times);
        reference(collection);
        await until(() => dataOf('named') === undefined);
      }
      assert.equal(found('other')?.kind, 'PartialObjectMetadata');
    });

    test('comes when its object does, and goes when it goes', async () => {
      await start();
      await watching();
      assert.deepEqual(gets(), []);
      put('named', 'v1');
      await until(() => dataOf('named') !== undefined);
      api.remove(all, 'named');
      await until(() => found('named') === undefined);
      assert.equal(reachOf(latest(), collection, 'default/named'), 'Listed');
    });

    test('that nothing refers to makes no round, whatever happens to labels and annotations', async () => {
      put('busy', 'v1');
      await start();
      await watching();
      const rounds = inventories.length;
      for (let index = 0; index < 5; index++) put('busy', 'v1', { heartbeat: String(index) });
      await sleep(50);
      assert.equal(inventories.length, rounds);
      assert.deepEqual(found('busy')?.metadata, { name: 'busy', namespace: 'default' });
    });

    test('is fetched for at most eight at once, and a failure is tried again', async () => {
      for (let index = 0; index < 20; index++) put(`s${index}`, 'v1');
      await start();
      let open = 0;
      let most = 0;
      let failures = 3;
      api.onOther((request, response) => {
        if (failures-- > 0) return void fail(500)(request, response);
        open += 1;
        most = Math.max(most, open);
        setTimeout(() => {
          open -= 1;
          const metadata = { name: request.path.split('/').at(-1)!, namespace: 'default' };
          response.end(JSON.stringify({ kind, metadata, data: { k: 'v1' } }));
        }, 20);
        return true;
      });
      reference(collection, ...Array.from({ length: 20 }, (_, index) => `default/s${index}`));
      await until(() => latest()[collection].size === 20);
      await until(() => [...latest()[collection].values()].every((object) => object.kind === kind));
      assert.equal(most, 8);
      assert.equal(log.of('content not fetched').length, 3);
    });

    test('that went before the watch says so is asked for with pauses', async () => {
      put('named', 'v1');
      await start();
      api.onOther(fail(404));
      reference(collection, 'default/named');
      await until(() => gets().length > 0);
      await sleep(100);
      assert.ok(slept.length >= gets().length - 1, `${gets().length} requests, ${slept.length} pauses`);
      assert.deepEqual(log.of('content not fetched'), []);
    });

    test('that could not be fetched is asked for at once when it changes', async () => {
      put('named', 'v1');
      await start();
      longestSleepMs = 60_000;
      api.onOther(fail(404));
      reference(collection, 'default/named');
      await until(() => slept.length === 1);
      put('named', 'v2');
      await until(() => slept.length === 2, 500);
      api.onOther(() => false);
      api.remove(all, 'named');
      put('named', 'v2');
      await until(() => dataOf('named') !== undefined, 500);
      assert.deepEqual(slept, [1200, 2000]);
      // The same while the question is on its way.
      let held = false;
      api.onOther((request, response) => {
        if (held) return false;
        held = true;
        setTimeout(() => fail(404)(request, response), 100);
        return true;
      });
      put('named', 'v3');
      await until(() => held);
      put('named', 'v4');
      await until(() => (dataOf('named') as { k: string }).k === 'v4', 500);
      // And what succeeded between two failures was the end of the first.
      api.onOther(fail(500));
      put('named', 'v5');
      await until(() => slept.length === 3, 500);
      put('named', 'v6');
      await until(() => slept.length === 4, 500);
      assert.deepEqual(slept.slice(2), [1200, 2000]);
    });

    test('that cannot be fetched holds up none that can', async () => {
      for (let index = 0; index < 20; index++) put(`bad${index}`, 'v1');
      put('named', 'v1');
      await start();
      longestSleepMs = 60_000;
      api.onOther((request, response) => (request.path.includes('/bad') ? fail(403)(request, response) : false));
      const bad = Array.from({ length: 20 }, (_, index) => `default/bad${index}`);
      reference(collection, ...bad, 'default/named');
      await until(() => dataOf('named') !== undefined, 500);
      await until(() => bad.every((key) => reachOf(latest(), collection, key) === 'Forbidden'), 500);
      assert.equal(gets().length, 21);
    });

    test('that may not be read is said to be forbidden, and arrives once it may', async () => {
      put('named', 'v1');
      await start();
      api.onOther(fail(403));
      reference(collection, 'default/named');
      await until(() => reachOf(latest(), collection, 'default/named') === 'Forbidden');
      assert.equal(reachOf(latest(), collection, 'default/missing'), 'Listed');
      api.onOther(() => false);
      await until(() => found('named')?.kind === kind);
      assert.equal(reachOf(latest(), collection, 'default/named'), 'Listed');
      assert.equal(log.of('content not fetched').length, 1);
    });
  });
}

describe('ConfigMaps', () => {
  const path = '/api/v1/configmaps';
  const metadataOf = (name: string, namespace = 'default') => ({ metadata: { name, namespace } });
  const lists = () => asked(/configmaps/);
  /** Answers the next list if it is one of ConfigMaps. */
  const forbid: Fault = (request, response) =>
    request.path.includes('configmaps') ? void fail(403)(request, response) : false;

  test('are not asked for while nothing refers to one, and await nobody', async () => {
    api.put(path, metadataOf('a'));
    await start();
    await until(() => api.watchers.size === kindsWithoutConfigMaps);
    reference('secrets', 'default/s');
    assert.equal(reachOf(latest(), 'configMaps', 'default/a'), 'Pending');
    assert.equal(reachOf(latest(), 'secrets', 'default/a'), 'Listed');
    await sleep(50);
    assert.deepEqual(lists(), []);
    reference('configMaps', 'default/other');
    reference('configMaps', 'default/other');
    await until(() => latest().configMaps.has('default/a'));
    reference('configMaps');
    await sleep(20);
    assert.equal(lists().length, 2, 'one list and one watch, which goes on');
    assert.equal(api.watchers.size, kindsWithoutConfigMaps + 1);
  });

  test('that may not be listed are forbidden, nothing waits for them, and a permission is noticed', async () => {
    await start();
    api.onList(forbid);
    reference('configMaps', 'default/a');
    await until(() => reachOf(latest(), 'configMaps', 'default/a') === 'Forbidden');
    api.put('/api/v1/secrets', metadataOf('s'));
    await until(() => latest().secrets.has('default/s'));
    api.put(path, metadataOf('a'));
    await until(() => latest().configMaps.has('default/a'));
    assert.equal(reachOf(latest(), 'configMaps', 'default/a'), 'Listed');
  });

  test('whose permission is taken away are there no longer', async () => {
    api.put(path, metadataOf('a'));
    await start();
    reference('configMaps', 'default/a');
    await until(() => latest().configMaps.has('default/a') && api.watchers.size === kindsWithoutConfigMaps + 1);
    for (let times = 0; times < 1000; times++) api.onList(forbid);
    const refused = `${JSON.stringify({ type: 'ERROR', object: status(403, 'Forbidden') })}\n`;
    for (const response of api.watchers) response.write(refused);
    await until(() => reachOf(latest(), 'configMaps', 'default/a') === 'Forbidden');
    assert.equal(latest().configMaps.size, 0);
  });

  test('are watched in the namespaces given, each with its own permission, and not elsewhere', async () => {
    await start(['a', 'b']);
    api.put('/api/v1/namespaces/b/configmaps', metadataOf('x', 'b'));
    for (let times = 0; times < 1000; times++) {
      api.onList((request, response) => (request.path.includes('/a/') ? forbid(request, response) : false));
    }
    reference('configMaps', 'a/x', 'b/x', 'c/x');
    await until(() => latest().configMaps.has('b/x'));
    await until(() => reachOf(latest(), 'configMaps', 'a/x') === 'Forbidden');
    assert.equal(reachOf(latest(), 'configMaps', 'b/other'), 'Listed');
    assert.equal(reachOf(latest(), 'configMaps', 'c/x'), 'Unwatched');
    assert.deepEqual(
      [...new Set(lists().map((request) => request.path))].filter((one) => !one.endsWith('/x')).toSorted(),
      ['/api/v1/namespaces/a/configmaps', '/api/v1/namespaces/b/configmaps'],
    );
  });
});
