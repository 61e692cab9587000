// The inventory of a cluster: what makes a round, what must not, and that a Secret's content is fetched for a reason only.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { clusterInventory } from '../../src/inventory/cluster.ts';
import type { InventorySource } from '../../src/inventory/source.ts';
import { systemClock } from '../../src/inventory/watch.ts';
import { createKubernetesClient } from '../../src/kubernetes/client.ts';
import type { Inventory } from '../../src/model/objects.ts';
import { createMetrics } from '../../src/telemetry.ts';
import { fail, startFakeApi, status } from './fake-api.ts';
import type { FakeApi } from './fake-api.ts';
import { lines, until } from './log.ts';

const policies = '/apis/sallyport.dev/v1alpha1/policies';
const secrets = '/api/v1/secrets';
const namespacedSecrets = '/api/v1/namespaces/default/secrets';
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
  const gets = () => api.seen.filter(({ path }) => path.startsWith(`${namespacedSecrets}/`)).map(({ path }) => path);
  /** A Secret as the watch shows it, and as a GET answers it. */
  function putSecret(name: string, data: Record<string, string>): void {
    api.put(namespacedSecrets, { ...metadataOf(name), apiVersion: 'v1', kind: 'Secret', data }, true);
    api.put(secrets, metadataOf(name));
  }
  const dataOf = (name: string) => latest().secrets.get(`default/${name}`)?.['data'];

  test('starts with one inventory that holds everything, with kinds filled in', async () => {
    api.put(policies, policy('a'));
    putSecret('s', { k: 'djE=' });
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
    putSecret('s', { k: 'djE=' });
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

  test('the content of a Secret is fetched when it is named, again when it changes, and forgotten afterwards', async () => {
    putSecret('named', { k: 'djE=' });
    putSecret('other', { k: 'eA==' });
    await start();
    assert.deepEqual(gets(), []);
    const asked = api.seen.filter(({ path }) => path === secrets);
    assert.ok(asked.length >= 2 && asked.every(({ accept }) => accept.includes(';as=PartialObjectMetadata')));
    source!.reference(new Set(['default/named', 'default/missing']));
    source!.reference(new Set(['default/named', 'default/missing']));
    await until(() => dataOf('named') !== undefined);
    assert.deepEqual(dataOf('named'), { k: 'djE=' });
    assert.equal(latest().secrets.get('default/named')?.kind, 'Secret');
    assert.deepEqual(gets(), [`${namespacedSecrets}/named`]);
    putSecret('named', { k: 'djI=' });
    await until(() => (dataOf('named') as { k: string }).k === 'djI=');
    assert.equal(gets().length, 2);
    source!.reference(new Set());
    await until(() => dataOf('named') === undefined);
    assert.equal(latest().secrets.get('default/named')?.kind, 'PartialObjectMetadata');
    putSecret('named', { k: 'djM=' });
    await sleep(50);
    assert.equal(gets().length, 2);
    assert.equal(latest().secrets.get('default/other')?.['data'], undefined);
  });

  test('a Secret that is named before it exists is fetched when it comes, and goes when it goes', async () => {
    await start();
    source!.reference(new Set(['default/late']));
    await sleep(30);
    assert.deepEqual(gets(), []);
    putSecret('late', { k: 'djE=' });
    await until(() => dataOf('late') !== undefined);
    api.remove(secrets, 'late');
    await until(() => !latest().secrets.has('default/late'));
  });

  test('at most eight Secrets are fetched at once, and a failure is tried again', async () => {
    for (let index = 0; index < 20; index++) putSecret(`s${index}`, { k: 'djE=' });
    await start();
    let open = 0;
    let most = 0;
    let failures = 3;
    api.onOther((_request, response) => {
      if (failures-- > 0) return void fail(500)(_request, response);
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => {
        open -= 1;
        const name = _request.path.split('/').at(-1)!;
        response.end(JSON.stringify({ kind: 'Secret', ...metadataOf(name), data: { k: 'djE=' } }));
      }, 20);
      return true;
    });
    source!.reference(new Set(Array.from({ length: 20 }, (_, index) => `default/s${index}`)));
    await until(() => [...latest().secrets.values()].every((secret) => secret.kind === 'Secret'));
    assert.equal(most, 8);
    assert.equal(log.of('secret not fetched').length, 3);
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
