// Workloads with their own tokens, on a real API server: let in by name, and out within the interval once they are gone.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createKubernetesClient } from '../../src/kubernetes/client.ts';
import { kubeconfigConnection } from '../../src/kubernetes/connect.ts';
import { readClusterIssuer, reviewToken } from '../../src/kubernetes/workloads.ts';
import { until } from '../integration/rig.ts';
import { ingress, startClusterRig } from './rig.ts';
import type { ClusterRig } from './rig.ts';

const objects = `
apiVersion: v1
kind: Namespace
metadata: {name: ci}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: deployer, namespace: ci}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: tester, namespace: ci}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: passing, namespace: ci}
---
apiVersion: v1
kind: Pod
metadata: {name: job, namespace: ci}
spec: {serviceAccountName: deployer, containers: [{name: c, image: none}]}
---
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: pipeline, namespace: shop}
spec:
  rules: [{allow: {or: [{serviceAccount: {in: [ci/deployer, ci/passing]}}]}}]
---
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: people, namespace: shop}
spec:
  rules: [{allow: {or: [{authenticatedUser: true}]}}]
---
${ingress('deploy', 'red', 'sallyport.dev/policy: pipeline')}
---
${ingress('people', 'blue', 'sallyport.dev/policy: people')}
`;

let rig: ClusterRig;
before(async () => (rig = await startClusterRig({ objects })));
after(() => rig.stop());

const origin = (host: string) => `http://${host}.localhost:${rig.port}`;

async function tokenOf(account: string, audience: string, ...more: string[]): Promise<string> {
  const printed = await rig.kubectl('create', 'token', account, '-n', 'ci', '--audience', audience, ...more);
  return printed.trim();
}

const ask = (host: string, token: string) =>
  rig.get(host, { accept: '*/*', authorization: `Bearer ${token}` }).then(({ status, headers }) => ({
    status,
    challenge: headers['www-authenticate'] ?? '',
  }));

describe('a workload', () => {
  test('is let in by its own token for the origin, where a policy names it', async () => {
    const token = await tokenOf('deployer', origin('deploy'));
    await until(async () => (await ask('deploy', token)).status === 200, 5_000, 'the route is there');
    const line = rig.log.findLast(({ msg, status }) => msg === 'request' && status === 200);
    assert.equal(line?.['user'], 'system:serviceaccount:ci:deployer');
  });

  test('that no policy names is refused, by name', async () => {
    assert.equal((await ask('deploy', await tokenOf('tester', origin('deploy')))).status, 403);
  });

  test('is nobody where a policy wants people, and its token is the application’s', async () => {
    const { status, challenge } = await ask('people', await tokenOf('deployer', origin('people')));
    assert.deepEqual([status, challenge], [401, 'Bearer realm="people.localhost"']);
  });

  test('with a token for the API server, another host or another port is refused', async () => {
    const { issuer } = JSON.parse(await rig.kubectl('get', '--raw', '/.well-known/openid-configuration')) as {
      issuer: string;
    };
    for (const audience of [
      issuer,
      origin('people'),
      'http://deploy.localhost',
      `https://deploy.localhost:${rig.port}`,
    ]) {
      const { status, challenge } = await ask('deploy', await tokenOf('deployer', audience));
      assert.equal(status, 401, audience);
      assert.match(challenge, /error="invalid_token", error_description="The token is for another audience\."/);
    }
  });

  test('costs the API server one question a half-minute, however much it asks', async () => {
    const token = await tokenOf('deployer', origin('deploy'));
    const reviews = async () => {
      const metrics = await rig.kubectl('get', '--raw', '/metrics');
      const lines = metrics
        .split('\n')
        .filter((line) => /^apiserver_request_total\{.*resource="tokenreviews"/.test(line));
      return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    };
    await ask('deploy', token);
    const first = await reviews();
    for (let count = 0; count < 200; count += 1) assert.equal((await ask('deploy', token)).status, 200);
    assert.ok((await reviews()) - first <= 1);
  });

  for (const [what, gone] of [
    ['ServiceAccount', ['serviceaccount', 'passing']],
    ['pod', ['pod', 'job']],
  ] as const) {
    test(`whose ${what} is gone is refused within the interval`, { timeout: 120_000 }, async (t) => {
      const bound = what === 'pod' ? ['--bound-object-kind', 'Pod', '--bound-object-name', 'job'] : [];
      const token = await tokenOf(what === 'pod' ? 'deployer' : 'passing', origin('deploy'), ...bound);
      assert.equal((await ask('deploy', token)).status, 200);
      await rig.kubectl('delete', ...gone, '-n', 'ci', '--force', '--grace-period=0');
      const began = performance.now();
      await until(async () => (await ask('deploy', token)).status === 401, 60_000, 'it is refused');
      t.diagnostic(`refused ${Math.round(performance.now() - began)} ms after its ${what} was deleted`);
    });
  }
});

test('manifests/workloads.yaml is all that it takes', async () => {
  const { api } = rig;
  await api.apply('apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: sallyport, namespace: sallyport-system}\n');
  const token = (await rig.kubectl('create', 'token', 'sallyport', '-n', 'sallyport-system')).trim();
  const { server, credentials } = await kubeconfigConnection(api.kubeconfigPath);
  const { ca } = await credentials();
  const client = createKubernetesClient({
    server,
    credentials: async () => ({ ...(ca !== undefined && { ca }), authorization: `Bearer ${token}` }),
  });
  const { keys } = await readClusterIssuer(client);
  assert.ok(keys.length > 0);
  const shown = await tokenOf('deployer', origin('deploy'));
  await assert.rejects(reviewToken(client, shown, origin('deploy')), { code: 'Forbidden' });
  await api.apply(readFileSync(join(import.meta.dirname, '../../manifests/workloads.yaml'), 'utf8'));
  await until(
    () =>
      reviewToken(client, shown, origin('deploy')).then(
        ({ authenticated }) => authenticated,
        () => false,
      ),
    5_000,
    'the right has arrived',
  );
  const reviewed = await reviewToken(client, shown, origin('people'));
  assert.equal(reviewed.authenticated, false, 'for another audience it does not count');
});
