// Sallyport on a real API server: what is applied, changed and deleted shows within a second over a real socket, and in statuses.
import assert from 'node:assert/strict';
import { readFileSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startSallyport } from '../../src/cli/run.ts';
import type { RunningSallyport } from '../../src/cli/run.ts';
import { readRunSettings } from '../../src/cli/settings.ts';
import { createLogger } from '../../src/telemetry.ts';
import { startProvider } from '../../demo/provider.ts';
import type { RunningProvider } from '../../demo/provider.ts';
import { createClient, send } from '../integration/client.ts';
import { freePort, until } from '../integration/rig.ts';
import { startApiServer } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';
import { startFarHost } from './far-host.ts';
import type { FarHost } from './far-host.ts';

const crds = join(import.meta.dirname, '../../crds');
let api: ApiServer;
let sallyport: RunningSallyport;
let provider: RunningProvider;
let hosts: readonly FarHost[] = [];
let port: number;
const log: Record<string, unknown>[] = [];

before(async () => {
  port = await freePort();
  const callback = `http://auth.localhost:${port}/oauth2/callback`;
  [api, provider, ...hosts] = await Promise.all([
    startApiServer(),
    startProvider({ port: 0, redirectUris: [callback] }),
    startFarHost('red', 1),
    startFarHost('blue', 2),
  ]);
  for (const file of globSync('*.yaml', { cwd: crds })) await api.apply(readFileSync(join(crds, file), 'utf8'));
  await kubectl('wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s');
  await api.apply(settings(provider.issuer, port));
  const flags = [
    '--kubeconfig',
    api.kubeconfigPath,
    '--http',
    `127.0.0.1:${port}`,
    '--https',
    '',
    '--probes',
    '',
    '--admin',
    '127.0.0.1:0',
  ];
  const logger = createLogger('debug', (line) => log.push(JSON.parse(line) as Record<string, unknown>));
  sallyport = await startSallyport(readRunSettings(flags, {}), logger);
});

after(async () => {
  await sallyport?.stop();
  await Promise.all([api?.stop(), provider?.stop(), ...hosts.map((host) => host.stop())]);
});

const settings = (issuer: string, at: number) => `
apiVersion: v1
kind: Namespace
metadata: {name: sallyport-system}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
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
spec:
  authenticationHost: auth.localhost:${at}
  defaultIdentityProviderRef: {name: demo}
  sessions: {store: {type: Memory}}
---
apiVersion: sallyport.dev/v1alpha1
kind: IdentityProvider
metadata: {name: demo}
spec:
  oidc:
    issuer: ${issuer}
    clientID: sallyport
    clientSecretRef: {namespace: sallyport-system, name: demo-provider, key: clientSecret}
---
apiVersion: v1
kind: Secret
metadata: {name: demo-provider, namespace: sallyport-system}
stringData: {clientSecret: demo-only-not-a-secret}
${application('red', '10.231.1.2')}${application('blue', '10.231.2.2')}`;

const application = (name: string, address: string) => `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {ports: [{name: http, port: 80, targetPort: 9000}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}-1, namespace: shop, labels: {kubernetes.io/service-name: ${name}}}
addressType: IPv4
ports: [{name: http, port: 9000}]
endpoints: [{addresses: [${address}]}]
`;

const ingress = (name: string, service: string, annotation: string) => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ${name}, namespace: shop, annotations: {${annotation}}}
spec:
  ingressClassName: sallyport
  rules:
    - host: ${name}.localhost
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: ${service}, port: {name: http}}}}]}
`;

const policy = (group: string) => `
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: members, namespace: shop}
spec:
  rules: [{name: members, allow: {and: [{groups: {has: ${group}}}]}}]
`;

const get = (host: string, headers: Record<string, string> = { accept: '*/*' }) =>
  send(new URL(`http://${host}.localhost:${port}/`), { headers });
const served = async (host: string) => {
  const answer = await get(host);
  return answer.status === 200 ? (JSON.parse(answer.body) as { name: string }).name : String(answer.status);
};
const becomes = (host: string, wanted: string) =>
  until(async () => (await served(host)) === wanted, 1_000, `${host} serves ${wanted}`);

/** What kubectl prints. @throws {Error} with what it says on stderr. */
async function kubectl(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await api.kubectl(args);
  assert.equal(code, 0, stderr);
  return stdout;
}

async function conditions(kind: string, name: string, namespace?: string): Promise<Record<string, string>> {
  const stdout = await kubectl('get', kind, name, ...(namespace === undefined ? [] : ['-n', namespace]), '-o', 'json');
  const { status } = JSON.parse(stdout) as {
    status?: { conditions?: { type: string; status: string; reason: string }[] };
  };
  return Object.fromEntries((status?.conditions ?? []).map((one) => [one.type, `${one.status} ${one.reason}`]));
}

test('an Ingress is applied, changed and deleted, and each shows within a second', async () => {
  assert.equal(await served('store'), '404');
  await api.apply(ingress('store', 'red', 'sallyport.dev/access: public'));
  await becomes('store', 'red');
  await api.apply(ingress('store', 'blue', 'sallyport.dev/access: public'));
  await becomes('store', 'blue');
  await api.apply(ingress('store', 'blue', 'sallyport.dev/access: authenticated'));
  await becomes('store', '401');
  await api.delete('ingress', 'store', 'shop');
  await becomes('store', '404');
});

test('endpoints that move are followed within a second', async () => {
  await api.apply(ingress('moving', 'red', 'sallyport.dev/access: public'));
  await becomes('moving', 'red');
  await api.apply(application('red', '10.231.2.2'));
  await becomes('moving', 'blue');
  await api.apply(application('red', '10.231.1.2'));
  await becomes('moving', 'red');
});

test('a Policy is applied, changed and deleted, and each decides within a second', async () => {
  await api.apply(ingress('club', 'red', 'sallyport.dev/policy: members'));
  await becomes('club', '403');
  await api.apply(policy('engineering'));
  await becomes('club', '401');
  const client = createClient();
  const page = await client.visit(`http://club.localhost:${port}/`);
  const arrived = await client.signIn(page, 'account-ana');
  assert.equal(arrived.status, 200);
  const cookie = `__Host-sallyport=${client.cookies.get('club.localhost')?.get('__Host-sallyport')}`;
  const status = async () => (await get('club', { accept: '*/*', cookie })).status;
  assert.equal(await status(), 200);
  await api.apply(policy('directors'));
  await until(async () => (await status()) === 403, 1_000, 'ana is no director');
  await api.apply(policy('staff'));
  await until(async () => (await status()) === 200, 1_000, 'ana is staff');
  await api.delete('policy', 'members', 'shop');
  await until(async () => (await status()) === 403, 1_000, 'without its policy the route denies');
});

test('statuses say what came of each object', async () => {
  await api.apply(policy('staff'));
  await until(
    async () => (await conditions('policy', 'members', 'shop'))['Programmed'] === 'True Programmed',
    3_000,
    'the policy is programmed',
  );
  assert.equal((await conditions('sallyport', 'default'))['Programmed'], 'True Programmed');
  assert.equal((await conditions('identityprovider', 'demo'))['ResolvedRefs'], 'True ResolvedRefs');
  const stdout = await kubectl('get', 'policies', '-n', 'shop');
  assert.match(stdout, /NAME\s+MODE\s+ROUTES\s+READY\s+REASON\s+AGE\n\s*members\s+Enforce\s+1\s+True\s+Programmed/);
});

test('a mistake in an Ingress is an Event on it', async () => {
  await api.apply(ingress('typo', 'red', 'sallyport.dev/polcy: members'));
  const events = async () => kubectl('get', 'events.events.k8s.io', '-n', 'shop', '-o', 'json');
  await until(async () => (await events()).includes('did you mean sallyport.dev/policy'), 3_000, 'the Event is there');
  assert.equal(await served('typo'), '403');
});

test('our own status writes start no round', async () => {
  const rounds = async () => (await sallyport.metrics.rounds.get()).values[0]?.value ?? 0;
  await until(
    async () => {
      const before = await rounds();
      await new Promise((resolve) => void setTimeout(resolve, 400));
      return (await rounds()) === before;
    },
    5_000,
    'it comes to rest',
  );
});

test('the key ring is a Secret, made once', async () => {
  const stdout = await kubectl('get', 'secret', 'sallyport-keys', '-n', 'sallyport-system', '-o', 'json');
  const before = (JSON.parse(stdout) as { metadata: { uid: string; resourceVersion: string } }).metadata;
  const flags = [
    '--kubeconfig',
    api.kubeconfigPath,
    '--http',
    '127.0.0.1:0',
    '--https',
    '',
    '--probes',
    '',
    '--admin',
    '127.0.0.1:0',
  ];
  const second = await startSallyport(readRunSettings(flags, {}), createLogger('silent'));
  await second.stop();
  const again = await kubectl('get', 'secret', 'sallyport-keys', '-n', 'sallyport-system', '-o', 'json');
  assert.equal(
    (JSON.parse(again) as { metadata: { resourceVersion: string } }).metadata.resourceVersion,
    before.resourceVersion,
  );
});

test('the API server away: what is served is served on, and what changed meanwhile is there soon after', async () => {
  await api.apply(ingress('steady', 'red', 'sallyport.dev/access: public'));
  await becomes('steady', 'red');
  await api.kill();
  for (let count = 0; count < 20; count += 1) assert.equal(await served('steady'), 'red');
  await api.restart();
  await api.apply(ingress('steady', 'blue', 'sallyport.dev/access: public'));
  await until(async () => (await served('steady')) === 'blue', 40_000, 'the watch is back');
});
