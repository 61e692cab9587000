// Mallory may do everything in her namespace and nothing beside it, and a Mandatory ClusterPolicy governs that namespace: whatever
// she applies, nobody gets in whom it keeps out. A real API server with its RBAC, a running Sallyport, and requests.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, send } from '../integration/client.ts';
import { until } from '../integration/rig.ts';
import { beyondHerRights, withinHerRights } from './guardrails/attempts.ts';
import { application, ingress, red, startClusterRig } from './rig.ts';
import type { ClusterRig } from './rig.ts';

const surroundings = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {tier: internal}}
---
apiVersion: v1
kind: Namespace
metadata: {name: blog}
---
apiVersion: v1
kind: Namespace
metadata: {name: twin}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: staff, namespace: sallyport-system}
data: {people: "[ana@example.com, bob@example.com]"}
---
apiVersion: sallyport.dev/v1alpha1
kind: ClusterPolicy
metadata: {name: staff-only}
spec:
  enforcement: Mandatory
  namespaceSelector: {matchLabels: {tier: internal}}
  dataSets: [{name: staff, configMapRef: {namespace: sallyport-system, name: staff, key: people}}]
  rules: [{name: staff, deny: {or: [{email: {notInDataSet: staff}}]}}]
---
apiVersion: sallyport.dev/v1alpha1
kind: IdentityProvider
metadata: {name: partners}
spec: {oidc: {issuer: "https://partners.example.com", clientID: a}, allowedNamespaces: {selector: {matchLabels: {tier: open}}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: owner, namespace: shop}
rules:
  - {apiGroups: [""], resources: [services, configmaps, secrets], verbs: ["*"]}
  - {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: ["*"]}
  - {apiGroups: [networking.k8s.io], resources: [ingresses], verbs: ["*"]}
  - {apiGroups: [sallyport.dev], resources: [policies], verbs: ["*"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: owner, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: owner}
subjects: [{kind: User, name: mallory, apiGroup: rbac.authorization.k8s.io}]
`;

/** The same in a namespace that no guardrail governs, so that it shows which attempts are worth their name. */
const twin = (text: string) =>
  text
    .replaceAll('namespace: shop', 'namespace: twin')
    .replaceAll('vault', 'twin')
    .replaceAll('elsewhere', 'twin-elsewhere')
    .replaceAll(/^shop$/g, 'twin');

const hosts = ['vault', 'annex'] as const;
const paths = ['/', '/open'] as const;

describe('a person with rights in a namespace only', () => {
  let rig: ClusterRig;
  /** Of Eve, who is signed in on each host, and of no company. */
  const cookies = new Map<string, string>();
  /** What opened a door in the namespace without a guardrail. */
  const effective: string[] = [];

  const mallory = (args: readonly string[], yaml?: string) => rig.api.kubectl(['--as=mallory', ...args], yaml);
  const ask = (host: string, path: string, cookie?: string) =>
    send(new URL(`http://${host}.localhost:${rig.port}${path}`), {
      headers: { accept: '*/*', ...(cookie !== undefined && { cookie }) },
    });
  const status = async (cookie?: string) => (await ask('vault', '/', cookie)).status;
  async function signedIn(host: string, account: string): Promise<string> {
    const client = createClient();
    const page = await client.visit(`http://${host}.localhost:${rig.port}/`);
    await client.signIn(page, account);
    return `__Host-sallyport=${client.cookies.get(`${host}.localhost`)?.get('__Host-sallyport')}`;
  }
  /** Who reaches the application at these hosts. */
  async function reach(...names: readonly string[]): Promise<readonly string[]> {
    const doors = names.flatMap((host) => paths.map((path) => ({ host, path })));
    const found = await Promise.all(
      doors.flatMap(({ host, path }) =>
        [undefined, cookies.get(host)].map(async (cookie) => {
          const { status: answered, body } = await ask(host, path, cookie);
          const who = cookie === undefined ? 'nobody' : 'eve';
          return answered === 200 && body.includes('"name":"red"') ? [`${who} at ${host}${path}`] : [];
        }),
      ),
    );
    return found.flat();
  }
  const inside = () => reach(...hosts, 'auth', 'elsewhere', 'unheard-of');

  before(async () => {
    rig = await startClusterRig();
    await rig.api.apply(surroundings);
    await rig.api.apply(twin(application('red', red)));
    for (const host of hosts) await rig.api.apply(ingress(host, 'red', 'sallyport.dev/access: authenticated'));
    await rig.api.apply(twin(ingress('vault', 'red', 'sallyport.dev/access: authenticated')));
    for (const host of [...hosts, 'twin']) {
      await rig.becomes(host, '401');
      cookies.set(host, await signedIn(host, 'account-eve'));
    }
  });
  after(() => rig?.stop());

  test('the guardrail lets in those whom it is meant to, and no other', async () => {
    assert.equal(await status(await signedIn('vault', 'account-ana')), 200);
    assert.equal(await status(cookies.get('vault')), 403);
    assert.deepEqual(await inside(), []);
  });

  test('a label that the platform team takes away opens the doors: this test can fail', async () => {
    await rig.kubectl('label', 'namespace', 'shop', 'tier-');
    await until(async () => (await status(cookies.get('vault'))) === 200, 2_000, 'eve is in');
    assert.deepEqual(await inside(), ['eve at vault/', 'eve at vault/open', 'eve at annex/', 'eve at annex/open']);
    await rig.kubectl('label', 'namespace', 'shop', 'tier=internal');
    await until(async () => (await inside()).length === 0, 2_000, 'and out again');
  });

  for (const { attempt, yaml, args = ['apply', '--validate=ignore', '-f', '-'] } of withinHerRights) {
    test(`may ${attempt}, and opens nothing`, async () => {
      const { code, stderr } = await mallory(args, yaml);
      assert.equal(code, 0, stderr);
      await rig.kubectl('delete', 'ingress,policy', '--all', '-n', 'twin', '--wait=false');
      await rig.api.apply(twin(ingress('vault', 'red', '')));
      await until(async () => (await reach('twin')).length === 0, 2_000, 'the twin is shut');
      const other = await rig.api.kubectl(args.map(twin), yaml && twin(yaml));
      assert.equal(other.code, 0, other.stderr);
      // A change is live within a second (test/cluster/serving.test.ts); most within a tenth of it.
      let opened: readonly string[] = [];
      for (const end = Date.now() + 400; Date.now() < end; await sleep(20)) {
        assert.deepEqual(await inside(), []);
        if (opened.length === 0) opened = await reach('twin', 'twin-elsewhere');
      }
      if (opened.length > 0) effective.push(attempt);
    });
  }

  test('what she tried was worth trying: without the guardrail much of it opens a door', (context) => {
    for (const attempt of effective) context.diagnostic(attempt);
    assert.ok(effective.length >= 10, `${effective.length} did`);
  });

  for (const { attempt, yaml, args } of beyondHerRights) {
    test(`may not ${attempt}`, async () => {
      const { code, stderr } = await mallory(args, yaml);
      assert.notEqual(code, 0);
      assert.match(stderr, /forbidden/i);
      assert.deepEqual(await inside(), []);
    });
  }

  test('once her things are gone, those whom the guardrail lets in are in', async () => {
    for (const kind of ['ingress', 'policy', 'configmap', 'secret']) {
      await mallory(['delete', kind, '--all', '-n', 'shop']);
    }
    await rig.api.apply(ingress('vault', 'red', 'sallyport.dev/access: authenticated'));
    await rig.becomes('vault', '401');
    assert.equal(await status(await signedIn('vault', 'account-ana')), 200);
    assert.equal(await status(cookies.get('vault')), 403);
  });
});
