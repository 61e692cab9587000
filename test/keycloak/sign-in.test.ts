// Signing in and out at a real Keycloak: groups, verified addresses, the session at both ends, and keys that change meanwhile.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createClient, send } from '../integration/client.ts';
import { signedIn, startKeycloakRig } from './rig.ts';
import type { KeycloakRig } from './rig.ts';

let rig: KeycloakRig;
before(async () => {
  rig = await startKeycloakRig('sign-in');
});
after(() => rig?.stop());

/** What the demo's mirror says of a request. */
interface Reflected {
  readonly assertion: { readonly verified: boolean; readonly claims: Record<string, unknown> };
}

test('a person signs in, comes back to the exact URL, and the application is told who it is and their groups', async () => {
  const asked = rig.url('app', '/json?q=a%20b');
  const { client, arrived } = await signedIn(asked);
  assert.equal(arrived.url.href, asked);
  assert.equal(arrived.status, 200);
  const { body } = await client.visit(asked, { headers: { accept: 'application/json' } });
  const { assertion } = JSON.parse(body) as Reflected;
  assert.equal(assertion.verified, true);
  assert.equal(assertion.claims['sub'], await rig.realm.userId('ana'));
  assert.equal(assertion.claims['email'], 'ana@example.com');
  assert.deepEqual((assertion.claims['groups'] as string[]).toSorted(), ['engineering', 'staff']);
});

test('a policy lets engineers in and refuses others', async () => {
  assert.equal((await signedIn(rig.url('engineering'), 'ana')).arrived.status, 200);
  const { arrived } = await signedIn(rig.url('engineering'), 'bob');
  assert.equal(arrived.status, 403);
  assert.match(arrived.body, /bob@example\.com/);
});

test('signing out ends the session here and at Keycloak, which asks for the password again', async () => {
  const { client } = await signedIn(rig.url('app'));
  await client.visit(rig.url('clock'));
  const stolen = client.cookies.get('clock.localhost')?.get('__Host-sallyport');
  const ana = await rig.realm.userId('ana');
  const sessions = async () => ((await rig.realm.admin('GET', `/users/${ana}/sessions`)) as unknown[]).length;
  const before = await sessions();
  const out = await client.visit(rig.url('app', '/.sallyport/sign-out'), {
    method: 'POST',
    headers: { 'sec-fetch-site': 'same-origin' },
  });
  assert.equal(out.status, 200);
  assert.equal(out.url.origin + out.url.pathname, rig.url('auth', '/.sallyport/signed-out'));
  assert.equal(await sessions(), before - 1);
  const answer = await send(new URL(rig.url('clock')), {
    headers: { cookie: `__Host-sallyport=${stolen}`, accept: '*/*' },
  });
  assert.equal(answer.status, 401);
  const again = await client.visit(rig.url('app'));
  assert.equal(again.url.origin, new URL(rig.realm.issuer).origin);
  assert.match(again.body, /name="password"/);
});

test('an address that Keycloak has not verified does not count', async () => {
  const bob = `/users/${await rig.realm.userId('bob')}`;
  await rig.realm.admin('PUT', bob, { emailVerified: false });
  try {
    const { client } = await signedIn(rig.url('app', '/json'), 'bob');
    const { body } = await client.visit(rig.url('app', '/json'));
    assert.equal((JSON.parse(body) as Reflected).assertion.claims['email'], undefined);
  } finally {
    await rig.realm.admin('PUT', bob, { emailVerified: true });
  }
});

test('claims that are in the userinfo alone are fetched there', async () => {
  const [client] = (await rig.realm.admin('GET', '/clients?clientId=sallyport')) as {
    id: string;
    protocolMappers: { id: string; name: string; config: Record<string, string> }[];
  }[];
  const mapper = client?.protocolMappers.find(({ name }) => name === 'groups');
  assert.ok(client && mapper);
  const path = `/clients/${client.id}/protocol-mappers/models/${mapper.id}`;
  await rig.realm.admin('PUT', path, { ...mapper, config: { ...mapper.config, 'id.token.claim': 'false' } });
  try {
    assert.equal((await signedIn(rig.url('engineering'))).arrived.status, 200);
  } finally {
    await rig.realm.admin('PUT', path, mapper);
  }
});

test('a key that Keycloak signs with since a moment ago is fetched, and signs people in', async () => {
  await signedIn(rig.url('app'));
  await rig.realm.rotateKey();
  const { arrived } = await signedIn(rig.url('app'));
  assert.equal(arrived.status, 200);
  assert.equal(arrived.url.href, rig.url('app'));
});

test('a redirect URI that Keycloak does not know ends on its page, and nobody is sent anywhere', async () => {
  const page = await createClient().visit(rig.url('app'), { follow: 3 });
  assert.match(page.url.href, /protocol\/openid-connect\/auth/);
  page.url.searchParams.set('redirect_uri', rig.url('welcome', '/elsewhere'));
  const refused = await createClient().visit(page.url);
  assert.equal(refused.status, 400);
  assert.match(refused.body, /Invalid parameter: redirect_uri/);
});
