// Signs somebody out with a logout token that their provider never made for us (OpenID Connect Back-Channel Logout 1.0, section 4).
import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import type { JWTHeaderParameters } from 'jose';
import { startFakeProvider } from '../../auth/fake-provider.ts';
import { claimsOf, people, sign, statusOf, tell } from '../../auth/logout-rig.ts';
import { fullSession } from './rig.ts';

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

test('no token passes that another key signed, or none, whatever its header says of keys', async (t) => {
  const ground = await people(t);
  const { provider } = ground;
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const claims = claimsOf(provider, { sub: 'ana' });
  const kid = 'fake-1';
  const by = (key: CryptoKey | Uint8Array, header: JWTHeaderParameters) =>
    new SignJWT(claims).setProtectedHeader(header).sign(key);
  const honest = await sign(provider, { sub: 'ana' });
  const [, , signature = ''] = honest.split('.');
  const pem = createPublicKey({ key: provider.publicJwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const own = await exportJWK(publicKey);
  const forged: Record<string, string> = {
    'no signature, alg none': `${part({ alg: 'none' })}.${part(claims)}.`,
    'alg none, with the honest signature': `${part({ alg: 'none', kid })}.${part(claims)}.${signature}`,
    'no signature, alg ES256': `${part({ alg: 'ES256', kid })}.${part(claims)}.`,
    "another token's signature": `${part({ alg: 'ES256', kid })}.${part(claims)}.${signature}`,
    'our own key under the name of theirs': await by(privateKey, { alg: 'ES256', kid }),
    'our own key, unnamed': await by(privateKey, { alg: 'ES256' }),
    'our own key in the header': await by(privateKey, { alg: 'ES256', kid, jwk: own }),
    'the public key as a shared secret': await by(Buffer.from(pem), { alg: 'HS256', kid }),
    'the client secret as a shared secret': await by(Buffer.from(provider.settings.clientSecret?.reveal() ?? ''), {
      alg: 'HS256',
    }),
  };
  for (const [how, token] of Object.entries(forged)) assert.equal(statusOf(await tell(ground, token)), 400, how);
  assert.equal(await ground.live(), 'ana anaElsewhere eve');
});

test('keys are fetched from nowhere that a token names', async (t) => {
  const ground = await people(t);
  const evil = await startFakeProvider('evil');
  t.after(() => evil.stop());
  const claims = claimsOf(ground.provider, { sub: 'ana' });
  const pointing: readonly JWTHeaderParameters[] = [
    { alg: 'ES256', kid: 'evil-1', jku: `${evil.issuer}/jwks` },
    { alg: 'ES256', kid: 'evil-1', x5u: `${evil.issuer}/jwks` },
    { alg: 'ES256', kid: `${evil.issuer}/jwks` },
  ];
  for (const header of pointing) {
    const token = await new SignJWT(claims).setProtectedHeader(header).sign(evil.privateKey);
    assert.equal(statusOf(await tell(ground, token)), 400);
  }
  // An honest token of a provider that nobody has heard of, and one in which it speaks for another.
  assert.equal(statusOf(await tell(ground, await sign(evil, { aud: 'fake', sub: 'ana' }))), 400);
  assert.equal(
    statusOf(await tell(ground, await sign(evil, { iss: ground.provider.issuer, aud: 'fake', sub: 'ana' }))),
    400,
  );
  assert.equal([...evil.calls.values()].length, 0);
  assert.equal(await ground.live(), 'ana anaElsewhere eve');
});

test('what the provider signed for something else, or somebody else, is no logout token', async (t) => {
  const ground = await people(t);
  const { provider, browsers } = ground;
  const { tokens } = await fullSession(browsers.ana);
  const wrong: Record<string, string> = {
    'an id token': tokens.idToken,
    'an access token': tokens.accessToken,
    'a token for another client': await sign(provider, { aud: 'another', sub: 'ana' }),
    'a token for a client of a longer name': await sign(provider, { aud: 'fake2', sub: 'ana' }),
    'a token of an issuer with a slash more': await sign(provider, { iss: `${provider.issuer}/`, sub: 'ana' }),
    'a token of an issuer in capitals': await sign(provider, { iss: provider.issuer.toUpperCase(), sub: 'ana' }),
    'a token about nobody': await sign(provider, {}),
    'an id token with an event': await sign(provider, { sub: 'ana', nonce: 'n' }),
    'a security event of another kind': await sign(provider, {
      sub: 'ana',
      events: { 'https://schemas.openid.net/secevent/risc/event-type/account-disabled': {} },
    }),
    'one from yesterday': await sign(provider, { sub: 'ana', iat: Math.floor(Date.now() / 1000) - 86_400 }),
  };
  for (const [what, token] of Object.entries(wrong)) assert.equal(statusOf(await tell(ground, token)), 400, what);
  assert.equal(await ground.live(), 'ana anaElsewhere eve');
});
