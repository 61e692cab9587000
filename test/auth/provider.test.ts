// A provider that errs, lies, stalls or changes: what is believed of it, and how long it is waited for.
import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { after, afterEach, before, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { generateKeyPair } from 'jose';
import type { JWTPayload } from 'jose';
import { identityOf } from '../../src/auth/provider/claims.ts';
import { checkCallback, newChallenge, newFlowId } from '../../src/auth/sign-in/login.ts';
import { createProvider } from '../../src/auth/provider/provider.ts';
import type { Provider } from '../../src/auth/provider/provider.ts';
import { ProviderError } from '../../src/auth/provider/error.ts';
import type { OidcSettings } from '../../src/model/settings.ts';
import { createLogger } from '../../src/telemetry.ts';
import { providerSettings, sendJson, signWith, startFakeProvider } from './fake-provider.ts';
import type { FakeProvider } from './fake-provider.ts';
import { redirectUri, signInAt } from './sign-in.ts';

let fake: FakeProvider;
before(async () => {
  fake = await startFakeProvider();
});
after(() => fake.stop());
afterEach(() => {
  Object.assign(fake.behaviour, { metadata: {}, claims: {}, answer: {}, rotates: true, userinfo: {}, callback: {} });
  delete fake.behaviour.sign;
  fake.behaviour.instead.clear();
  fake.calls.clear();
});

function providerFor(t: TestContext, more: Partial<OidcSettings> = {}, now?: () => number): Provider {
  const provider = createProvider({ ...fake.settings, ...more }, { log: createLogger('silent'), ...(now && { now }) });
  t.after(() => provider.close());
  return provider;
}

const signIn = async (provider: Provider, at = Date.now()) =>
  (await signInAt(provider, { authorize: fake.authorize, at })).signedIn;

function refuses(code: ProviderError['code'], text?: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert(error instanceof ProviderError, String(error));
    assert.equal(error.code, code, `${error.message}: ${String(error.cause)}`);
    if (text !== undefined) assert.match(`${error.message}: ${String(error.cause)}`, text);
    return true;
  };
}

describe('an honest provider', () => {
  test('is asked with PKCE, state and nonce, for the scopes that it knows', async (t) => {
    fake.behaviour.metadata = { scopes_supported: ['openid', 'email'] };
    const provider = providerFor(t, {
      authorizationParameters: { hd: 'example.com', state: 'fixed', redirect_uri: 'x' },
    });
    const challenge = newChallenge(newFlowId());
    const url = new URL(await provider.authorizationUrl(redirectUri, challenge));
    const { code_challenge: codeChallenge, ...asked } = Object.fromEntries(url.searchParams);
    assert.deepEqual(asked, {
      client_id: 'fake',
      code_challenge_method: 'S256',
      hd: 'example.com',
      nonce: challenge.nonce,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'openid email',
      state: challenge.state,
    });
    assert.match(codeChallenge ?? '', /^[A-Za-z0-9_-]{43}$/);
    assert.equal(url.href.includes(challenge.verifier), false);
  });

  test('is asked for openid even where it does not list it', async (t) => {
    fake.behaviour.metadata = { scopes_supported: ['email'] };
    const url = new URL(await providerFor(t).authorizationUrl(redirectUri, newChallenge(newFlowId())));
    assert.equal(url.searchParams.get('scope'), 'openid email');
  });

  test('tells who signed in', async (t) => {
    const at = Date.now();
    const signedIn = await signIn(providerFor(t), at);
    const { tokens, identity, ...rest } = signedIn;
    assert.deepEqual(rest, {
      provider: 'fake',
      issuer: fake.issuer,
      subject: 'ana',
      authenticatedAt: at,
      tokensExpireAt: at + 300_000,
    });
    assert.equal(identity.user, 'ana');
    assert.equal(identity.email, 'ana@example.com');
    assert.deepEqual(identity.groups, ['engineering']);
    assert.deepEqual([tokens.idToken, tokens.accessToken, tokens.refreshToken], fake.tokens.slice(-3));
  });

  test('tells when the person proved it, and its own session', async (t) => {
    fake.behaviour.claims = { auth_time: 1_700_000_000, sid: 'theirs' };
    const { authenticatedAt, providerSessionId } = await signIn(providerFor(t));
    assert.equal(authenticatedAt, 1_700_000_000_000);
    assert.equal(providerSessionId, 'theirs');
  });

  test('is asked for userinfo where the id token says too little, and the id token counts', async (t) => {
    await signIn(providerFor(t));
    assert.equal(fake.calls.get('/userinfo'), undefined);
    fake.behaviour.claims = { groups: undefined };
    fake.behaviour.userinfo = {
      groups: ['from userinfo'],
      name: 'Ana',
      iss: 'https://evil.example.org',
      auth_time: 1,
      sid: 'x',
    };
    const { identity, issuer, authenticatedAt, providerSessionId } = await signIn(providerFor(t));
    assert.deepEqual(identity.groups, ['from userinfo']);
    assert.equal(identity.name, 'Ana');
    assert.equal(issuer, fake.issuer);
    // When and in which session somebody signed in is for the signed token alone to say.
    assert(authenticatedAt > 1_000_000);
    assert.equal(providerSessionId, undefined);
  });

  test('signs in a public client, and one that posts its secret', async (t) => {
    fake.behaviour.instead.set('/token', (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const form = new URLSearchParams(body);
        const given = [request.headers.authorization ?? 'none', form.get('client_id'), form.get('client_secret')];
        sendJson(response, 400, { error: 'invalid_grant', error_description: given.join(' ') });
      });
    });
    await assert.rejects(signIn(providerFor(t)), refuses('invalid'));
    fake.behaviour.metadata = { token_endpoint_auth_methods_supported: ['client_secret_post'] };
    const posted = await signIn(providerFor(t)).catch((error: unknown) => error);
    assert(posted instanceof ProviderError);
    assert.match(descriptionOf(posted), /^none fake a secret\/that\+needs%encoding$/);
    const { clientSecret: _, ...open } = fake.settings;
    const publicClient = createProvider(open, { log: createLogger('silent') });
    t.after(() => publicClient.close());
    const bare = await signIn(publicClient).catch((error: unknown) => error);
    assert.match(descriptionOf(bare), /^none fake $/);
  });

  test('says where to sign out, unless it has no such place or is not to be asked', async (t) => {
    const asked = await providerFor(t).endSessionUrl(signingOut('the-hint'), 'https://auth.example.com/x', 'the-state');
    const url = new URL(asked ?? '');
    assert.equal(url.origin + url.pathname, `${fake.issuer}/end`);
    assert.equal(url.searchParams.get('id_token_hint'), 'the-hint');
    assert.equal(url.searchParams.get('state'), 'the-state');
    const local = providerFor(t, { logoutAtProvider: false });
    assert.equal(url.searchParams.get('client_id'), fake.settings.clientId);
    assert.equal(await local.endSessionUrl(signingOut('h'), 'https://auth.example.com/', 's'), undefined);
    fake.behaviour.metadata = { end_session_endpoint: undefined };
    assert.equal(await providerFor(t).endSessionUrl(signingOut('h'), 'https://auth.example.com/', 's'), undefined);
  });
});

const signingOut = (idToken: string) => ({
  identity: { user: 'ana', groups: [], claims: {} },
  tokens: { idToken, accessToken: 'a' },
});

function descriptionOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return typeof cause === 'object' && cause !== null && 'error_description' in cause
    ? String(cause.error_description)
    : '';
}

describe('a callback is refused', () => {
  const cases: Record<string, Record<string, string | undefined>> = {
    'with the issuer of another provider (RFC 9207: mix-up)': { iss: 'https://evil.example.org' },
    'without an issuer, where the provider says that it gives one': { iss: undefined },
    'without a code': { code: undefined },
    'with a code that the provider never gave': { code: 'x' },
  };
  for (const [name, callback] of Object.entries(cases)) {
    test(name, async (t) => {
      fake.behaviour.callback = callback;
      await assert.rejects(signIn(providerFor(t)), refuses('invalid'));
      if (callback['code'] !== 'x') assert.equal(fake.calls.get('/token'), undefined);
    });
  }

  test('with an error, as the refusal that it is; a provider that is busy is no refusal', async (t) => {
    fake.behaviour.callback = { code: undefined, error: 'access_denied', error_description: '<script>' };
    await assert.rejects(signIn(providerFor(t)), refuses('denied'));
    for (const error of ['temporarily_unavailable', 'server_error']) {
      fake.behaviour.callback = { code: undefined, error };
      await assert.rejects(signIn(providerFor(t)), refuses('unavailable'));
    }
  });

  test('with an error from another issuer', async (t) => {
    fake.behaviour.callback = { code: undefined, error: 'access_denied', iss: 'https://evil.example.org' };
    await assert.rejects(signIn(providerFor(t)), refuses('invalid'));
  });

  test('with a code that was used before', async (t) => {
    const provider = providerFor(t);
    const challenge = newChallenge(newFlowId());
    const back = await fake.authorize(new URL(await provider.authorizationUrl(redirectUri, challenge)));
    const flow = { kind: 'Provider', provider: 'fake', challenge, redirectUri, returnTo: '/', at: 0 } as const;
    const callback = checkCallback(flow, back.search);
    assert(callback);
    await provider.exchange(callback, 0);
    await assert.rejects(provider.exchange(callback, 0), refuses('invalid'));
  });
});

describe('an id token is refused', () => {
  const seconds = () => Math.floor(Date.now() / 1000);
  const wrongClaims: Record<string, () => Record<string, unknown>> = {
    'with another nonce': () => ({ nonce: 'another' }),
    'without a nonce': () => ({ nonce: undefined }),
    'for another client': () => ({ aud: 'another' }),
    'for several, of whom another is authorized': () => ({ aud: ['fake', 'another'], azp: 'another' }),
    'of another issuer': () => ({ iss: 'https://evil.example.org' }),
    'of the issuer with a slash more': () => ({ iss: `${fake.issuer}/` }),
    expired: () => ({ iat: seconds() - 600, exp: seconds() - 300 }),
    'without an end': () => ({ exp: undefined }),
    'not valid yet': () => ({ nbf: seconds() + 600 }),
    'without a subject': () => ({ sub: undefined }),
    'with an empty subject': () => ({ sub: '' }),
  };
  for (const [name, claims] of Object.entries(wrongClaims)) {
    test(name, async (t) => {
      fake.behaviour.claims = claims();
      await assert.rejects(signIn(providerFor(t)), refuses('invalid'));
    });
  }

  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const forgeries: Record<string, (claims: JWTPayload) => Promise<string> | string> = {
    'signed with another key of the same name': async (claims) => {
      const { privateKey } = await generateKeyPair('ES256');
      return signWith(privateKey, claims, { alg: 'ES256', kid: 'fake-1' });
    },
    'signed with a key that nobody published': async (claims) => {
      const { privateKey } = await generateKeyPair('ES256');
      return signWith(privateKey, claims, { alg: 'ES256', kid: 'other' });
    },
    'with alg none': (claims) => `${part({ alg: 'none' })}.${part(claims)}.`,
    'with alg None': (claims) => `${part({ alg: 'None', kid: 'fake-1' })}.${part(claims)}.`,
    'signed HS256 with the public key as PEM': (claims) => {
      const pem = createPublicKey({ key: fake.publicJwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
      return signWith(Buffer.from(pem), claims, { alg: 'HS256', kid: 'fake-1' });
    },
    'signed HS256 with the public key as JSON': (claims) =>
      signWith(Buffer.from(JSON.stringify(fake.publicJwk)), claims, { alg: 'HS256', kid: 'fake-1' }),
    'signed HS256 with the client secret': (claims) =>
      signWith(Buffer.from(fake.settings.clientSecret?.reveal() ?? ''), claims, { alg: 'HS256' }),
    'with its claims changed after it was signed': async (claims) => {
      const honest = await signWith(fake.privateKey, claims, { alg: 'ES256', kid: 'fake-1' });
      const [header, , signature] = honest.split('.');
      return `${header}.${part({ ...claims, sub: 'eve' })}.${signature}`;
    },
    'without a signature': async (claims) => {
      const honest = await signWith(fake.privateKey, claims, { alg: 'ES256', kid: 'fake-1' });
      return honest.replace(/\.[^.]*$/, '.');
    },
    'that is no token': () => 'x.y.z',
  };
  for (const [name, sign] of Object.entries(forgeries)) {
    test(name, async (t) => {
      fake.behaviour.sign = sign;
      // Also where the provider itself says that it signs like this.
      for (const algorithms of [['ES256'], ['ES256', 'HS256', 'none']]) {
        fake.behaviour.metadata = { id_token_signing_alg_values_supported: algorithms };
        await assert.rejects(signIn(providerFor(t)), refuses('invalid'));
      }
    });
  }

  test('that is not there', async (t) => {
    fake.behaviour.instead.set('/token', (_, response) =>
      sendJson(response, 200, { access_token: 'a', token_type: 'Bearer' }),
    );
    await assert.rejects(signIn(providerFor(t)), refuses('invalid'));
  });
});

test('userinfo about somebody else is refused', async (t) => {
  fake.behaviour.claims = { groups: undefined };
  fake.behaviour.userinfo = { sub: 'eve', groups: ['admin'] };
  await assert.rejects(signIn(providerFor(t)), refuses('invalid'));
});

describe('a provider that fails is unavailable', () => {
  const paths = ['/.well-known/openid-configuration', '/token', '/jwks', '/userinfo'];
  const everywhere = (fault: (response: ServerResponse) => void) => async (t: TestContext) => {
    fake.behaviour.claims = { groups: undefined };
    for (const path of paths) {
      fake.behaviour.instead.clear();
      fake.behaviour.instead.set(path, (_, response) => fault(response));
      await assert.rejects(signIn(providerFor(t)), refuses('unavailable'), path);
    }
  };
  // What each path must answer, all in one: nothing but the size is wrong with it.
  const honestDocument = () => ({
    issuer: fake.issuer,
    authorization_endpoint: `${fake.issuer}/authorize`,
    token_endpoint: `${fake.issuer}/token`,
    jwks_uri: `${fake.issuer}/jwks`,
    keys: [fake.publicJwk],
    sub: 'ana',
  });
  const big = 'y'.repeat(1 << 20);

  test(
    'by answering 500',
    everywhere((response) => sendJson(response, 500, { error: 'server_error' })),
  );
  test(
    'by answering 503 with a page',
    everywhere((response) => void response.writeHead(503).end('<html>')),
  );
  test('by a redirect, which is not followed', async (t) => {
    await everywhere((response) => void response.writeHead(302, { location: `${fake.issuer}/away` }).end())(t);
    assert.equal(fake.calls.get('/away'), undefined);
  });
  test(
    'by hanging up',
    everywhere((response) => void response.destroy()),
  );
  test(
    'by half a JSON',
    everywhere((response) => {
      const half = JSON.stringify(honestDocument()).slice(0, -20);
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(half);
    }),
  );
  test(
    'by a page instead of JSON',
    everywhere((response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('<html>')),
  );
  test(
    'by an answer over 1 MiB',
    everywhere((response) => sendJson(response, 200, { ...honestDocument(), x: big })),
  );
  test(
    'by an answer over 1 MiB that never says how long it is',
    everywhere((response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      for (let part = 0; part < 20; part += 1) response.write(`"${'x'.repeat(100_000)}",`);
      response.end();
    }),
  );
  test(
    'by a small answer that is large once it is unpacked',
    everywhere((response) => {
      const packed = gzipSync(JSON.stringify({ ...honestDocument(), x: 'y'.repeat(8 << 20) }));
      assert(packed.length < 100_000);
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(packed);
    }),
  );

  for (const [name, start] of Object.entries({
    'never answers': '',
    'begins to answer and never ends': '{"x":"',
  })) {
    test(`and is given up after five seconds when it ${name}`, { timeout: 30_000 }, async (t) => {
      const provider = providerFor(t);
      await provider.authorizationUrl(redirectUri, newChallenge(newFlowId()));
      const dripping: NodeJS.Timeout[] = [];
      t.after(() => dripping.forEach((drip) => clearInterval(drip)));
      fake.behaviour.instead.set('/token', (_, response) => {
        if (start === '') return;
        response.writeHead(200, { 'content-type': 'application/json' }).write(start);
        // A byte a second: no gap is long, the whole is.
        dripping.push(setInterval(() => response.write('x'), 1_000));
      });
      const began = performance.now();
      await assert.rejects(signIn(provider), refuses('unavailable'));
      const tookMs = performance.now() - began;
      assert(tookMs > 4_000 && tookMs < 8_000, `${tookMs} ms`);
    });
  }
});

describe('discovery', () => {
  const discoveries = () => fake.calls.get('/.well-known/openid-configuration') ?? 0;
  const ask = (provider: Provider) => provider.authorizationUrl(redirectUri, newChallenge(newFlowId()));
  const failing = () =>
    fake.behaviour.instead.set('/.well-known/openid-configuration', (_, response) => sendJson(response, 500, {}));

  test('is one call for ten concurrent sign-ins, and none for the next', async (t) => {
    const provider = providerFor(t);
    await Promise.all(Array.from({ length: 10 }, () => ask(provider)));
    await ask(provider);
    assert.equal(discoveries(), 1);
  });

  test('that fails is one call a second, and then it heals', async (t) => {
    let now = 1_000_000;
    const provider = providerFor(t, {}, () => now);
    failing();
    const all = await Promise.allSettled(Array.from({ length: 10 }, () => ask(provider)));
    assert(all.every(({ status }) => status === 'rejected'));
    await assert.rejects(ask(provider), refuses('unavailable'));
    assert.equal(discoveries(), 1);
    now += 1_001;
    await assert.rejects(ask(provider), refuses('unavailable'));
    assert.equal(discoveries(), 2);
    fake.behaviour.instead.clear();
    now += 1_001;
    await ask(provider);
    assert.equal(discoveries(), 3);
  });

  test('is repeated after an hour, and what was known is used while it fails', async (t) => {
    let now = 1_000_000;
    const provider = providerFor(t, {}, () => now);
    await ask(provider);
    failing();
    now += 3_600_001;
    await ask(provider);
    await ask(provider);
    assert.equal(discoveries(), 2);
    fake.behaviour.instead.clear();
    fake.behaviour.metadata = { authorization_endpoint: `${fake.issuer}/moved` };
    now += 1_001;
    assert.match(await ask(provider), /\/moved\?/);
  });

  const broken: Record<string, Record<string, unknown>> = {
    'of another issuer': { issuer: 'https://evil.example.org' },
    'without an issuer': { issuer: undefined },
    'without an authorization endpoint': { authorization_endpoint: undefined },
    'with an authorization endpoint that is no URL': { authorization_endpoint: 'nowhere' },
    'with an authorization endpoint that is a script': { authorization_endpoint: 'javascript:alert(1)' },
  };
  for (const [name, metadata] of Object.entries(broken)) {
    test(`${name} is no discovery`, async (t) => {
      fake.behaviour.metadata = metadata;
      await assert.rejects(ask(providerFor(t)), refuses('unavailable'));
    });
  }

  test('with an end-session endpoint that is no URL fails as a provider does', async (t) => {
    fake.behaviour.metadata = { end_session_endpoint: 'nowhere' };
    const asked = providerFor(t).endSessionUrl(signingOut('hint'), 'https://auth.example.com/', 'state');
    await assert.rejects(asked, refuses('unavailable'));
  });

  test('over plain http is refused where the settings do not allow it', async (t) => {
    await assert.rejects(ask(providerFor(t, { allowInsecure: false })), refuses('unavailable', /discovered/));
    assert.equal(discoveries(), 0);
  });

  test('without a token endpoint signs nobody in', async (t) => {
    fake.behaviour.metadata = { token_endpoint: undefined };
    await assert.rejects(signIn(providerFor(t)), ProviderError);
  });
});

describe('an identity', () => {
  const settings = providerSettings('fake', 'https://idp.example.com');
  const claims = { sub: 'ana', email: 'Ana@EXAMPLE.com', email_verified: true, groups: ['a', 'b'] };
  const emailOf = (more: Record<string, unknown>, of: Partial<OidcSettings> = {}) =>
    identityOf({ ...settings, ...of }, { ...claims, ...more }).email;

  test('has the address with a lower-case domain', () => {
    assert.equal(emailOf({}), 'Ana@example.com');
  });

  test('has no address that the provider does not say it has verified', () => {
    for (const verified of [false, undefined, null, 'true', 'false', 1, 'yes', [true], {}]) {
      assert.equal(emailOf({ email_verified: verified }), undefined, JSON.stringify(verified));
    }
    assert.equal(emailOf({ email_verified: false }, { allowUnverifiedEmail: true }), 'Ana@example.com');
  });

  test('has no address that is verified as another claim: email_verified speaks of email (Core 1.0, section 5.1)', () => {
    const of = { claims: { ...settings.claims, email: ['preferred_username'] } };
    assert.equal(emailOf({ preferred_username: 'ceo@example.com' }, of), undefined);
    assert.equal(emailOf({ preferred_username: 'Ana@EXAMPLE.com' }, of), 'Ana@example.com');
    assert.equal(
      emailOf({ preferred_username: 'upn@example.com' }, { ...of, allowUnverifiedEmail: true }),
      'upn@example.com',
    );
  });

  test('has no address that is none, or that could be read as two (CVE-2026-40574)', () => {
    const wrong = [
      'a@evil.example.org@example.com',
      'ana',
      '@example.com',
      'ana@',
      'ana@example.com ',
      'ana@example.com\nX: y',
      'ana@exam ple.com',
      '"a@b"@example.com',
      'a,b@example.com',
      '<ana@example.com>',
      'ana@example.com\0',
      `${'a'.repeat(400)}@example.com`,
      '',
      7,
      ['ana@example.com'],
      null,
    ];
    for (const email of wrong) {
      for (const allowUnverifiedEmail of [true, false]) {
        assert.equal(emailOf({ email }, { allowUnverifiedEmail }), undefined, JSON.stringify(email));
      }
    }
    for (const email of ["o'neill+tag=x@example.com", 'jörg@example.com', 'a.b_c-d@sub.example.co.uk']) {
      assert.equal(emailOf({ email }), email);
    }
  });

  test('has groups from a list, from one text, and from nothing else', () => {
    const groupsOf = (groups: unknown) => identityOf(settings, { ...claims, groups }).groups;
    assert.deepEqual(groupsOf(['a', 'b']), ['a', 'b']);
    assert.deepEqual(groupsOf('a b'), ['a b']);
    assert.deepEqual(groupsOf(['a', 1, null, { b: 1 }, 'c']), ['a', 'c']);
    for (const other of [undefined, null, 7, true, { a: 1 }]) assert.deepEqual(groupsOf(other), []);
  });

  test('needs the claim that names the person, and takes it from no prototype', () => {
    const named = (user: string, more: Record<string, unknown> = {}) =>
      identityOf({ ...settings, claims: { ...settings.claims, user: [user] } }, { ...claims, ...more });
    assert.equal(named('oid', { oid: 'x' }).user, 'x');
    for (const [user, more] of [
      ['oid', {}],
      ['oid', { oid: '' }],
      ['oid', { oid: 7 }],
      ['constructor', {}],
      ['__proto__', {}],
    ] as const) {
      assert.throws(() => named(user, more), refuses('invalid'));
    }
  });
});

test('userinfo cannot verify the address of the id token, unless it names the same', async (t) => {
  fake.behaviour.claims = { groups: undefined, email_verified: undefined, email: 'ceo@example.com' };
  fake.behaviour.userinfo = { email: 'ana@example.com', email_verified: true };
  assert.equal((await signIn(providerFor(t))).identity.email, undefined);
  fake.behaviour.userinfo = { email: 'ceo@example.com', email_verified: true };
  assert.equal((await signIn(providerFor(t))).identity.email, 'ceo@example.com');
});
