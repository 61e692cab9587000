// Somebody signs out at a real provider, and it tells us: their sessions end with what they hold open, and nobody else's.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { hiddenFieldsOf } from '../demo/walk.ts';
import { createClient, send } from './client.ts';
import type { Client } from './client.ts';
import { startRig, until } from './rig.ts';
import type { Rig } from './rig.ts';

let rig: Rig;
before(async () => {
  rig = await startRig({ backChannel: true });
});
after(() => rig.stop());

async function signIn(account: string): Promise<Client> {
  const client = createClient();
  await client.signIn(await client.visit(rig.url('app')), account);
  await client.visit(rig.url('clock'));
  return client;
}

const cookieOf = (client: Client, host: string) =>
  `__Host-sallyport=${client.cookies.get(`${host}.localhost`)?.get('__Host-sallyport')}`;

const statusOf = async (client: Client) =>
  (await send(new URL(rig.url('app', '/json')), { headers: { cookie: cookieOf(client, 'app'), accept: '*/*' } }))
    .status;

/** Signs out at the provider's own page, as from another application, or from its account page. */
async function signOutThere(client: Client): Promise<void> {
  const page = await client.visit(`${rig.provider.issuer}/session/end`);
  const action = /<form[^>]* action="([^"]+)"/.exec(page.body)?.[1] ?? '';
  const answer = await client.visit(new URL(action, page.url), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...hiddenFieldsOf(page.body), logout: 'yes' }).toString(),
  });
  assert.equal(answer.status, 200);
}

test('an open WebSocket is closed and requests are refused, at once', async () => {
  const [ana, anaElsewhere, eve] = [
    await signIn('account-ana'),
    await signIn('account-ana'),
    await signIn('account-eve'),
  ];
  const url = new URL(rig.url('clock', '/socket'));
  const socket = new WebSocket(`ws://127.0.0.1:${url.port}${url.pathname}`, {
    headers: { host: url.host, cookie: cookieOf(ana, 'clock') },
    origin: url.origin,
  });
  const closed = new Promise<number>((resolve) => socket.once('close', () => resolve(performance.now())));
  await new Promise((resolve, reject) => {
    socket.once('message', resolve);
    socket.once('error', reject);
  });
  const began = performance.now();
  await signOutThere(ana);
  const signedOut = performance.now();
  const closedAt = await Promise.race([closed, delay(5_000, Infinity, { ref: false })]);
  await until(async () => (await statusOf(ana)) === 401, 1_000, 'the session is refused');
  console.log(
    `the provider's answer took ${(signedOut - began).toFixed(1)} ms; the WebSocket closed ${(closedAt - began).toFixed(1)} ms after it was asked`,
  );
  assert.ok(closedAt - signedOut < 1_000);
  assert.equal(await statusOf(anaElsewhere), 200, 'another session of the same person at the provider goes on');
  assert.equal(await statusOf(eve), 200);
  const line = rig.log.find(({ msg }) => msg === 'signed out at the identity provider');
  assert.equal(line?.['person'], 'ana@example.com');
  assert.equal(line['channel'], 'Back');
});

test('a sign-out here is told back by the provider, and changes nothing more', async () => {
  const client = await signIn('account-ana');
  const refused = () => rig.log.filter(({ msg }) => msg === 'a logout token was refused').length;
  const out = await client.visit(rig.url('app', '/.sallyport/sign-out'), {
    method: 'POST',
    headers: { 'sec-fetch-site': 'same-origin' },
  });
  assert.equal(out.status, 200);
  assert.equal(await statusOf(client), 401);
  assert.equal(refused(), 0);
});
