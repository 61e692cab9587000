// The inventory and the reporter against a real API server, through outages, restricted roles and our own writes.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { clusterInventory } from '../../src/inventory/cluster.ts';
import type { InventorySource } from '../../src/inventory/source.ts';
import { createKubernetesClient } from '../../src/kubernetes/client.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import { kubeconfigConnection } from '../../src/kubernetes/connect.ts';
import { createReporter } from '../../src/kubernetes/reporter.ts';
import { startTerm, systemClocks } from '../../src/kubernetes/term.ts';
import type { Term } from '../../src/kubernetes/term.ts';
import type { Diagnostic } from '../../src/model/diagnostic.ts';
import type { Inventory } from '../../src/model/objects.ts';
import { createMetrics } from '../../src/telemetry.ts';
import { lines, until } from '../inventory/log.ts';
import { startApiServer } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';
import { installCrds } from './install.ts';

const ingress = (host: string) => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: app, namespace: default }
spec: { rules: [{ host: ${host} }] }
`;
const policy = (email: string) => `
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: { name: staff, namespace: default }
spec: { rules: [{ allow: { and: [{ email: { is: ${email} } }] } }] }
`;
const secret = (name: string, value: string) => `
apiVersion: v1
kind: Secret
metadata: { name: ${name}, namespace: default, annotations: { a: b } }
stringData: { key: ${value} }
`;

/** An election that is won. */
function leading(): { onTerm(listener: (term: Term) => void): void } {
  const term = startTerm(systemClocks);
  term.extend(systemClocks.read(), 300_000);
  return { onTerm: (listener) => listener(term) };
}

describe('the inventory of a real API server', () => {
  let server: ApiServer;
  let client: KubernetesClient;
  const sources: InventorySource[] = [];

  before(async () => {
    server = await startApiServer();
    client = createKubernetesClient(await kubeconfigConnection(server.kubeconfigPath));
    await installCrds(server);
  });
  afterEach(async () => {
    await Promise.all(sources.splice(0).map((source) => source.stop()));
  });
  after(() => server?.stop());

  async function start(options: { client?: KubernetesClient; namespaces?: string[]; idleMs?: number } = {}) {
    const inventories: Inventory[] = [];
    const log = lines();
    const source = clusterInventory({
      client,
      log: log.logger,
      metrics: createMetrics(),
      onChange: (inventory) => void inventories.push(inventory),
      ...options,
    });
    sources.push(source);
    await source.start();
    return { source, inventories, log, latest: () => inventories.at(-1)! };
  }
  const hostOf = (inventory: Inventory) =>
    (inventory.ingresses.get('default/app')?.['spec'] as { rules: { host: string }[] } | undefined)?.rules[0]?.host;

  test('an Ingress and a Policy are there within a second of being applied, and go when deleted', async () => {
    const { latest } = await start();
    await server.apply(ingress('a.example.com'));
    await until(() => hostOf(latest()) === 'a.example.com', 1000);
    await server.apply(policy('a@x'));
    await until(() => latest().policies.has('default/staff'), 1000);
    const { metadata } = latest().ingresses.get('default/app')!;
    assert.equal('managedFields' in metadata, false);
    await server.delete('ingress', 'app', 'default');
    await until(() => !latest().ingresses.has('default/app'), 1000);
  });

  test("a Secret's content is nowhere in the inventory until something names it", async () => {
    await server.apply(secret('named', 'v1-content'));
    await server.apply(secret('quiet', 'v2-content'));
    const { source, inventories, latest } = await start();
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const texts = () => JSON.stringify(inventories.map((inventory) => [...inventory.secrets]));
    assert.ok(latest().secrets.has('default/named'));
    assert.ok(!texts().includes(base64('v1-content')));
    source.reference({ secrets: new Set(['default/named']), configMaps: new Set() });
    await until(() => texts().includes(base64('v1-content')), 1000);
    await server.apply(secret('named', 'v3-content'));
    await until(() => texts().includes(base64('v3-content')), 1000);
    assert.ok(!texts().includes(base64('v2-content')));
  });

  test('our status is written, seen by kubectl, and causes no round', async () => {
    await server.apply(policy('b@x'));
    const { inventories, latest } = await start();
    await until(() => latest().policies.has('default/staff'), 1000);
    const log = lines();
    const reporter = createReporter({
      client,
      election: leading(),
      className: 'x',
      refresh: () => undefined,
      log: log.logger,
    });
    const object = { kind: 'Policy', namespace: 'default', name: 'staff' };
    const condition = {
      type: 'Programmed',
      status: 'True' as const,
      observedGeneration: 1,
      lastTransitionTime: '2030-01-01T00:00:00Z',
      reason: 'Programmed',
      message: '',
    };
    const findings = {
      statuses: [{ collection: 'policies' as const, object, status: { conditions: [condition], routes: 3 } }],
      diagnostics: [],
      ingresses: [],
    };
    await sleep(50);
    const rounds = inventories.length;
    const version = () => server.kubectl(['get', 'policy', 'staff', '-o', 'jsonpath={.metadata.resourceVersion}']);
    reporter.report(findings, latest());
    let shown = '';
    for (let time = 0; time < 20 && !shown.includes('Programmed'); time++) {
      shown = (await server.kubectl(['get', 'policy', 'staff'])).stdout;
    }
    assert.match(shown, /NAME +MODE +ROUTES +READY +REASON +AGE\nstaff +Enforce +3 +True +Programmed/);
    assert.equal(inventories.length, rounds);
    const before = await version();
    // The next round, whatever causes it, has the status and finds nothing to write.
    await server.apply(ingress('b.example.com'));
    await until(() => inventories.length > rounds);
    assert.notEqual(latest().statuses.get('Policy/default/staff'), undefined);
    reporter.report(findings, latest());
    await sleep(200);
    assert.deepEqual(await version(), before);
    assert.deepEqual(log.of('write refused'), []);
    await reporter.stop();
  });

  test('an Event is shown by kubectl describe', async () => {
    await server.apply(ingress('c.example.com'));
    const { latest } = await start();
    const log = lines();
    const reporter = createReporter({
      client,
      election: leading(),
      className: 'x',
      refresh: () => undefined,
      log: log.logger,
    });
    const diagnostic = (kind: string, name: string, namespace?: string): Diagnostic => ({
      code: 'ServiceNotFound',
      severity: 'error',
      object: { kind, name, ...(namespace !== undefined && { namespace }) },
      path: 'spec.rules[0]',
      message: `There is no such Service for ${name}.`,
    });
    await server.apply(`
apiVersion: sallyport.dev/v1alpha1
kind: IdentityProvider
metadata: { name: okta }
spec: { oidc: { issuer: "https://idp.example.com", clientID: a } }
`);
    await until(() => latest().identityProviders.has('okta'));
    const diagnostics = [diagnostic('Ingress', 'app', 'default'), diagnostic('IdentityProvider', 'okta')];
    reporter.report({ statuses: [], diagnostics, ingresses: [] }, latest());
    for (const [kind, name] of [
      ['ingress', 'app'],
      ['identityprovider', 'okta'],
    ] as const) {
      let shown = '';
      for (let time = 0; time < 20 && !shown.includes('ServiceNotFound'); time++) {
        shown = (await server.kubectl(['describe', kind, name])).stdout;
      }
      assert.match(shown, /Warning +ServiceNotFound.*spec\.rules\[0\]: There is no such Service/);
    }
    assert.deepEqual(log.of('write refused'), []);
    await reporter.stop();
  });

  test('a ServiceAccount with Roles in one namespace reads that namespace, and Namespaces count as empty', async () => {
    await server.apply(ingress('d.example.com'));
    await server.apply(`
apiVersion: v1
kind: ServiceAccount
metadata: { name: narrow, namespace: default }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: narrow, namespace: default }
rules:
  - { apiGroups: [""], resources: [services, secrets], verbs: [get, list, watch] }
  - { apiGroups: [networking.k8s.io], resources: [ingresses], verbs: [get, list, watch] }
  - { apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [get, list, watch] }
  - { apiGroups: [sallyport.dev], resources: [policies], verbs: [get, list, watch] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: narrow, namespace: default }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: narrow }
subjects: [{ kind: ServiceAccount, name: narrow, namespace: default }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: narrow }
rules:
  - { apiGroups: [networking.k8s.io], resources: [ingressclasses], verbs: [list, watch] }
  - { apiGroups: [sallyport.dev], resources: [sallyports, identityproviders, clusterpolicies], verbs: [list, watch] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: narrow }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: narrow }
subjects: [{ kind: ServiceAccount, name: narrow, namespace: default }]
`);
    const { stdout } = await server.kubectl(['create', 'token', 'narrow', '--duration=1h']);
    const admin = await kubeconfigConnection(server.kubeconfigPath);
    const narrow = createKubernetesClient({
      ...admin,
      credentials: async () => ({ ...(await admin.credentials()), authorization: `Bearer ${stdout.trim()}` }),
    });
    const { latest, source, log } = await start({ client: narrow, namespaces: ['default'] });
    assert.equal(hostOf(latest()), 'd.example.com');
    assert.equal(latest().namespaces.size, 0);
    assert.equal(log.of('not permitted to read this kind: nothing is known of it').length, 1);
    assert.deepEqual(log.of('watch failed'), []);
    source.reference({ secrets: new Set(['default/named']), configMaps: new Set() });
    await until(() => latest().secrets.get('default/named')?.kind === 'Secret', 1000);
    await assert.rejects(narrow.request('GET', '/api/v1/secrets'), { code: 'Forbidden' });
    // With the names of the namespaces in a ClusterRole, those and no others are read.
    await server.apply(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: narrow-namespaces }
rules: [{ apiGroups: [""], resources: [namespaces], resourceNames: [default], verbs: [list, watch] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: narrow-namespaces }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: narrow-namespaces }
subjects: [{ kind: ServiceAccount, name: narrow, namespace: default }]
`);
    const second = await start({ client: narrow, namespaces: ['default'] });
    assert.deepEqual([...second.latest().namespaces.keys()], ['default']);
  });

  test('a misspelt criterion never reaches the inventory: the API server refuses it', async () => {
    const { code, stderr } = await server.kubectl(
      ['apply', '--validate=false', '-f', '-'],
      policy('a@x').replace('staff', 'typo').replace('email:', 'emial:'),
    );
    assert.notEqual(code, 0);
    assert.match(stderr, /spec\.rules\[0\]\.allow\.and\[0\]/);
  });

  // Ends the API server; last, so that the others need not wait for it.
  test(
    'an API server that dies or freezes loses us nothing',
    { skip: Boolean(process.env['KUBECONFIG_TEST']) },
    async () => {
      const { latest, inventories, log } = await start({ idleMs: 3000 });
      await server.apply(ingress('before.example.com'));
      await until(() => hostOf(latest()) === 'before.example.com', 2000);
      const rounds = inventories.length;
      await server.kill();
      await sleep(500);
      assert.equal(hostOf(latest()), 'before.example.com');
      await server.restart();
      await server.apply(ingress('after.example.com'));
      await until(() => hostOf(latest()) === 'after.example.com', 35_000);
      assert.ok(inventories.length > rounds);
      server.pause();
      await sleep(4000);
      server.resume();
      await server.apply(ingress('thawed.example.com'));
      await until(() => hostOf(latest()) === 'thawed.example.com', 35_000);
      assert.ok(log.of('watch recovered').length > 0);
    },
  );
});
