// A policy that wants a second factor, at a real Keycloak whose realm asks for one where acr_values says so.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createClient } from '../integration/client.ts';
import { enterCode, signedIn, startKeycloakRig, submit } from './rig.ts';
import type { KeycloakRig } from './rig.ts';

const policy = `
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: strong, namespace: demo}
spec:
  rules:
    - allow:
        and: [{authenticatedUser: true}, {httpPath: {is: /json}}]
    - allow:
        and: [{groups: {has: engineering}}, {httpPath: {startsWith: /secret}}, {acr: {is: second-factor}}]
    - allow:
        and: [{groups: {has: engineering}}, {httpPath: {startsWith: /otp}}, {authenticationMethod: {has: otp}}]
`;

let rig: KeycloakRig;
before(async () => {
  rig = await startKeycloakRig('step-up', {
    prepare: (text) =>
      text.includes('name: app')
        ? text.replace('sallyport.dev/access: authenticated', 'sallyport.dev/policy: strong')
        : text,
    oidc: 'acrForMethods: {otp: second-factor}',
    files: { 'strong.yaml': policy },
  });
});
after(() => rig?.stop());

for (const path of ['/secret?a=1', '/otp?a=1']) {
  test(`whoever signed in by password is asked for the second factor alone, and reaches ${path}`, async () => {
    const { client, arrived } = await signedIn(rig.url('app', '/json'));
    assert.equal(arrived.status, 200);
    const before = client.hops.length;
    const page = await client.visit(rig.url('app', path));
    const asked = client.hops.slice(before).find(({ searchParams }) => searchParams.has('acr_values'));
    assert.equal(asked?.searchParams.get('acr_values'), 'second-factor');
    assert.match(page.body, /name="otp"/);
    const reached = await enterCode(client, page);
    assert.equal(reached.url.href, rig.url('app', path));
    assert.equal(reached.status, 200);
    assert.equal((await client.visit(rig.url('app', path), { follow: 0 })).status, 200, 'and is not asked again');
  });
}

test('whoever comes there first is asked for both at once', async () => {
  const client = createClient();
  const password = await client.visit(rig.url('app', '/secret'));
  assert.match(password.body, /name="password"/);
  const page = await submit(client, password, { username: 'ana', password: 'demo' });
  const reached = await enterCode(client, page);
  assert.equal(reached.url.href, rig.url('app', '/secret'));
  assert.equal(reached.status, 200);
});

test('whom a second factor would not help is refused, and not sent round', async () => {
  const { client } = await signedIn(rig.url('app', '/json'), 'bob');
  assert.equal((await client.visit(rig.url('app', '/secret'), { follow: 0 })).status, 403);
});
