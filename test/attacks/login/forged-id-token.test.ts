// Signs an id token with what everybody knows: the public key as an HMAC secret, or nothing (CVE-2026-39999: algorithm confusion).
import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import { generateKeyPair } from 'jose';
import { signWith } from '../../auth/fake-provider.ts';
import { appHost, assertFailed, layGround, visit } from './rig.ts';

test('no id token counts that the published key did not sign', async (t) => {
  const { house, victim, provider } = await layGround(t);
  const pem = createPublicKey({ key: provider.publicJwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const { privateKey } = await generateKeyPair('ES256');
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const forgeries: readonly NonNullable<typeof provider.behaviour.sign>[] = [
    (claims) => signWith(Buffer.from(pem), claims, { alg: 'HS256', kid: 'fake-1' }),
    (claims) => signWith(privateKey, claims, { alg: 'ES256', kid: 'fake-1' }),
    (claims) => `${part({ alg: 'none' })}.${part(claims)}.`,
  ];
  for (const algorithms of [['ES256'], ['ES256', 'HS256', 'none']]) {
    provider.behaviour.metadata = { id_token_signing_alg_values_supported: algorithms };
    for (const sign of forgeries) {
      provider.behaviour.sign = sign;
      assertFailed(await visit(victim, `https://${appHost}/`), 'Invalid');
    }
  }
  assert.deepEqual(house.watched.writes, []);
});

test('nor one that was made for another sign-in, client or time', async (t) => {
  const { house, victim, provider } = await layGround(t);
  const seconds = Math.floor(Date.now() / 1000);
  for (const claims of [
    { nonce: 'of another sign-in' },
    { aud: 'another client' },
    { iss: 'https://evil.example.org' },
    { exp: seconds - 300, iat: seconds - 600 },
  ]) {
    provider.behaviour.claims = claims;
    assertFailed(await visit(victim, `https://${appHost}/`), 'Invalid');
  }
  assert.deepEqual(house.watched.writes, []);
});
