// Keys that change, are slow, or belong to somebody else; clocks that differ.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { exportJWK, generateKeyPair } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { createProvider } from '../../src/auth/provider/provider.ts';
import type { Provider } from '../../src/auth/provider/provider.ts';
import { createLogger } from '../../src/telemetry.ts';
import { sendJson, signWith, startFakeProvider } from './fake-provider.ts';
import type { FakeProvider } from './fake-provider.ts';
import { signInAt } from './sign-in.ts';

let fake: FakeProvider;
before(async () => {
  fake = await startFakeProvider();
});
after(() => fake.stop());
afterEach(() => {
  Object.assign(fake.behaviour, { metadata: {}, claims: {}, answer: {}, userinfo: {}, callback: {} });
  delete fake.behaviour.sign;
  delete fake.behaviour.issuer;
  fake.behaviour.instead.clear();
  fake.calls.clear();
});

function providerFor(t: TestContext, more: Partial<FakeProvider['settings']> = {}): Provider {
  const provider = createProvider({ ...fake.settings, ...more }, { log: createLogger('silent') });
  t.after(() => provider.close());
  return provider;
}

const signIn = async (provider: Provider) => (await signInAt(provider, { authorize: fake.authorize })).signedIn;

const seconds = () => Math.floor(Date.now() / 1000);

/** From now on the provider signs with another key. */
async function rotate(kid: string): Promise<{ readonly jwk: JWK; readonly privateKey: CryptoKey }> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  fake.behaviour.sign = (claims) => signWith(privateKey, claims, { alg: 'ES256', kid });
  return { jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' }, privateKey };
}

const publish = (...keys: readonly JWK[]) =>
  fake.behaviour.instead.set('/jwks', (_, response) => sendJson(response, 200, { keys }));

const keyCalls = () => fake.calls.get('/jwks') ?? 0;

describe('keys', () => {
  test('are fetched once for many sign-ins', async (t) => {
    const provider = providerFor(t);
    await Promise.all(Array.from({ length: 5 }, () => signIn(provider)));
    await signIn(provider);
    assert.equal(keyCalls(), 1);
  });

  test('are fetched again when the provider has signed with a new one, were it a moment ago', async (t) => {
    const provider = providerFor(t);
    await signIn(provider);
    const { jwk } = await rotate('new');
    publish(fake.publicJwk, jwk);
    await signIn(provider);
    assert.equal(keyCalls(), 2);
  });

  test('are not fetched again and again for tokens of strangers that name keys at random', async (t) => {
    const provider = providerFor(t);
    await signIn(provider);
    for (let count = 0; count < 5; count += 1) {
      const { privateKey } = await rotate(`random-${count}`);
      const token = await signWith(privateKey, { sub: 'ana' }, { alg: 'ES256', kid: `random-${count}` });
      await assert.rejects(provider.signer?.verify(token, fake.issuer) ?? Promise.resolve(), { code: 'invalid' });
    }
    assert.equal(keyCalls(), 1);
  });

  test('that do not come make a sign-in unavailable, in time, and not invalid', { timeout: 60_000 }, async (t) => {
    fake.behaviour.instead.set('/jwks', () => undefined);
    const began = performance.now();
    await assert.rejects(signIn(providerFor(t)), { code: 'unavailable' });
    assert(performance.now() - began < 15_000);
    for (const [status, body] of [
      [429, {}],
      [404, {}],
      [200, { keys: 'none' }],
      [200, []],
    ] as const) {
      fake.behaviour.instead.set('/jwks', (_, response) => sendJson(response, status, body));
      await assert.rejects(signIn(providerFor(t)), { code: 'unavailable' }, `${status} ${JSON.stringify(body)}`);
    }
  });

  test('that nobody names are as if nobody had them', async (t) => {
    fake.behaviour.metadata = { jwks_uri: undefined };
    await assert.rejects(signIn(providerFor(t)), { code: 'unavailable' });
  });

  test('of another tenant sign for nobody else', async (t) => {
    const [ours, theirs] = ['72f988bf-86f1-41af-91ab-2d7cd011db47', '9188040d-6c67-4c5b-b112-36a304b66dad'];
    fake.behaviour.issuer = `${fake.issuer}/{tenantid}/v2.0`;
    fake.behaviour.metadata = { authorization_response_iss_parameter_supported: undefined };
    fake.behaviour.callback = { iss: undefined };
    fake.behaviour.claims = { tid: ours, iss: `${fake.issuer}/${ours}/v2.0` };
    const provider = () => providerFor(t, { issuer: `${fake.issuer}/common/v2.0`, tenants: [ours] });
    for (const issuer of [`${fake.issuer}/{tenantid}/v2.0`, `${fake.issuer}/${ours}/v2.0`]) {
      publish({ ...fake.publicJwk, issuer } as JWK);
      assert.equal((await signIn(provider())).issuer, `${fake.issuer}/${ours}/v2.0`);
    }
    publish({ ...fake.publicJwk, issuer: `${fake.issuer}/${theirs}/v2.0` } as JWK);
    await assert.rejects(signIn(provider()), { code: 'invalid' });
  });
});

describe('clocks', () => {
  test('may differ by a minute, and by no more', async (t) => {
    const provider = providerFor(t);
    for (const claims of [{ exp: seconds() - 45 }, { nbf: seconds() + 45 }, { iat: seconds() + 45 }]) {
      fake.behaviour.claims = claims;
      await signIn(provider);
    }
    for (const claims of [{ exp: seconds() - 75 }, { nbf: seconds() + 75 }]) {
      fake.behaviour.claims = claims;
      await assert.rejects(signIn(provider), { code: 'invalid' }, JSON.stringify(claims));
    }
  });
});

test('a provider that has had enough (429) is unavailable, wherever it says so', async (t) => {
  fake.behaviour.claims = { groups: undefined };
  for (const path of ['/.well-known/openid-configuration', '/token', '/jwks', '/userinfo']) {
    for (const body of [{ error: 'slow_down' }, {}]) {
      fake.behaviour.instead.clear();
      fake.behaviour.instead.set(path, (_, response) => sendJson(response, 429, body));
      await assert.rejects(signIn(providerFor(t)), { code: 'unavailable' }, path);
    }
  }
});

describe('userinfo as a JWT', () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = () => ({ iss: fake.issuer, aud: 'fake', sub: 'ana', groups: ['admins'] });
  const answers: Record<string, () => Promise<string> | string> = {
    'with alg none': () => `${part({ alg: 'none' })}.${part(claims())}.`,
    'signed with another key': async () => {
      const { privateKey } = await generateKeyPair('ES256');
      return signWith(privateKey, claims(), { alg: 'ES256', kid: 'fake-1' });
    },
    'signed with the client secret': () =>
      signWith(Buffer.from(fake.settings.clientSecret?.reveal() ?? ''), claims(), { alg: 'HS256' }),
    'for another client': () =>
      signWith(fake.privateKey, { ...claims(), aud: 'another' }, { alg: 'ES256', kid: 'fake-1' }),
    'about somebody else': () =>
      signWith(fake.privateKey, { ...claims(), sub: 'eve' }, { alg: 'ES256', kid: 'fake-1' }),
  };
  const giving = (answer: () => Promise<string> | string) => {
    fake.behaviour.claims = { groups: undefined };
    fake.behaviour.metadata = { userinfo_signing_alg_values_supported: ['ES256'] };
    fake.behaviour.instead.set('/userinfo', async (_, response) => {
      response.writeHead(200, { 'content-type': 'application/jwt' }).end(await answer());
    });
  };

  test('that the provider signed counts', async (t) => {
    giving(() => signWith(fake.privateKey, claims(), { alg: 'ES256', kid: 'fake-1' }));
    assert.deepEqual((await signIn(providerFor(t))).identity.groups, ['admins']);
  });
  for (const [name, answer] of Object.entries(answers)) {
    test(`${name} is refused`, async (t) => {
      giving(answer);
      await assert.rejects(signIn(providerFor(t)), { code: 'invalid' });
    });
  }
});
