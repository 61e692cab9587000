// Refreshing at a provider that is honest, away, slow or broken: what is read anew, and whether the token is spent.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { createProvider } from '../../src/auth/provider/provider.ts';
import type { BeforeRefresh, Provider } from '../../src/auth/provider/provider.ts';
import { ProviderError } from '../../src/auth/provider/error.ts';
import { createLogger } from '../../src/telemetry.ts';
import { createCertificateAuthority } from '../integration/certificates.ts';
import { sendJson, startFakeProvider } from './fake-provider.ts';
import type { FakeProvider } from './fake-provider.ts';
import { signInAt } from './sign-in.ts';

let fake: FakeProvider;
before(async () => {
  fake = await startFakeProvider();
});
after(() => fake.stop());
afterEach(() => {
  Object.assign(fake.behaviour, { metadata: {}, claims: {}, answer: {}, rotates: true, userinfo: {}, callback: {} });
  fake.behaviour.instead.clear();
  fake.calls.clear();
});

/** A person who has signed in, and the provider that can refresh their session. */
async function signedIn(
  t: TestContext,
  clock = { offsetMs: 0 },
): Promise<{ provider: Provider; session: BeforeRefresh }> {
  const now = () => Date.now() + clock.offsetMs;
  const provider = createProvider(fake.settings, { log: createLogger('silent'), now });
  t.after(() => provider.close());
  const { signedIn: session } = await signInAt(provider, { authorize: fake.authorize, at: now() });
  return { provider, session };
}

function refuses(code: ProviderError['code'], text?: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert(error instanceof ProviderError, String(error));
    assert.equal(error.code, code, `${error.message}: ${String(error.cause)}`);
    if (text !== undefined) assert.match(`${error.message}: ${String(error.cause)}`, text);
    return true;
  };
}

describe('a refresh', () => {
  test('brings new tokens, and who the person is by now, from an id token without a nonce', async (t) => {
    fake.behaviour.claims = { groups: ['engineering', 'admins'], acr: 'high', amr: ['hwk'], auth_time: 1_700_000_000 };
    const { provider, session } = await signedIn(t);
    fake.behaviour.claims = {
      groups: ['engineering'],
      acr: 'higher',
      amr: ['pwd'],
      auth_time: 1_800_000_000,
      name: 'Ana',
    };
    const at = Date.now();
    const { identity, tokens, tokensExpireAt } = await provider.refresh(session, at);
    assert.deepEqual(identity.groups, ['engineering'], 'a group that is gone is gone');
    assert.equal(identity.name, 'Ana');
    const { acr, amr, auth_time: authTime, nonce } = identity.claims;
    assert.deepEqual([acr, amr, authTime, nonce], ['high', ['hwk'], 1_700_000_000, undefined]);
    assert.deepEqual([tokens.idToken, tokens.accessToken, tokens.refreshToken], fake.tokens.slice(-3));
    assert.equal(tokensExpireAt, at + 300_000);
  });

  test('does not say how somebody proved it who did not say so at sign-in', async (t) => {
    const { provider, session } = await signedIn(t);
    fake.behaviour.claims = { acr: 'high', amr: ['mfa'], auth_time: 1_800_000_000 };
    const { claims } = (await provider.refresh(session, 0)).identity;
    assert.deepEqual([claims['acr'], claims['amr'], claims['auth_time']], [undefined, undefined, undefined]);
  });

  test('keeps the refresh token where no new one comes', async (t) => {
    fake.behaviour.rotates = false;
    const { provider, session } = await signedIn(t);
    const { tokens } = await provider.refresh(session, 0);
    assert.equal(tokens.refreshToken, session.tokens.refreshToken);
    assert.notEqual(tokens.accessToken, session.tokens.accessToken);
  });

  test('does not say until when, where the provider does not', async (t) => {
    const { provider, session } = await signedIn(t);
    fake.behaviour.answer = { expires_in: undefined };
    assert.equal('tokensExpireAt' in (await provider.refresh(session, 0)), false);
  });

  test('asks userinfo for what the new id token does not say', async (t) => {
    fake.behaviour.claims = { groups: undefined };
    fake.behaviour.userinfo = { groups: ['a', 'b'] };
    const { provider, session } = await signedIn(t);
    fake.behaviour.userinfo = { groups: ['a'] };
    assert.deepEqual((await provider.refresh(session, 0)).identity.groups, ['a']);
    fake.behaviour.userinfo = {};
    const last = { ...session, tokens: { ...session.tokens, refreshToken: fake.tokens.at(-1) ?? '' } };
    assert.deepEqual((await provider.refresh(last, 0)).identity.groups, []);
  });

  test('without an id token reads userinfo over what the first id token said', async (t) => {
    fake.behaviour.claims = { groups: ['a', 'b'], department: 'x', acr: 'high', sid: 'theirs' };
    const { provider, session } = await signedIn(t);
    fake.behaviour.answer = { id_token: undefined };
    fake.behaviour.userinfo = {
      groups: ['b'],
      iss: 'https://evil.example.org',
      acr: 'higher',
      sid: 'other',
      email: 'new@example.com',
    };
    const { identity, tokens } = await provider.refresh(session, 0);
    assert.deepEqual(identity.groups, ['b']);
    const { iss, acr, sid, department } = identity.claims;
    assert.deepEqual([iss, acr, sid, department], [fake.issuer, 'high', 'theirs', 'x']);
    assert.equal(identity.email, undefined, 'a new address is not verified because the old one was');
    assert.equal(tokens.idToken, session.tokens.idToken);
  });

  test('without an id token and without userinfo leaves the person as they were', async (t) => {
    fake.behaviour.metadata = { userinfo_endpoint: undefined };
    const { provider, session } = await signedIn(t);
    fake.behaviour.answer = { id_token: undefined };
    assert.deepEqual((await provider.refresh(session, 0)).identity, session.identity);
  });

  test('keeps the new tokens where the claims cannot be read again, and asks again in a minute', async (t) => {
    fake.behaviour.claims = { groups: undefined };
    fake.behaviour.userinfo = { groups: ['a'] };
    const { provider, session } = await signedIn(t);
    fake.behaviour.instead.set('/userinfo', (_, response) => sendJson(response, 503, {}));
    const { identity, tokens, tokensExpireAt } = await provider.refresh(session, 1_000);
    assert.deepEqual(identity, session.identity);
    assert.equal(tokens.refreshToken, fake.tokens.at(-1));
    assert.equal(tokensExpireAt, 61_000);
  });

  test('that brings somebody else is refused', async (t) => {
    const { provider, session } = await signedIn(t);
    fake.behaviour.claims = { sub: 'eve' };
    await assert.rejects(provider.refresh(session, 0), refuses('invalid', /somebody else/));
    fake.behaviour.claims = {};
    const again = await signedIn(t);
    fake.behaviour.answer = { id_token: undefined };
    fake.behaviour.userinfo = { sub: 'eve' };
    await assert.rejects(provider.refresh(again.session, 0), refuses('invalid'));
  });

  test('with an id token that fails a check is refused', async (t) => {
    const seconds = Math.floor(Date.now() / 1000);
    for (const claims of [
      { aud: 'another' },
      { iss: 'https://evil.example.org' },
      { exp: seconds - 600 },
      { sub: '' },
    ]) {
      fake.behaviour.claims = {};
      const { provider, session } = await signedIn(t);
      fake.behaviour.claims = claims;
      await assert.rejects(provider.refresh(session, 0), refuses('invalid'), JSON.stringify(claims));
    }
  });

  test('with an id token that is no token is refused', async (t) => {
    t.after(() => delete fake.behaviour.sign);
    const { provider, session } = await signedIn(t);
    fake.behaviour.sign = () => 'x.y.z';
    await assert.rejects(provider.refresh(session, 0), refuses('invalid'));
  });
});

const onToken = (answer: (request: IncomingMessage, response: ServerResponse) => void) =>
  fake.behaviour.instead.set('/token', answer);

describe('a refresh that fails', () => {
  const answers: Record<string, [ProviderError['code'], number, unknown, Record<string, string>?]> = {
    'with invalid_grant has ended': ['ended', 400, { error: 'invalid_grant' }],
    'with interaction_required has ended': ['ended', 400, { error: 'interaction_required' }],
    'with access_denied has ended': ['ended', 403, { error: 'access_denied' }],
    'with invalid_client ends nobody': ['unavailable', 401, { error: 'invalid_client' }],
    'with invalid_client and a challenge ends nobody': [
      'unavailable',
      401,
      { error: 'invalid_client' },
      { 'www-authenticate': 'Basic realm="x"' },
    ],
    'with invalid_request ends nobody': ['unavailable', 400, { error: 'invalid_request' }],
    'with unauthorized_client ends nobody': ['unavailable', 400, { error: 'unauthorized_client' }],
    'with a page of a firewall ends nobody': ['unavailable', 403, '<html>no</html>'],
    'with 429 is to be tried later': ['unavailable', 429, { error: 'slow_down' }, { 'retry-after': '7' }],
    'with 429 and a page is to be tried later': ['unavailable', 429, '<html>', { 'retry-after': '7' }],
    'with 503 is to be tried later': ['unavailable', 503, '<html>'],
    'with 500 may have spent the token': ['unknown', 500, { error: 'server_error' }],
    'with 502 may have spent the token': ['unknown', 502, '<html>'],
    'with 504 may have spent the token': ['unknown', 504, ''],
    'with a redirect may have spent the token': ['unknown', 302, '', { location: '/away' }],
    'with half a JSON has spent the token': ['unknown', 200, '{"access_token":"a","token_t'],
    'with a page and 200 may have spent the token': ['unknown', 200, '<html>', { 'content-type': 'text/html' }],
    'with an answer over 1 MiB has spent the token': ['unknown', 200, { access_token: 'x'.repeat(1 << 20) }],
    'without an access token is refused': ['invalid', 200, { token_type: 'Bearer' }],
  };
  for (const [name, [code, status, body, headers]] of Object.entries(answers)) {
    test(name, async (t) => {
      const { provider, session } = await signedIn(t);
      onToken((_, response) => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers });
        response.end(typeof body === 'string' ? body : JSON.stringify(body));
      });
      await assert.rejects(provider.refresh(session, 0), refuses(code));
      assert.equal(fake.calls.get('/token'), 2, 'it is never sent twice');
    });
  }

  test('with 429 says how long to wait, where the provider does', async (t) => {
    const { provider, session } = await signedIn(t);
    for (const [header, wanted] of [
      ['7', 7_000],
      ['1000000', 3_600_000],
      ['soon', undefined],
    ] as const) {
      onToken((_, response) => void response.writeHead(429, { 'retry-after': header }).end());
      const error: unknown = await provider.refresh(session, 0).catch((reason: unknown) => reason);
      assert(error instanceof ProviderError);
      assert.equal(error.retryAfterMs, wanted, header);
    }
  });

  test('because the connection breaks after the request was read may have spent the token', async (t) => {
    const { provider, session } = await signedIn(t);
    onToken((request, response) => {
      request.resume().once('end', () => response.destroy());
    });
    await assert.rejects(provider.refresh(session, 0), refuses('unknown'));
    onToken((request, response) => {
      request.resume().once('end', () => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' }).write('{"access');
        setTimeout(() => response.destroy(), 50);
      });
    });
    await assert.rejects(provider.refresh(session, 0), refuses('unknown'));
  });

  test(
    'because nobody answers may have spent the token, and is given up after five seconds',
    { timeout: 60_000 },
    async (t) => {
      const { provider, session } = await signedIn(t);
      onToken((request) => void request.resume());
      const began = performance.now();
      await assert.rejects(provider.refresh(session, 0), refuses('unknown'));
      const tookMs = performance.now() - began;
      assert(tookMs > 4_000 && tookMs < 15_000, `${tookMs} ms`);
    },
  );

  test('not: two seconds are waited for', { timeout: 60_000 }, async (t) => {
    const { provider, session } = await signedIn(t);
    onToken((_, response) => {
      setTimeout(() => sendJson(response, 200, { access_token: 'a', token_type: 'Bearer' }), 2_000);
    });
    assert.equal((await provider.refresh(session, 0)).tokens.accessToken, 'a');
  });
});

describe('a refresh that cannot be sent is to be tried later', () => {
  /** A token endpoint elsewhere, on another port or host. */
  async function at(t: TestContext, endpoint: string) {
    const { session } = await signedIn(t);
    fake.behaviour.metadata = { token_endpoint: endpoint };
    const provider = createProvider(fake.settings, { log: createLogger('silent') });
    t.after(() => provider.close());
    return provider.refresh(session, 0);
  }

  test('where the connection is refused', async (t) => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await assert.rejects(at(t, `http://127.0.0.1:${port}/token`), refuses('unavailable', /cannot be reached/));
  });

  test('where the name is unknown', async (t) => {
    await assert.rejects(at(t, 'http://no-such-name.invalid/token'), refuses('unavailable', /cannot be reached/));
  });

  test('where the certificate is of somebody else', async (t) => {
    const authority = createCertificateAuthority();
    const { key, certificate: cert } = authority.sign('other.example.com');
    authority.close();
    const server = createTlsServer({ key, cert }).listen(0, '127.0.0.1');
    server.on('tlsClientError', () => undefined);
    t.after(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await assert.rejects(at(t, `https://127.0.0.1:${port}/token`), refuses('unavailable', /cannot be reached/));
  });

  test('where nobody finishes the handshake', { timeout: 60_000 }, async (t) => {
    const server = createServer((socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await assert.rejects(at(t, `https://127.0.0.1:${port}/token`), refuses('unavailable', /cannot be reached/));
  });
});

describe('before a refresh token is sent', () => {
  const discovery = '/.well-known/openid-configuration';

  test('a provider that answered a moment ago is not asked first', async (t) => {
    const { provider, session } = await signedIn(t);
    await provider.refresh(session, 0);
    assert.equal(fake.calls.get(discovery), 1);
  });

  test('a provider that was not heard of for ten seconds is', async (t) => {
    const clock = { offsetMs: 0 };
    const { provider, session } = await signedIn(t, clock);
    clock.offsetMs = 10_001;
    await provider.refresh(session, 0);
    assert.equal(fake.calls.get(discovery), 2);
  });

  test('a provider that hangs is noticed, and the token is kept', { timeout: 60_000 }, async (t) => {
    const clock = { offsetMs: 0 };
    const { provider, session } = await signedIn(t, clock);
    clock.offsetMs = 10_001;
    fake.behaviour.instead.set(discovery, () => undefined);
    await assert.rejects(provider.refresh(session, 0), refuses('unavailable'));
    assert.equal(fake.calls.get('/token'), 1);
    // And a provider that answers nothing but 503 has not answered.
    clock.offsetMs = 30_000;
    fake.behaviour.instead.set(discovery, (_, response) => sendJson(response, 503, {}));
    await assert.rejects(provider.refresh(session, 0), refuses('unavailable'));
    assert.equal(fake.calls.get('/token'), 1);
    fake.behaviour.instead.clear();
    clock.offsetMs = 40_000;
    await provider.refresh(session, 0);
  });
});
