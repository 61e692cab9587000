// What Sallyport may be to a real Keycloak beside a client with a secret: one with a key of its own, one that must push its requests.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { signedIn, startKeycloakRig } from './rig.ts';

test('it proves who it is by a key of its own (RFC 7523)', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const rig = await startKeycloakRig('private-key-jwt', {
    clientId: 'sallyport-key',
    oidc: 'clientAuthentication: {method: PrivateKeyJwt, keySecretRef: {namespace: sallyport-system, name: client-key, key: privateKey}, keyID: ours}',
    files: {
      'client-key.yaml': `
apiVersion: v1
kind: Secret
metadata: {name: client-key, namespace: sallyport-system}
data: {privateKey: ${Buffer.from(pem).toString('base64')}}
`,
    },
  });
  try {
    const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'ours', use: 'sig', alg: 'RS256' }] };
    await rig.realm.changeClient('sallyport-key', { 'jwks.string': JSON.stringify(jwks) });
    const { arrived } = await signedIn(rig.url('app'));
    assert.equal(arrived.url.href, rig.url('app'));
    assert.equal(arrived.status, 200);
    assert.equal(await rig.realm.count('CODE_TO_TOKEN'), 1);
  } finally {
    await rig.stop();
  }
});

test('it pushes its requests where the client must (RFC 9126): nothing of them travels through the browser', async () => {
  const rig = await startKeycloakRig('par', {
    clientId: 'sallyport-par',
    oidc: 'pushedAuthorizationRequests: Required',
  });
  try {
    const { client, arrived } = await signedIn(rig.url('app'));
    assert.equal(arrived.url.href, rig.url('app'));
    assert.equal(arrived.status, 200);
    const asked = client.hops.find(({ pathname }) => pathname.endsWith('/protocol/openid-connect/auth'));
    assert.deepEqual([...(asked?.searchParams.keys() ?? [])].toSorted(), ['client_id', 'request_uri']);
  } finally {
    await rig.stop();
  }
});
