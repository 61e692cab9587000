// Sallyport on a real API server: what is applied, changed and deleted shows within a second over a real socket, and in statuses.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startSallyport } from '../../src/cli/run.ts';
import { readRunSettings } from '../../src/cli/settings.ts';
import { createLogger } from '../../src/telemetry.ts';
import { createClient } from '../integration/client.ts';
import { until } from '../integration/rig.ts';
import { application, blue, flagsFor, ingress, policy, red, startClusterRig } from './rig.ts';
import type { ClusterRig } from './rig.ts';

let rig: ClusterRig;
before(async () => {
  rig = await startClusterRig();
});
after(() => rig?.stop());

async function conditions(kind: string, name: string, namespace?: string): Promise<Record<string, string>> {
  const stdout = await rig.kubectl(
    'get',
    kind,
    name,
    ...(namespace === undefined ? [] : ['-n', namespace]),
    '-o',
    'json',
  );
  const { status } = JSON.parse(stdout) as {
    status?: { conditions?: { type: string; status: string; reason: string }[] };
  };
  return Object.fromEntries((status?.conditions ?? []).map((one) => [one.type, `${one.status} ${one.reason}`]));
}

test('an Ingress is applied, changed and deleted, and each shows within a second', async () => {
  assert.equal(await rig.served('store'), '404');
  await rig.api.apply(ingress('store', 'red', 'sallyport.dev/access: public'));
  await rig.becomes('store', 'red');
  await rig.api.apply(ingress('store', 'blue', 'sallyport.dev/access: public'));
  await rig.becomes('store', 'blue');
  await rig.api.apply(ingress('store', 'blue', 'sallyport.dev/access: authenticated'));
  await rig.becomes('store', '401');
  await rig.api.delete('ingress', 'store', 'shop');
  await rig.becomes('store', '404');
});

test('endpoints that move are followed within a second', async () => {
  await rig.api.apply(ingress('moving', 'red', 'sallyport.dev/access: public'));
  await rig.becomes('moving', 'red');
  await rig.api.apply(application('red', blue));
  await rig.becomes('moving', 'blue');
  await rig.api.apply(application('red', red));
  await rig.becomes('moving', 'red');
});

test('a Policy is applied, changed and deleted, and each decides within a second', async () => {
  await rig.api.apply(ingress('club', 'red', 'sallyport.dev/policy: members'));
  await rig.becomes('club', '403');
  await rig.api.apply(policy('engineering'));
  await rig.becomes('club', '401');
  const client = createClient();
  const page = await client.visit(`http://club.localhost:${rig.port}/`);
  const arrived = await client.signIn(page, 'account-ana');
  assert.equal(arrived.status, 200);
  const cookie = `__Host-sallyport=${client.cookies.get('club.localhost')?.get('__Host-sallyport')}`;
  const status = async () => (await rig.get('club', { accept: '*/*', cookie })).status;
  assert.equal(await status(), 200);
  await rig.api.apply(policy('directors'));
  await until(async () => (await status()) === 403, 1_000, 'ana is no director');
  await rig.api.apply(policy('staff'));
  await until(async () => (await status()) === 200, 1_000, 'ana is staff');
  await rig.api.delete('policy', 'members', 'shop');
  await until(async () => (await status()) === 403, 1_000, 'without its policy the route denies');
});

test('statuses say what came of each object', async () => {
  await rig.api.apply(policy('staff'));
  await until(
    async () => (await conditions('policy', 'members', 'shop'))['Programmed'] === 'True Programmed',
    3_000,
    'the policy is programmed',
  );
  assert.equal((await conditions('sallyport', 'default'))['Programmed'], 'True Programmed');
  assert.equal((await conditions('identityprovider', 'demo'))['ResolvedRefs'], 'True ResolvedRefs');
  const stdout = await rig.kubectl('get', 'policies', '-n', 'shop');
  assert.match(stdout, /NAME\s+MODE\s+ROUTES\s+READY\s+REASON\s+AGE\n\s*members\s+Enforce\s+1\s+True\s+Programmed/);
});

test('a mistake in an Ingress is an Event on it', async () => {
  await rig.api.apply(ingress('typo', 'red', 'sallyport.dev/polcy: members'));
  const events = async () => rig.kubectl('get', 'events.events.k8s.io', '-n', 'shop', '-o', 'json');
  await until(async () => (await events()).includes('did you mean sallyport.dev/policy'), 3_000, 'the Event is there');
  assert.equal(await rig.served('typo'), '403');
});

test('our own status writes start no round', async () => {
  const rounds = async () => (await rig.sallyport.metrics.rounds.get()).values[0]?.value ?? 0;
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
  const stdout = await rig.kubectl('get', 'secret', 'sallyport-keys', '-n', 'sallyport-system', '-o', 'json');
  const before = (JSON.parse(stdout) as { metadata: { uid: string; resourceVersion: string } }).metadata;
  const second = await startSallyport(readRunSettings(flagsFor(rig.api, 0), {}), createLogger('silent'));
  await second.stop();
  const again = await rig.kubectl('get', 'secret', 'sallyport-keys', '-n', 'sallyport-system', '-o', 'json');
  assert.equal(
    (JSON.parse(again) as { metadata: { resourceVersion: string } }).metadata.resourceVersion,
    before.resourceVersion,
  );
});
