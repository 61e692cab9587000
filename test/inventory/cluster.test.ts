// The inventory of a cluster: what makes a round, what must not, and what is asked for where.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { clusterInventory } from '../../src/inventory/cluster.ts';
import type { InventorySource } from '../../src/inventory/source.ts';
import { systemClock } from '../../src/inventory/watch.ts';
import { createKubernetesClient } from '../../src/kubernetes/client.ts';
import type { Inventory } from '../../src/model/objects.ts';
import { createMetrics } from '../../src/telemetry.ts';
import { startFakeApi, status } from './fake-api.ts';
import type { FakeApi } from './fake-api.ts';
import { lines, until } from './log.ts';

const policies = '/apis/sallyport.dev/v1alpha1/policies';
const secrets = '/api/v1/secrets';
const policy = (name: string, extra: object = {}) => ({
  metadata: { name, namespace: 'default', uid: '1', generation: 1 },
  spec: { rules: [] },
  ...extra,
});
const metadataOf = (name: string) => ({ metadata: { name, namespace: 'default' } });

describe('the inventory of a cluster', () => {
  let api: FakeApi;
  let source: InventorySource | undefined;
  let inventories: Inventory[];
  let log: ReturnType<typeof lines>;

  beforeEach(async () => {
    api = await startFakeApi();
    inventories = [];
    log = lines();
  });
  afterEach(async () => {
    await source?.stop();
    await api.stop();
  });

  async function start(namespaces?: string[]): Promise<void> {
    source = clusterInventory({
      client: createKubernetesClient({ server: api.url, credentials: async () => ({}) }),
      log: log.logger,
      metrics: createMetrics(),
      onChange: (inventory) => void inventories.push(inventory),
      clock: { ...systemClock, sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 10), signal) },
      ...(namespaces && { namespaces }),
    });
    await source.start();
    await until(() => api.watchers.size === (namespaces === undefined ? 10 : namespaces.length * 6 + 4));
  }
  const latest = () => inventories.at(-1)!;

  test('starts with one inventory that holds everything, with kinds filled in', async () => {
    api.put(policies, policy('a'));
    api.put(secrets, metadataOf('s'));
    await start();
    assert.equal(inventories.length, 1);
    assert.equal(latest().policies.get('default/a')?.kind, 'Policy');
    assert.equal(latest().policies.get('default/a')?.apiVersion, 'sallyport.dev/v1alpha1');
    assert.equal(latest().secrets.get('default/s')?.kind, 'PartialObjectMetadata');
    assert.ok(Object.isFrozen(latest().policies.get('default/a')?.metadata));
  });

  test('a burst of changes is one round, and untouched maps and objects stay the same', async () => {
    api.put(policies, policy('a'));
    await start();
    const before = latest();
    for (let index = 0; index < 50; index++) api.put(policies, policy(`p${index}`));
    await until(() => latest().policies.size === 51);
    assert.ok(inventories.length <= 5, `${inventories.length} rounds`);
    assert.equal(latest().policies.get('default/a'), before.policies.get('default/a'));
    assert.equal(latest().ingresses, before.ingresses);
    assert.equal(before.policies.size, 1);
  });

  test('what was deleted while nobody watched goes with the next list, and the rest stays the same', async () => {
    api.put(policies, policy('a'));
    api.put(policies, policy('b'));
    api.put(secrets, metadataOf('s'));
    await start();
    const before = latest();
    api.remove(policies, 'a', true);
    api.remove(secrets, 's', true);
    const expired = `${JSON.stringify({ type: 'ERROR', object: status(410, 'Expired') })}\n`;
    for (const response of api.watchers) response.write(expired);
    await until(() => latest().policies.size === 1 && latest().secrets.size === 0);
    assert.equal(latest().policies.get('default/b'), before.policies.get('default/b'));
    assert.equal(latest().ingresses, before.ingresses);
  });

  test('a change of status, managedFields or version alone makes no round, but the status is there at the next', async () => {
    api.put(policies, policy('a', { status: { routes: 1 } }));
    await start();
    const before = latest();
    assert.deepEqual(before.statuses.get('Policy/default/a'), { routes: 1 });
    const touched = policy('a', { status: { routes: 2 } });
    api.put(policies, { ...touched, metadata: { ...touched.metadata, managedFields: [{ manager: 'sallyport' }] } });
    await sleep(100);
    assert.equal(inventories.length, 1);
    api.put(policies, policy('b'));
    await until(() => inventories.length === 2);
    assert.equal(latest().policies.get('default/a'), before.policies.get('default/a'));
    assert.deepEqual(latest().statuses.get('Policy/default/a'), { routes: 2 });
    assert.equal('status' in latest().policies.get('default/a')!, false);
  });

  test('with namespaces given, nothing namespaced is asked for elsewhere, and Namespaces one by one', async () => {
    await start(['a', 'b']);
    const asked = new Set(api.seen.map(({ path, query }) => path + (query.get('fieldSelector') ?? '')));
    assert.deepEqual([...asked].filter((path) => /secrets|namespaces(metadata|$)/.test(path)).toSorted(), [
      '/api/v1/namespaces/a/secrets',
      '/api/v1/namespaces/b/secrets',
      '/api/v1/namespacesmetadata.name=a',
      '/api/v1/namespacesmetadata.name=b',
    ]);
    assert.ok(asked.has('/apis/sallyport.dev/v1alpha1/clusterpolicies'));
    assert.ok(!asked.has('/apis/networking.k8s.io/v1/ingresses'));
  });
});
