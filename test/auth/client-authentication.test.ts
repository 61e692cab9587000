// Client authentication, pushed requests and signed userinfo, judged by a certified provider over TLS.
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { decodeProtectedHeader } from 'jose';
import { createProvider } from '../../src/auth/provider/provider.ts';
import { ProviderError } from '../../src/auth/provider/error.ts';
import { Redacted } from '../../src/model/diagnostic.ts';
import type { ClientAuthentication, OidcSettings } from '../../src/model/settings.ts';
import { createLogger } from '../../src/telemetry.ts';
import { createCertificateAuthority } from '../integration/certificates.ts';
import { mutualTls, startCertifiedProvider } from './certified-provider.ts';
import type { CertifiedOptions, CertifiedProvider } from './certified-provider.ts';
import { sendJson, startFakeProvider } from './fake-provider.ts';
import { signInAt } from './sign-in.ts';

async function started(t: TestContext, options: CertifiedOptions): Promise<CertifiedProvider> {
  const provider = await startCertifiedProvider(options);
  t.after(() => provider.stop());
  return provider;
}

/** Signs in and refreshes once. */
async function signInAndRefresh(t: TestContext, certified: CertifiedProvider, more: Partial<OidcSettings>) {
  const provider = createProvider({ ...certified.settings, ...more }, { log: createLogger('silent') });
  t.after(() => provider.close());
  const { signedIn, asked } = await signInAt(provider, certified);
  const refreshed = await provider.refresh(signedIn, Date.now());
  assert.equal(signedIn.identity.email, 'ana@example.com');
  assert.deepEqual(refreshed.identity.groups, ['engineering']);
  assert.notEqual(refreshed.tokens.refreshToken, signedIn.tokens.refreshToken, 'the provider rotates refresh tokens');
  return { asked, signedIn };
}

const someSession = {
  subject: 'ana',
  identity: { user: 'ana', groups: [], claims: {} },
  tokens: { idToken: '', accessToken: '', refreshToken: 'x' },
};

const isRefused = (error: unknown) =>
  error instanceof ProviderError && /invalid_client|answered 401/.test(error.message);

describe('a client authenticates', () => {
  for (const method of ['ClientSecretBasic', 'ClientSecretPost'] as const) {
    test(`by ${method}, and by no other secret`, async (t) => {
      const name = method === 'ClientSecretBasic' ? 'client_secret_basic' : 'client_secret_post';
      const secret = 'a secret/that+needs%encoding';
      const certified = await started(t, { client: { client_secret: secret, token_endpoint_auth_method: name } });
      const clientAuthentication = { method };
      await signInAndRefresh(t, certified, { clientAuthentication, clientSecret: new Redacted(secret) });
      const wrong = { clientAuthentication, clientSecret: new Redacted('another') };
      await assert.rejects(signInAndRefresh(t, certified, wrong), isRefused);
    });
  }

  const keys = {
    RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    EdDSA: () => generateKeyPairSync('ed25519'),
  };
  for (const [alg, generate] of Object.entries(keys)) {
    test(`by a JWT of its own ${alg} key, and by no other key`, async (t) => {
      const pem = generate().privateKey.export({ type: 'pkcs8', format: 'pem' });
      const jwk = { ...createPublicKey(pem).export({ format: 'jwk' }), kid: 'ours', use: 'sig' };
      const certified = await started(t, {
        client: { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } },
        configure: (configuration) => ({ ...configuration, clientAuthMethods: ['private_key_jwt'] }),
      });
      const by = (key: string): ClientAuthentication => ({
        method: 'PrivateKeyJwt',
        key: new Redacted(key),
        keyId: 'ours',
      });
      await signInAndRefresh(t, certified, { clientAuthentication: by(pem) });
      const other = generate().privateKey.export({ type: 'pkcs8', format: 'pem' });
      await assert.rejects(signInAndRefresh(t, certified, { clientAuthentication: by(other) }), isRefused);
    });
  }

  test('by a certificate, and by no other', async (t) => {
    const certified = await started(t, {
      client: { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'client.example.com' },
      configure: (configuration) => ({
        ...configuration,
        clientAuthMethods: ['tls_client_auth'],
        features: { ...configuration.features, ...mutualTls },
      }),
    });
    const by = (name: string): ClientAuthentication => {
      const { key, certificate } = certified.authority.sign(name);
      return { method: 'TlsClientAuth', key: new Redacted(key), certificate };
    };
    await signInAndRefresh(t, certified, { clientAuthentication: by('client.example.com') });
    await assert.rejects(signInAndRefresh(t, certified, { clientAuthentication: by('other.example.com') }), isRefused);
    await assert.rejects(signInAndRefresh(t, certified, { clientAuthentication: { method: 'None' } }), isRefused);
  });

  test('by a certificate that it signed itself', async (t) => {
    const certified = await started(t, {
      client: {
        token_endpoint_auth_method: 'self_signed_tls_client_auth',
        jwks_uri: 'https://client.example.com/jwks',
      },
      configure: (configuration) => ({
        ...configuration,
        clientAuthMethods: ['self_signed_tls_client_auth'],
        features: { ...configuration.features, ...mutualTls },
        fetch: () => Promise.resolve(Response.json({ keys: [certificateJwk] })),
      }),
    });
    const { key, certificate } = certified.authority.sign('client.example.com');
    const x5c = certificate.replaceAll(/-----[^-]+-----|\s/g, '');
    const certificateJwk = { ...createPublicKey(certificate).export({ format: 'jwk' }), use: 'sig', x5c: [x5c] };
    const clientAuthentication: ClientAuthentication = { method: 'TlsClientAuth', key: new Redacted(key), certificate };
    await signInAndRefresh(t, certified, { clientAuthentication });
  });

  test('by a certificate at the endpoints that the provider has for that', async (t) => {
    const fake = await startFakeProvider();
    t.after(() => fake.stop());
    fake.behaviour.metadata = { mtls_endpoint_aliases: { token_endpoint: `${fake.issuer}/mtls/token` } };
    const ask = async (clientAuthentication: ClientAuthentication) => {
      const provider = createProvider({ ...fake.settings, clientAuthentication }, { log: createLogger('silent') });
      t.after(() => provider.close());
      await assert.rejects(provider.refresh(someSession, 0), ProviderError);
    };
    await ask({ method: 'None' });
    assert.deepEqual([fake.calls.get('/token'), fake.calls.get('/mtls/token')], [1, undefined]);
    const authority = createCertificateAuthority();
    const { key, certificate } = authority.sign('client.example.com');
    authority.close();
    await ask({ method: 'TlsClientAuth', key: new Redacted(key), certificate });
    assert.deepEqual([fake.calls.get('/token'), fake.calls.get('/mtls/token')], [1, 1]);
  });

  test('as Entra ID wants it where a certificate goes with the key: PS256, x5t#S256, the token endpoint', async (t) => {
    const fake = await startFakeProvider();
    t.after(() => fake.stop());
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' });
    const authority = createCertificateAuthority();
    const { certificate } = authority.sign('client.example.com');
    authority.close();
    let assertion = '';
    fake.behaviour.instead.set('/token', (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        assertion = new URLSearchParams(body).get('client_assertion') ?? '';
        sendJson(response, 400, { error: 'invalid_grant' });
      });
    });
    const clientAuthentication = { method: 'PrivateKeyJwt', key: new Redacted(key), certificate } as const;
    const provider = createProvider({ ...fake.settings, clientAuthentication }, { log: createLogger('silent') });
    t.after(() => provider.close());
    await assert.rejects(provider.refresh(someSession, 0), ProviderError);
    const { alg, typ, 'x5t#S256': thumbprint } = decodeProtectedHeader(assertion) as Record<string, unknown>;
    assert.deepEqual([alg, typ], ['PS256', 'JWT']);
    assert.match(String(thumbprint), /^[A-Za-z0-9_-]{43}$/);
    const payload = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString()) as { aud: unknown };
    assert.equal(payload.aud, `${fake.issuer}/token`);
  });
});

describe('a sign-in is pushed to the provider first', () => {
  const secret = { client: { client_secret: 'secret' } };
  const pushing = (isRequired: boolean): CertifiedOptions => ({
    ...secret,
    configure: (configuration) => ({
      ...configuration,
      features: {
        ...configuration.features,
        pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: isRequired },
      },
    }),
  });
  const clientSecret = new Redacted('secret');

  test('where it requires that, or the object does', async (t) => {
    for (const [isRequired, pushedRequests] of [
      [true, 'Auto'],
      [false, 'Required'],
    ] as const) {
      const certified = await started(t, pushing(isRequired));
      const { asked } = await signInAndRefresh(t, certified, { clientSecret, pushedRequests });
      assert.deepEqual([...asked.keys()].toSorted(), ['client_id', 'request_uri']);
      assert(certified.seen.includes('POST /request'));
    }
  });

  test('and not where nobody requires it, or the object forbids it', async (t) => {
    const certified = await started(t, pushing(false));
    const { asked } = await signInAndRefresh(t, certified, { clientSecret });
    assert(asked.has('code_challenge'));
    assert.equal(certified.seen.includes('POST /request'), false);
    const requiring = await started(t, pushing(true));
    await assert.rejects(signInAndRefresh(t, requiring, { clientSecret, pushedRequests: 'Off' }));
  });

  test('and is refused where the provider has no place for it', async (t) => {
    const certified = await started(t, {
      ...secret,
      configure: (one) => ({ ...one, features: { ...one.features, pushedAuthorizationRequests: { enabled: false } } }),
    });
    await assert.rejects(signInAndRefresh(t, certified, { clientSecret, pushedRequests: 'Required' }), ProviderError);
  });
});

test('userinfo may be a signed JWT', async (t) => {
  const certified = await started(t, {
    client: { client_secret: 'secret', userinfo_signed_response_alg: 'RS256' },
    // By the letter: what scopes ask for is in userinfo alone.
    configure: (configuration) => ({
      ...configuration,
      conformIdTokenClaims: true,
      features: { ...configuration.features, jwtUserinfo: { enabled: true } },
    }),
  });
  const { signedIn } = await signInAndRefresh(t, certified, { clientSecret: new Redacted('secret') });
  assert.equal(signedIn.identity.name, 'Ana');
  assert(certified.seen.includes('GET /me'));
});
