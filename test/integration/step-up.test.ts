// authenticatedWithin, with a real provider: whom nothing but an old sign-in keeps out is asked again, and nobody goes round in circles.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import { createClient } from './client.ts';
import { startRig } from './rig.ts';
import type { Rig } from './rig.ts';

const withinSeconds = 3;

const policy = `
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: fresh, namespace: demo}
spec:
  rules:
    - allow:
        and: [{authenticatedUser: true}, {httpPath: {is: /json}}]
    - name: recently
      allow:
        and: [{groups: {has: engineering}}, {authenticatedWithin: ${withinSeconds}s}]
`;

let rig: Rig;
before(async () => {
  rig = await startRig({
    prepare: (text) =>
      text.includes('name: app')
        ? text.replace('sallyport.dev/access: authenticated', 'sallyport.dev/policy: fresh')
        : text,
    files: { 'fresh.yaml': policy },
  });
});
after(() => rig.stop());

async function agedSession(account = 'account-ana') {
  const client = createClient();
  const arrived = await client.signIn(await client.visit(rig.url('app', '/secret?a=1')), account);
  await sleep(withinSeconds * 1000 + 1_100);
  return { client, arrived };
}

test('an old sign-in is asked for again at the provider, and the very URL is reached', async () => {
  const { client, arrived } = await agedSession();
  assert.equal(arrived.status, 200, 'the first sign-in was recent enough');
  const before = client.hops.length;
  const page = await client.visit(rig.url('app', '/secret?a=1'));
  const asked = client.hops.slice(before).find(({ searchParams }) => searchParams.has('max_age'));
  assert.equal(asked?.searchParams.get('max_age'), String(withinSeconds));
  assert.match(page.url.href, /\/interaction\//, 'the provider asks, though it knows the person');
  const again = await client.signIn(page, 'account-ana');
  assert.equal(again.status, 200);
  assert.equal(again.url.href, rig.url('app', '/secret?a=1'));
});

test('what needs no recent sign-in stays open meanwhile', async () => {
  const { client } = await agedSession();
  assert.equal((await client.visit(rig.url('app', '/json'), { follow: 0 })).status, 200);
  assert.equal((await client.visit(rig.url('app', '/secret'), { follow: 0 })).status, 302);
});

test('a program is told how recent the sign-in must be (RFC 9470)', async () => {
  const { client } = await agedSession();
  const program = { accept: 'application/json', 'sec-fetch-mode': 'cors' };
  const { status, headers, body } = await client.visit(rig.url('app', '/secret'), { headers: program });
  assert.equal(status, 401);
  assert.match(
    headers['www-authenticate'] ?? '',
    new RegExp(
      `^Bearer realm="app.localhost", error="insufficient_user_authentication", .*max_age="${withinSeconds}"$`,
    ),
  );
  assert.equal(JSON.parse(body).title, 'Please sign in again');
});

test('whom another sign-in would not help is refused, and not sent round', async () => {
  const { client } = await agedSession('account-bob');
  const { status } = await client.visit(rig.url('app', '/secret'), { follow: 0 });
  assert.equal(status, 403);
});
