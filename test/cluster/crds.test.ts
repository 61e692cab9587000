// The CRDs against a real API server: they install, and what a person misspells is refused or at least never widens.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { createKubernetesClient, resourcePath } from '../../src/kubernetes/client.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import { kubeconfigConnection } from '../../src/kubernetes/connect.ts';
import { ownKinds } from '../../src/model/resources.ts';
import { collections } from '../../src/model/objects.ts';
import { startApiServer } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';
import { installCrds } from './install.ts';

const crds = join(import.meta.dirname, '..', '..', 'crds');

describe('the CRDs on a real API server', () => {
  let server: ApiServer;
  let client: KubernetesClient;

  before(async () => {
    server = await startApiServer();
    client = createKubernetesClient(await kubeconfigConnection(server.kubeconfigPath));
    await installCrds(server);
  });
  after(() => server?.stop());

  /** Posts a Policy as a client does that does not validate fields: unknown ones are pruned. */
  async function createPolicy(name: string, spec: unknown): Promise<unknown> {
    const body = { apiVersion: 'sallyport.dev/v1alpha1', kind: 'Policy', metadata: { name }, spec };
    const path = resourcePath(collections.policies, { namespace: 'default' });
    return (await client.request('POST', path, { body, query: { fieldValidation: 'Ignore' } })).body;
  }
  const refused = (spec: unknown, why: RegExp) =>
    assert.rejects(createPolicy('refused', spec), (error: Error) => {
      assert.equal('code' in error && error.code, 'Invalid', error.message);
      assert.match(error.message, why);
      return true;
    });

  test('`kubectl apply` takes them without --server-side, for each fits into the annotation that it writes', async (context) => {
    for (const file of (await readdir(crds)).filter((name) => name.endsWith('.yaml'))) {
      const json = JSON.stringify(parse(await readFile(join(crds, file), 'utf8')));
      context.diagnostic(`${file}: ${Buffer.byteLength(json)} bytes`);
      assert.ok(Buffer.byteLength(json) < 262_144, file);
      const { code, stderr } = await server.kubectl(['apply', '-f', join(crds, file)]);
      assert.equal(code, 0, stderr);
    }
  });

  test('all are structural and accepted names', async () => {
    assert.equal((await readdir(crds)).filter((file) => file.endsWith('.yaml')).length, ownKinds.length);
    const { stdout } = await server.kubectl(['get', 'crd', '-o', 'json']);
    const { items } = JSON.parse(stdout);
    assert.equal(items.length, ownKinds.length);
    for (const { metadata, status } of items) {
      const holds = (type: string) =>
        status.conditions.find((condition: { type: string }) => condition.type === type)?.status;
      assert.equal(holds('Established'), 'True', metadata.name);
      assert.notEqual(holds('NonStructuralSchema'), 'True', metadata.name);
    }
  });

  test('a misspelt criterion is refused', async () => {
    await refused({ rules: [{ allow: { and: [{ gruops: { has: 'x' } }] } }] }, /exactly one of .*groups.* is needed/);
  });

  test('a misspelt operator of a matcher is refused', async () => {
    await refused(
      { rules: [{ allow: { and: [{ email: { endWith: '@x' } }] } }] },
      /exactly one of .*endsWith.* is needed/,
    );
  });

  test('two criteria in one item are refused', async () => {
    const both = { email: { is: 'a@x' }, domain: { is: 'x' } };
    await refused({ rules: [{ allow: { and: [both] } }] }, /must have at most 1 item/);
  });

  test('a rule whose allow and deny are misspelt is refused', async () => {
    await refused(
      { rules: [{ name: 'r', alow: { and: [{ accept: true }] } }] },
      /no field but name, mode, allow, deny/,
    );
  });

  test('a policy without rules, and one without a spec, are refused', async () => {
    await refused({ mode: 'Enforce' }, /spec\.rules: Required value/);
    await refused(undefined, /spec: Required value/);
  });

  test('kubectl names the criterion with a misspelt field', async () => {
    const yaml = `
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: { name: typo, namespace: default }
spec: { rules: [{ allow: { and: [{ gruops: { has: x } }] } }] }
`;
    const { code, stderr } = await server.kubectl(['apply', '-f', '-'], yaml);
    assert.notEqual(code, 0);
    assert.match(stderr, /spec\.rules\[0\]\.allow\.and\[0\]: .*exactly one of .*groups/);
  });

  test('a whole policy is kept as it was written: null, maps of strings, claims of any shape', async () => {
    const tests = [
      { as: null, expect: 'Login' },
      {
        as: { email: 'a@x', claims: { roles: ['a', { b: 1 }] } },
        request: { headers: { 'x-a': 'b' } },
        expect: 'Allow',
      },
    ];
    const rules = [{ allow: { and: [{ email: { endsWith: '@x' } }] } }];
    const created = await createPolicy('whole', { rules, tests, targetRefs: [{ name: 'app' }] });
    assert.deepEqual((created as { spec: unknown }).spec, {
      mode: 'Enforce',
      reveal: false,
      rules,
      tests,
      targetRefs: [{ group: 'networking.k8s.io', kind: 'Ingress', name: 'app' }],
    });
  });

  test('the other kinds take their smallest and their example form', async () => {
    await server.apply(`
apiVersion: sallyport.dev/v1alpha1
kind: Sallyport
metadata: { name: default }
spec: { authenticationHost: "auth.localhost:8443", trustedProxies: [10.0.0.0/8], identityHeaders: { claims: { X-Team: team } } }
---
apiVersion: sallyport.dev/v1alpha1
kind: IdentityProvider
metadata: { name: okta }
spec: { oidc: { issuer: "https://example.okta.com", clientID: a }, allowedNamespaces: { selector: {} } }
---
apiVersion: sallyport.dev/v1alpha1
kind: ClusterPolicy
metadata: { name: staff }
spec:
  enforcement: Mandatory
  namespaceSelector: { matchLabels: { tier: internal } }
  rules: [{ deny: { not: [{ email: { endsWith: "@example.com" } }] } }]
`);
    const { stdout } = await server.kubectl(['get', 'sp,idp,cpol', '-o', 'name']);
    assert.equal(stdout.trim().split('\n').length, 3);
  });

  test('kubectl explain says what a field means', async () => {
    const { stdout } = await server.kubectl(['explain', 'policy.spec.rules']);
    assert.match(stdout, /A deny wins over every allow/);
    const all = await server.kubectl(['get', 'sallyport', '-A']);
    assert.equal(all.code, 0, all.stderr);
  });
});
