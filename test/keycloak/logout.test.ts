// Sessions that end at a real Keycloak: what its back channel and its pages in a browser end here, how soon, and what they leave alone.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { after, before, test } from 'node:test';
import { hiddenFieldsOf } from '../demo/walk.ts';
import type { Client } from '../integration/client.ts';
import { until } from '../integration/rig.ts';
import { signedIn, startKeycloakRig, statusOf, submit } from './rig.ts';
import type { KeycloakRig } from './rig.ts';

const withinMs = 30_000;
const refreshInterval = '3s';

let rig: KeycloakRig;
before(async () => {
  rig = await startKeycloakRig('logout', {
    prepare: (text) => text.replace(/^ *type: Memory$/m, `$&\n    refreshInterval: ${refreshInterval}`),
  });
});
after(() => rig?.stop());

const isSignedIn = async (client: Client) => (await statusOf(client, rig.url('clock'))) === 200;
const isRefused = async (client: Client) => (await statusOf(client, rig.url('clock'))) === 302;

/** An event stream of the clock, open; `over` resolves when it has ended. */
async function openStream(client: Client): Promise<{ readonly over: Promise<void> }> {
  const cookie = `__Host-sallyport=${client.cookies.get('clock.localhost')?.get('__Host-sallyport')}`;
  const url = new URL(rig.url('clock', '/events'));
  const headers = { host: url.host, cookie, accept: 'text/event-stream' };
  const outgoing = httpRequest({ host: '127.0.0.1', port: url.port, path: url.pathname, headers, agent: false }).end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  assert.equal(response.statusCode, 200);
  response.on('error', () => {}).resume();
  return { over: new Promise((resolve) => void response.once('close', resolve)) };
}

/** How many sessions have ended because the back channel said so. */
const endedByBackChannel = () => rig.log.filter(({ channel }) => channel === 'Back').length;

test('an administrator who signs a person out ends their session here at once, with what is open, and nobody else’s', async () => {
  const ana = await signedIn(rig.url('clock'));
  const bob = await signedIn(rig.url('clock'), 'bob');
  const { over } = await openStream(ana.client);
  const before = endedByBackChannel();
  const began = performance.now();
  const asked = rig.realm.admin('POST', `/users/${await rig.realm.userId('ana')}/logout`);
  await until(() => isRefused(ana.client), withinMs, 'she is refused');
  const refusedMs = performance.now() - began;
  await over;
  const closedMs = performance.now() - began;
  await asked;
  console.log(`refused after ${refusedMs.toFixed(0)} ms, the stream closed after ${closedMs.toFixed(0)} ms`);
  assert.equal(endedByBackChannel(), before + 1);
  assert.equal(await isSignedIn(bob.client), true);
});

// Seen with 26.4.7: it sends one logout token for all sessions that a person has with a client, with the `sid` of one of
// them, and none at all for logout-all.
for (const [what, path] of [
  ['all sessions of a person', (ana: string) => `/users/${ana}/logout`],
  ['all sessions of the realm', () => '/logout-all'],
] as const) {
  test(`an administrator ends ${what}: those that Keycloak does not tell of end with the next refresh`, async () => {
    const [one, other] = [await signedIn(rig.url('clock')), await signedIn(rig.url('clock'))];
    await rig.realm.admin('POST', path(await rig.realm.userId('ana')));
    for (const { client } of [one, other]) {
      const ms = await until(() => isRefused(client), withinMs, 'she is refused');
      console.log(
        `refused ${(ms / 1000).toFixed(1)} s after Keycloak had answered, asked again each ${refreshInterval}`,
      );
    }
  });
}

test('one session of several that an administrator ends is the one that ends here', async () => {
  const ana = await rig.realm.userId('ana');
  const idsOf = async () =>
    ((await rig.realm.admin('GET', `/users/${ana}/sessions`)) as { id: string }[]).map(({ id }) => id);
  const before = await idsOf();
  const one = await signedIn(rig.url('clock'));
  const id = (await idsOf()).find((found) => !before.includes(found));
  const other = await signedIn(rig.url('clock'));
  const ended = endedByBackChannel();
  await rig.realm.admin('DELETE', `/sessions/${id}`);
  await until(() => isRefused(one.client), withinMs, 'the one is refused');
  assert.equal(endedByBackChannel(), ended + 1);
  assert.equal(await isSignedIn(other.client), true);
});

test('a person who signs out at another application of the realm is signed out here', async () => {
  const { client } = await signedIn(rig.url('clock'));
  const page = await client.visit(`${rig.realm.issuer}/protocol/openid-connect/logout`);
  const out = await submit(client, page, { ...hiddenFieldsOf(page.body), confirmLogout: 'Logout' });
  assert.match(out.body, /logged out/i);
  await until(() => isRefused(client), withinMs, 'refused');
});
