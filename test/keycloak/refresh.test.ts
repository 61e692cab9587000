// Sessions are asked about again at a real Keycloak that rotates refresh tokens, and ends whoever sends one twice.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../integration/client.ts';
import { until } from '../integration/rig.ts';
import { signedIn, startKeycloakRig, statusOf } from './rig.ts';
import type { KeycloakRig } from './rig.ts';

const refreshInterval = '3s';
const dueMs = 3_000;
const parallel = 20;
/** Generous: a refresh takes Keycloak some ten milliseconds where the machine has nothing else to do. */
const withinMs = 30_000;

let rig: KeycloakRig;
before(async () => {
  rig = await startKeycloakRig('refresh', {
    prepare: (text) => text.replace(/^ *type: Memory$/m, `$&\n    refreshInterval: ${refreshInterval}`),
  });
});
after(() => rig?.stop());

const statusOn = (client: Client, host: string) => statusOf(client, rig.url(host));

test('a group that a person was removed from is gone with the next refresh, and they stay signed in', async () => {
  const { client, arrived } = await signedIn(rig.url('engineering'));
  assert.equal(arrived.status, 200);
  await rig.realm.leaveGroup('ana', 'engineering');
  const ms = await until(async () => (await statusOn(client, 'engineering')) === 403, withinMs, 'she is refused');
  console.log(`refused ${(ms / 1000).toFixed(1)} s after she left the group, asked again each ${refreshInterval}`);
  assert.equal((await client.visit(rig.url('app', '/json'))).url.href, rig.url('app', '/json'));
});

test(`of ${parallel} requests at once one refreshes, again and again, and no token is sent twice`, async () => {
  const { client } = await signedIn(rig.url('app'), 'bob');
  for (let round = 0; round < 4; round += 1) {
    await delay(dueMs);
    const before = await rig.realm.count('REFRESH_TOKEN');
    const statuses = await Promise.all(Array.from({ length: parallel }, () => statusOn(client, 'app')));
    assert.deepEqual(new Set(statuses), new Set([200]));
    await until(async () => (await rig.realm.count('REFRESH_TOKEN')) > before, withinMs, 'it is refreshed');
    // A second call would come at once.
    await delay(500);
    assert.equal(await rig.realm.count('REFRESH_TOKEN'), before + 1);
  }
  assert.equal(await rig.realm.count('REFRESH_TOKEN_ERROR'), 0);
});

test('a person who is disabled is signed out with the next refresh', async () => {
  const { client, arrived } = await signedIn(rig.url('app'), 'bob');
  assert.equal(arrived.status, 200);
  const bob = `/users/${await rig.realm.userId('bob')}`;
  await rig.realm.admin('PUT', bob, { enabled: false });
  try {
    const ms = await until(async () => (await statusOn(client, 'app')) === 302, withinMs, 'he is signed out');
    console.log(`signed out ${(ms / 1000).toFixed(1)} s after he was disabled, asked again each ${refreshInterval}`);
  } finally {
    await rig.realm.admin('PUT', bob, { enabled: true });
  }
});
