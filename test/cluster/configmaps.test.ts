// ConfigMaps on a real API server: content is read for a reason only, a change is there within a second, and RBAC that forbids them harms nothing else.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { clusterInventory } from '../../src/inventory/cluster.ts';
import type { InventorySource } from '../../src/inventory/source.ts';
import { createKubernetesClient } from '../../src/kubernetes/client.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import { kubeconfigConnection } from '../../src/kubernetes/connect.ts';
import { reachOf } from '../../src/model/objects.ts';
import type { Inventory } from '../../src/model/objects.ts';
import { createMetrics } from '../../src/telemetry.ts';
import { configMapText } from '../../src/translate/content.ts';
import { createWorld } from '../../src/translate/world.ts';
import { lines, until } from '../inventory/log.ts';
import { startApiServer } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';
import { installCrds } from './install.ts';

const configMap = (name: string, people: string) => `
apiVersion: v1
kind: ConfigMap
metadata: { name: ${name}, namespace: default }
data: { people: ${people} }
`;
const ingress = (name: string) => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: ${name}, namespace: default }
spec: { rules: [{ host: ${name}.example.com }] }
`;
/** All that Sallyport reads where it has no data sets. */
const reader = `
apiVersion: v1
kind: ServiceAccount
metadata: { name: reader, namespace: default }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: reader }
rules:
  - { apiGroups: [""], resources: [services, secrets, namespaces], verbs: [get, list, watch] }
  - { apiGroups: [networking.k8s.io], resources: [ingresses, ingressclasses], verbs: [get, list, watch] }
  - { apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [get, list, watch] }
  - apiGroups: [sallyport.dev]
    resources: [sallyports, identityproviders, policies, clusterpolicies]
    verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: reader }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader }
subjects: [{ kind: ServiceAccount, name: reader, namespace: default }]
`;
const permitted = (rules: string) => `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: data-sets, namespace: default }
rules: ${rules}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: data-sets, namespace: default }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: data-sets }
subjects: [{ kind: ServiceAccount, name: reader, namespace: default }]
`;
const options = { className: 'sallyport', installationNamespace: 'sallyport-system', fromFolder: false };

describe('ConfigMaps of a real API server', () => {
  let server: ApiServer;
  let admin: KubernetesClient;
  const sources: InventorySource[] = [];

  before(async () => {
    server = await startApiServer();
    admin = createKubernetesClient(await kubeconfigConnection(server.kubeconfigPath));
    await installCrds(server);
    await server.apply(reader);
  });
  afterEach(async () => {
    await Promise.all(sources.splice(0).map((source) => source.stop()));
  });
  after(() => server?.stop());

  /** A client that notes what was asked for, and everything that was answered. */
  function overheard(client: KubernetesClient) {
    const paths: string[] = [];
    const answers: unknown[] = [];
    const listening: KubernetesClient = {
      async request(method, path, how) {
        paths.push(path);
        const answer = await client.request(method, path, how);
        answers.push(answer.body);
        return answer;
      },
      async *stream(path, how) {
        for await (const event of client.stream(path, how)) {
          answers.push(event);
          yield event;
        }
      },
    };
    return { listening, paths, heard: (text: string) => JSON.stringify(answers).includes(text) };
  }

  async function start(client: KubernetesClient, namespaces?: string[]) {
    const inventories: Inventory[] = [];
    const log = lines();
    const source = clusterInventory({
      client,
      log: log.logger,
      metrics: createMetrics(),
      onChange: (inventory) => void inventories.push(inventory),
      ...(namespaces && { namespaces }),
    });
    sources.push(source);
    await source.start();
    const latest = () => inventories.at(-1)!;
    /** As a round of translation would: ask, and refer to what was asked for. */
    const people = (name: string, namespace = 'default') => {
      const world = createWorld(latest(), options, 0);
      const found = world.configMap(namespace, name);
      source.reference(world.references);
      return typeof found === 'object' ? configMapText(found, 'people') : found;
    };
    return { source, latest, log, people };
  }

  async function readerClient(): Promise<KubernetesClient> {
    const { stdout } = await server.kubectl(['create', 'token', 'reader', '--duration=1h']);
    const connection = await kubeconfigConnection(server.kubeconfigPath);
    return createKubernetesClient({
      ...connection,
      credentials: async () => ({ ...(await connection.credentials()), authorization: `Bearer ${stdout.trim()}` }),
    });
  }

  test('one that something refers to arrives, changes within a second and goes, and no other is ever read', async () => {
    await server.apply(configMap('oncall', 'ana'));
    await server.apply(configMap('quiet', 'nobody-asked'));
    const { listening, paths, heard } = overheard(admin);
    const { people, latest } = await start(listening);
    assert.deepEqual(
      paths.filter((path) => path.includes('configmaps')),
      [],
    );
    assert.equal(people('oncall'), 'pending');
    await until(() => people('oncall') === 'ana', 1000);
    await server.apply(configMap('oncall', 'ben'));
    await until(() => people('oncall') === 'ben', 1000);
    await server.apply(configMap('quiet', 'still-nobody'));
    await server.delete('configmap', 'oncall', 'default');
    await until(() => people('oncall') === 'missing', 1000);
    assert.ok(latest().configMaps.has('default/quiet'));
    assert.ok(heard('ben'));
    assert.ok(!heard('nobody-asked') && !heard('still-nobody'));
    const asked = new Set(paths.filter((path) => path.includes('configmaps')));
    assert.deepEqual([...asked], ['/api/v1/configmaps', '/api/v1/namespaces/default/configmaps/oncall']);
  });

  test('where RBAC forbids them, they are forbidden within a second, and all else goes on', async () => {
    await server.apply(configMap('oncall', 'ana'));
    const { people, latest, log } = await start(await readerClient());
    assert.equal(people('oncall'), 'pending');
    await until(() => people('oncall') === 'forbidden', 1000);
    assert.equal(createWorld(latest(), options, 0).isPending(), false);
    await server.apply(ingress('beside'));
    await until(() => latest().ingresses.has('default/beside'), 1000);
    assert.equal(people('oncall'), 'forbidden');
    assert.equal(log.of('not permitted to read this kind: nothing is known of it').length, 1);
    assert.deepEqual(log.of('watch failed'), []);
  });

  test('one namespace may be permitted, and in it the content of one ConfigMap', async () => {
    await server.apply(configMap('oncall', 'ana'));
    await server.apply(configMap('quiet', 'nobody-asked'));
    await server.apply(
      permitted(`
  - { apiGroups: [""], resources: [configmaps], verbs: [list, watch] }
  - { apiGroups: [""], resources: [configmaps], resourceNames: [oncall], verbs: [get] }`),
    );
    const { people, latest } = await start(await readerClient(), ['default', 'kube-system']);
    const world = () => createWorld(latest(), options, 0);
    await until(() => people('oncall') === 'ana', 2000);
    await until(() => people('quiet') === 'forbidden', 1000);
    await until(() => people('any', 'kube-system') === 'forbidden', 1000);
    assert.equal(people('any', 'elsewhere'), 'unwatched');
    assert.equal(people('absent'), 'missing');
    assert.equal(reachOf(latest(), 'configMaps', 'default/oncall'), 'Listed');
    await sleep(100);
    assert.equal(world().isPending(), false);
  });
});
