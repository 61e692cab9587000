// Fields that a newer version of ours has written: none is lost when we write, and a policy that uses one denies.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { startSallyport } from '../../src/cli/run.ts';
import type { RunningSallyport } from '../../src/cli/run.ts';
import { readRunSettings } from '../../src/cli/settings.ts';
import { createLogger } from '../../src/telemetry.ts';
import { generateCrds } from '../../scripts/crds.ts';
import { send } from '../integration/client.ts';
import { freePort, until } from '../integration/rig.ts';
import { startApiServer } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';
import { installCrds } from './install.ts';

interface Crd {
  readonly spec: {
    readonly versions: readonly {
      readonly schema: {
        readonly openAPIV3Schema: { readonly properties: Readonly<Record<'spec' | 'status', Schema>> };
      };
    }[];
  };
}
interface Schema {
  anyOf?: unknown;
  readonly properties: Record<string, unknown>;
}

/** The CRD of Policies as a later version might have it: with `futureThing` in the spec and in the status. */
function newerCrd(text: string): string {
  const crd = parse(text) as Crd;
  for (const { schema } of crd.spec.versions) {
    const { spec, status } = schema.openAPIV3Schema.properties;
    const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    spec.properties['futureThing'] = anything;
    status.properties['futureThing'] = anything;
    // What says that there is no field but ours.
    delete spec.anyOf;
  }
  return JSON.stringify(crd);
}

const world = `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: sallyport}
spec:
  controller: sallyport.dev/ingress-controller
  parameters: {apiGroup: sallyport.dev, kind: Sallyport, name: default}
---
apiVersion: sallyport.dev/v1alpha1
kind: Sallyport
metadata: {name: default}
spec: {sessions: {store: {type: Memory}}}
---
apiVersion: v1
kind: Namespace
metadata: {name: sallyport-system}
---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: default}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: app, namespace: default, annotations: {sallyport.dev/policy: everybody}}
spec:
  ingressClassName: sallyport
  rules:
    - host: app.localhost
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: app, port: {name: http}}}}]}
`;

const policy = (more: string) => `
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: everybody, namespace: default}
spec: {rules: [{allow: {and: [{accept: true}]}}]${more}}
`;

describe('beside a newer version', () => {
  let server: ApiServer;
  let sallyport: RunningSallyport;
  let port: number;

  before(async () => {
    [server, port] = await Promise.all([startApiServer(), freePort()]);
    const crds = [...generateCrds()].map(([file, text]) =>
      file.endsWith('_policies.yaml') && !file.includes('cluster') ? newerCrd(text) : text,
    );
    await installCrds(server, crds);
    await server.apply(world + '---' + policy(''));
    const flags = [
      '--kubeconfig',
      server.kubeconfigPath,
      '--http',
      `127.0.0.1:${port}`,
      '--https',
      '',
      '--probes',
      '',
      '--admin',
      '127.0.0.1:0',
    ];
    sallyport = await startSallyport(readRunSettings(flags, {}), createLogger('silent'));
  });
  after(async () => {
    await sallyport?.stop();
    await server?.stop();
  });

  const status = async () =>
    (await send(new URL(`http://app.localhost:${port}/`), { headers: { accept: '*/*' } })).status;
  async function read() {
    const { stdout } = await server.kubectl(['get', 'policy', 'everybody', '-o', 'json']);
    return JSON.parse(stdout) as {
      spec: Record<string, unknown>;
      status?: { futureThing?: unknown; conditions?: { type: string; status: string; message: string }[] };
    };
  }
  const condition = async (type: string) => (await read()).status?.conditions?.find((one) => one.type === type);

  test('a policy with a field of tomorrow denies, says which, and keeps it', async () => {
    // Allowed, and there is no endpoint: 503. Denied: 403.
    await until(async () => (await status()) === 503, 5_000, 'the policy of today lets everybody in');
    await server.apply(policy(', futureThing: {deny: {everybody: true}}'));
    await until(async () => (await status()) === 403, 2_000, 'the policy of tomorrow lets nobody in');
    await until(async () => (await condition('Accepted'))?.status === 'False', 5_000, 'its status says so');
    assert.match((await condition('Accepted'))?.message ?? '', /spec\.futureThing: unknown field futureThing/);
    assert.deepEqual((await read()).spec['futureThing'], { deny: { everybody: true } });
  });

  test('what another manager has said in the status is kept when we write ours', async () => {
    const theirs = { futureThing: { seen: 7 } };
    const condition = {
      type: 'Tomorrow',
      status: 'True',
      reason: 'Tomorrow',
      message: '',
      lastTransitionTime: '2026-12-01T00:00:00Z',
    };
    const patch = JSON.stringify([
      { op: 'add', path: '/status/futureThing', value: theirs.futureThing },
      { op: 'add', path: '/status/conditions/-', value: condition },
    ]);
    const patched = await server.kubectl([
      'patch',
      'policy',
      'everybody',
      '--subresource=status',
      '--type=json',
      '--field-manager=newer',
      '-p',
      patch,
    ]);
    assert.equal(patched.code, 0, patched.stderr);
    // Now ours must be written again.
    await server.apply(policy(''));
    await until(
      async () => (await read()).status?.conditions?.find(({ type }) => type === 'Accepted')?.status === 'True',
      5_000,
      'our status is written',
    );
    const { status: now } = await read();
    assert.deepEqual(now?.futureThing, theirs.futureThing);
    assert.deepEqual(now?.conditions?.map(({ type }) => type).toSorted(), [
      'Accepted',
      'Programmed',
      'ResolvedRefs',
      'Tomorrow',
    ]);
    await until(async () => (await status()) === 503, 2_000, 'and it lets everybody in again');
  });
});
