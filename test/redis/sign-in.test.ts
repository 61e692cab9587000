// The whole of it with sessions in Redis: two Sallyports share them, a sign-out reaches both, and Redis may be away.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createKeyRing, serializeKeyRing } from '../../src/auth/keys.ts';
import { startSallyport } from '../../src/cli/run.ts';
import type { RunningSallyport } from '../../src/cli/run.ts';
import { readRunSettings } from '../../src/cli/settings.ts';
import { createLogger } from '../../src/telemetry.ts';
import { createClient, send } from '../integration/client.ts';
import type { Client } from '../integration/client.ts';
import { freePort, startRig, until } from '../integration/rig.ts';
import type { Rig } from '../integration/rig.ts';
import { startRedis } from './server.ts';
import type { RedisServer } from './server.ts';

let redis: RedisServer;
let rig: Rig;
let second: RunningSallyport;
let port: number;

before(async () => {
  redis = await startRedis();
  const keys = JSON.stringify(serializeKeyRing(createKeyRing()));
  rig = await startRig({
    prepare: (text) =>
      text
        .replace('type: Memory', `{type: Redis, redis: {url: "${redis.url}"}}`)
        .replace(/store:\n\s*#[^\n]*\n\s*\{/, 'store: {'),
    files: {
      'keys.yaml': `apiVersion: v1\nkind: Secret\nmetadata: {name: sallyport-keys, namespace: demo}\nstringData: {keys.json: ${keys}}\n`,
    },
  });
  port = await freePort();
  const off = ['--https', '', '--probes', '', '--admin', '127.0.0.1:0'];
  const flags = ['--manifests', rig.folder, '--http', `127.0.0.1:${port}`, ...off];
  second = await startSallyport(readRunSettings(flags, {}), createLogger('silent'));
});
after(async () => {
  await second?.stop();
  await rig?.stop();
  await redis?.stop();
});

async function signIn(): Promise<Client> {
  const client = createClient();
  const arrived = await client.signIn(await client.visit(rig.url('app')), 'account-ana');
  assert.equal(arrived.status, 200, arrived.body);
  return client;
}

async function statusAt(at: number, client: Client): Promise<number> {
  const cookie = `__Host-sallyport=${client.cookies.get('app.localhost')?.get('__Host-sallyport')}`;
  return (await send(new URL(`http://app.localhost:${at}/json`), { headers: { accept: '*/*', cookie } })).status;
}

test('who signed in at one is signed in at the other, and a sign-out reaches it within a second', async () => {
  const client = await signIn();
  assert.equal(await statusAt(port, client), 200);
  const thief = createClient();
  for (const [host, jar] of client.cookies) thief.cookies.set(host, new Map(jar));
  const headers = { origin: `http://app.localhost:${rig.port}`, 'sec-fetch-site': 'same-origin' };
  const answer = await client.visit(rig.url('app', '/.sallyport/sign-out'), { method: 'POST', headers, follow: 0 });
  assert.equal(answer.status, 303);
  // A request that is under way when its session ends is broken off: no answer is none yet.
  const isRefused = () =>
    statusAt(port, thief).then(
      (status) => status === 401,
      () => false,
    );
  const tookMs = await until(isRefused, 1_000, 'it ended at the other');
  console.log(`the other refused ${tookMs.toFixed(1)} ms after the sign-out was answered`);
});

test('Redis away: who is in goes on, who is not gets 503 before the provider, and all heals', async () => {
  const client = await signIn();
  assert.equal(await statusAt(port, client), 200);
  await redis.kill();
  // That it answers is believed for a second.
  await delay(1_100);
  const up = async () => (await rig.sallyport.metrics.storeUp.get()).values[0]?.value;
  const newcomer = createClient();
  const refused = await newcomer.visit(rig.url('app'));
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers['retry-after']) > 0);
  assert.ok(!newcomer.hops.some((hop) => hop.port === String(rig.provider.port)));
  for (let count = 0; count < 50; count += 1) {
    assert.equal(await statusAt(rig.port, client), 200);
    assert.equal(await statusAt(port, client), 200);
  }
  assert.equal(await up(), 0);
  await redis.start();
  const healedMs = await until(async () => (await up()) === 1, 10_000, 'it heals');
  console.log(`it was well ${healedMs.toFixed()} ms after Redis was back`);
  await signIn();
});
