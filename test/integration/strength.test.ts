// acr and amr, with a real provider: whom nothing but a weak sign-in keeps out is asked for a stronger one, and what comes back weaker ends on a page.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { strengths } from '../../demo/accounts.ts';
import { createClient } from './client.ts';
import type { Answer, Client } from './client.ts';
import { startRig } from './rig.ts';
import type { Rig } from './rig.ts';

const policy = `
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: strong, namespace: demo}
spec:
  rules:
    - allow:
        and: [{authenticatedUser: true}, {httpPath: {is: /json}}]
    - allow:
        and: [{groups: {has: engineering}}, {acr: {is: "${strengths.twoFactors}"}}]
`;

let rig: Rig;
before(async () => {
  rig = await startRig({
    prepare: (text) =>
      text.includes('name: app')
        ? text.replace('sallyport.dev/access: authenticated', 'sallyport.dev/policy: strong')
        : text,
    files: { 'strong.yaml': policy },
  });
});
after(() => rig.stop());

/** Fills in the provider's form; without a code the provider vouches for the password alone. */
function answer(client: Client, page: Answer, code: string): Promise<Answer> {
  assert.match(page.body, /name="code"/, 'the provider asks for a code');
  const body = new URLSearchParams({ account: 'account-ana', password: 'demo', code }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return client.visit(page.url, { method: 'POST', body, headers });
}

async function weakSession(account = 'account-ana'): Promise<Client> {
  const client = createClient();
  const arrived = await client.signIn(await client.visit(rig.url('app', '/json')), account);
  assert.equal(arrived.status, 200);
  return client;
}

test('a weak sign-in is asked for again at the provider, and the very URL is reached', async () => {
  const client = await weakSession();
  const before = client.hops.length;
  const page = await client.visit(rig.url('app', '/secret?a=1'));
  const asked = client.hops.slice(before).find(({ searchParams }) => searchParams.has('acr_values'));
  assert.equal(asked?.searchParams.get('acr_values'), strengths.twoFactors);
  const strong = await answer(client, page, '123456');
  assert.equal(strong.status, 200);
  assert.equal(strong.url.href, rig.url('app', '/secret?a=1'));
  assert.equal((await client.visit(rig.url('app', '/other'), { follow: 0 })).status, 200);
});

test('a weaker answer ends on a page, and what was open before stays open', async () => {
  const client = await weakSession();
  const weak = await answer(client, await client.visit(rig.url('app', '/secret')), '');
  assert.equal(weak.status, 400);
  assert.match(weak.body, /This needs a more secure sign-in/);
  assert.equal((await client.visit(rig.url('app', '/json'), { follow: 0 })).status, 200);
  // And whoever asks for it again is asked again, by the provider and not by nobody.
  assert.match((await client.visit(rig.url('app', '/secret'))).body, /name="code"/);
});

test('a program is told how strong the sign-in must be (RFC 9470)', async () => {
  const client = await weakSession();
  const program = { accept: 'application/json', 'sec-fetch-mode': 'cors' };
  const { status, headers } = await client.visit(rig.url('app', '/secret'), { headers: program });
  assert.equal(status, 401);
  assert.equal(
    headers['www-authenticate'],
    'Bearer realm="app.localhost", error="insufficient_user_authentication", ' +
      `error_description="A stronger sign-in is needed", acr_values="${strengths.twoFactors}"`,
  );
});

test('whom a stronger sign-in would not help is refused, and not sent round', async () => {
  const client = await weakSession('account-bob');
  assert.equal((await client.visit(rig.url('app', '/secret'), { follow: 0 })).status, 403);
});
