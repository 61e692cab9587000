// The demo's OpenID provider, asked by a real client.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { demoAccounts } from '../../demo/accounts.ts';
import { demoClient, startProvider } from '../../demo/provider.ts';
import type { RunningProvider } from '../../demo/provider.ts';
import { listenOnLoopback, readForm, stopServer } from '../../demo/serving.ts';
import { hiddenFieldsOf, post, signInAt, visit, walk } from './walk.ts';
import type { CookieJar } from './walk.ts';

const redirectUri = 'http://auth.localhost:8080/oauth2/callback';
const signedOutUri = 'http://auth.localhost:8080/.sallyport/signed-out';
const scope = 'openid email profile groups offline_access';

let provider: RunningProvider;
let client: oidc.Configuration;

before(async () => {
  provider = await startProvider({ port: 0, redirectUris: [redirectUri], postLogoutRedirectUris: [signedOutUri] });
  client = await discover(provider);
});
after(() => provider.stop());

function discover({ issuer }: RunningProvider): Promise<oidc.Configuration> {
  const { clientId, clientSecret } = demoClient;
  return oidc.discovery(new URL(issuer), clientId, clientSecret, undefined, { execute: [oidc.allowInsecureRequests] });
}

const verifier = oidc.randomPKCECodeVerifier();

async function authorizationUrl(more: Record<string, string> = {}, of: oidc.Configuration = client): Promise<URL> {
  return oidc.buildAuthorizationUrl(of, {
    redirect_uri: redirectUri,
    scope,
    state: 'the-state',
    nonce: 'the-nonce',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...more,
  });
}

const checks = {
  pkceCodeVerifier: verifier,
  expectedState: 'the-state',
  expectedNonce: 'the-nonce',
  idTokenExpected: true,
};

async function signIn(account: string, jar: CookieJar = new Map(), of: oidc.Configuration = client) {
  const callback = await signInAt(await authorizationUrl({}, of), account, jar);
  return oidc.authorizationCodeGrant(of, callback, checks);
}

/** The refresh token that a client must have got. */
function refreshTokenOf(tokens: oidc.TokenEndpointResponse): string {
  assert(tokens.refresh_token !== undefined);
  return tokens.refresh_token;
}

describe('signing in', () => {
  test('a code flow gives an id token with the claims of every scope', async () => {
    const tokens = await signIn('account-ana');
    const claims = tokens.claims();
    assert.equal(claims?.sub, 'account-ana');
    assert.equal(claims['email'], 'ana@example.com');
    assert.equal(claims['email_verified'], true);
    assert.equal(claims['name'], 'Ana');
    assert.equal(claims['preferred_username'], 'ana');
    assert.deepEqual(claims['groups'], ['engineering', 'staff']);
    const keys = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`));
    await jwtVerify(tokens.id_token ?? '', keys, { issuer: provider.issuer, audience: demoClient.clientId });
  });

  test('userinfo tells the same, and a person in no group has no groups claim', async () => {
    const tokens = await signIn('account-eve');
    const info = await oidc.fetchUserInfo(client, tokens.access_token, 'account-eve');
    assert.equal(info.email, 'eve@example.org');
    assert.equal('groups' in info, false);
    assert.equal('groups' in (tokens.claims() ?? {}), false);
  });

  test('without PKCE nobody signs in', async () => {
    const url = await authorizationUrl();
    url.searchParams.delete('code_challenge');
    url.searchParams.delete('code_challenge_method');
    const end = await walk(new Map(), url, { account: 'account-ana' });
    assert(end instanceof URL);
    assert.equal(end.searchParams.get('error'), 'invalid_request');
  });

  test('an unregistered redirect URI gets a page and no redirect', async () => {
    const end = await walk(new Map(), await authorizationUrl({ redirect_uri: 'http://evil.localhost/' }));
    assert(!(end instanceof URL));
    assert.equal(end.status, 400);
    assert.match(end.text, /redirect_uri/);
  });

  test('a wrong password is refused, and the page says the right one', async () => {
    const end = await walk(new Map(), await authorizationUrl(), { account: 'account-ana', password: 'wrong' });
    assert(!(end instanceof URL));
    assert.equal(end.status, 403);
    assert.match(end.text, /That is not the password/);
  });

  test('cancelling returns access_denied with the state', async () => {
    const end = await walk(new Map(), await authorizationUrl(), 'cancel');
    assert(end instanceof URL);
    assert.equal(end.searchParams.get('error'), 'access_denied');
    assert.equal(end.searchParams.get('state'), 'the-state');
  });

  test('a sign-in that another browser began cannot be finished here', async () => {
    const theirs: CookieJar = new Map();
    const started = await visit(theirs, await authorizationUrl());
    const page = new URL(started.headers.get('location') ?? '', provider.issuer);
    const answer = await post(new Map(), page, { account: 'account-ana', password: 'demo' });
    assert.equal(answer.status, 400);
    assert.equal((await post(theirs, page, { account: 'account-ana', password: 'demo' })).status, 303);
  });
});

test('a sign-in form that is too long is refused', async () => {
  const jar: CookieJar = new Map();
  const page = await walk(jar, await authorizationUrl());
  assert(!(page instanceof URL));
  const fields = { account: 'account-ana', password: 'demo' };
  assert.equal((await post(jar, page.url, { ...fields, filler: 'x'.repeat(5000) })).status, 413);
  assert.equal((await post(jar, page.url, fields)).status, 303);
});

describe('a person who is signed in already', () => {
  let jar: CookieJar;
  beforeEach(async () => {
    jar = new Map();
    await signIn('account-bob', jar);
  });

  test('is not asked again', async () => {
    const end = await walk(jar, await authorizationUrl());
    assert(end instanceof URL);
    assert.notEqual(end.searchParams.get('code'), null);
  });

  test('is told so by prompt=none, and a stranger gets login_required', async () => {
    const silent = await authorizationUrl({ prompt: 'none' });
    const known = await walk(jar, silent);
    const stranger = await walk(new Map(), silent);
    assert(known instanceof URL && stranger instanceof URL);
    assert.notEqual(known.searchParams.get('code'), null);
    assert.equal(stranger.searchParams.get('error'), 'login_required');
  });

  for (const prompt of ['login', 'select_account']) {
    test(`is asked again with prompt=${prompt}, and may be somebody else then`, async () => {
      const url = await authorizationUrl({ prompt });
      const page = await walk(jar, url);
      assert(!(page instanceof URL), 'nobody was asked');
      assert.match(page.text, /Who are you today/);
      const callback = await signInAt(url, 'account-ana', jar);
      const tokens = await oidc.authorizationCodeGrant(client, callback, checks);
      assert.equal(tokens.claims()?.sub, 'account-ana');
    });
  }

  test('is not asked for consent, with prompt=consent neither', async () => {
    const end = await walk(jar, await authorizationUrl({ prompt: 'consent' }));
    assert(end instanceof URL);
    assert.notEqual(end.searchParams.get('code'), null);
  });
});

describe('refreshing', () => {
  test('groups are read again, so one that was taken away is gone', async () => {
    const accounts = demoAccounts();
    const own = await startProvider({ port: 0, redirectUris: [redirectUri], accounts });
    try {
      const configuration = await discover(own);
      const tokens = await signIn('account-ana', new Map(), configuration);
      const ana = accounts.get('account-ana');
      assert(ana !== undefined);
      accounts.set(ana.sub, { ...ana, groups: ['staff'] });
      const refreshed = await oidc.refreshTokenGrant(configuration, refreshTokenOf(tokens));
      assert.deepEqual(refreshed.claims()?.['groups'], ['staff']);
    } finally {
      await own.stop();
    }
  });

  test('a refresh token works once, and its second use ends the grant', async () => {
    const tokens = await signIn('account-ana');
    const seen = { ...provider.seen };
    const second = await oidc.refreshTokenGrant(client, refreshTokenOf(tokens));
    assert.notEqual(second.refresh_token, tokens.refresh_token);
    await assert.rejects(oidc.refreshTokenGrant(client, refreshTokenOf(tokens)), { error: 'invalid_grant' });
    await assert.rejects(oidc.refreshTokenGrant(client, refreshTokenOf(second)), { error: 'invalid_grant' });
    assert.equal(provider.seen.refreshes - seen.refreshes, 1);
    assert.equal(provider.seen.refusedGrants - seen.refusedGrants, 2);
    assert.equal(provider.seen.token - seen.token, 3);
  });

  test('a provider that is started again with its state is the same provider', async () => {
    const first = await startProvider({ port: 0, redirectUris: [redirectUri] });
    const { port, state } = first;
    const tokens = await signIn('account-ana', new Map(), await discover(first));
    await first.stop();
    const again = await startProvider({ port, redirectUris: [redirectUri], state });
    try {
      // fetch may still hold a connection to the first, and learns by failing that it is closed.
      await fetch(again.issuer).catch(() => {});
      const refreshed = await oidc.refreshTokenGrant(await discover(again), refreshTokenOf(tokens));
      assert.equal(refreshed.claims()?.sub, 'account-ana');
    } finally {
      await again.stop();
    }
  });
});

describe('signing out', () => {
  test("the person's own id token signs out with a page that sends itself off", async () => {
    const jar: CookieJar = new Map();
    const tokens = await signIn('account-ana', jar);
    const url = oidc.buildEndSessionUrl(client, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: signedOutUri,
      state: 'bye',
    });
    assert.deepEqual(await walk(jar, url), new URL(`${signedOutUri}?state=bye`));
    await assert.rejects(oidc.refreshTokenGrant(client, refreshTokenOf(tokens)), { error: 'invalid_grant' });
    assert(!((await walk(jar, await authorizationUrl())) instanceof URL), 'the session is not over');
  });

  test("without it, or with another person's, the person is asked", async () => {
    const jar: CookieJar = new Map();
    await signIn('account-ana', jar);
    const bobs = await signIn('account-bob');
    for (const query of ['', `?id_token_hint=${bobs.id_token}`]) {
      const page = await walk(jar, `${provider.issuer}/session/end${query}`);
      assert(!(page instanceof URL));
      assert.match(page.text, /Stay signed in/);
    }
  });

  test('the client is told over the back channel, at a *.localhost name too', async () => {
    const told = Promise.withResolvers<string>();
    const listener = createServer((request, response) => {
      response.end();
      void readForm(request, 8192).then((form) => told.resolve(form?.get('logout_token') ?? ''));
    });
    const port = await listenOnLoopback(listener, 0);
    const backchannelLogoutUri = `http://auth.localhost:${port}/oauth2/backchannel-logout`;
    const own = await startProvider({ port: 0, redirectUris: [redirectUri], backchannelLogoutUri });
    try {
      const jar: CookieJar = new Map();
      const tokens = await signIn('account-ana', jar, await discover(own));
      const page = await walk(jar, `${own.issuer}/session/end`);
      assert(!(page instanceof URL));
      await post(jar, `${own.issuer}/session/end/confirm`, { ...hiddenFieldsOf(page.text), logout: 'yes' });
      const keys = createRemoteJWKSet(new URL(`${own.issuer}/jwks`));
      const { payload } = await jwtVerify(await told.promise, keys, { typ: 'logout+jwt' });
      assert.equal(payload.sub, 'account-ana');
      assert.equal(payload['sid'], tokens.claims()?.['sid']);
    } finally {
      await own.stop();
      await stopServer(listener);
    }
  });
});

test('an interceptor answers in place of the provider', async () => {
  const own = await startProvider({
    port: 0,
    redirectUris: [redirectUri],
    intercept: (request, response) => {
      if (request.url !== '/jwks') return false;
      response.writeHead(503).end();
      return true;
    },
  });
  try {
    assert.equal((await fetch(`${own.issuer}/jwks`)).status, 503);
    assert.equal((await fetch(`${own.issuer}/.well-known/openid-configuration`)).status, 200);
    assert.deepEqual([own.seen.keys, own.seen.discovery], [1, 1]);
  } finally {
    await own.stop();
  }
});

test('the program says in one line that its port is taken, and exits with 1', async () => {
  const program = spawn(process.execPath, ['demo/provider.ts', '--port', String(provider.port)], { stdio: 'pipe' });
  let output = '';
  for (const stream of [program.stdout, program.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const [code] = await once(program, 'close');
  assert.equal(code, 1);
  assert.equal(output, `port ${provider.port} is taken\n`);
});

test('the program greets in one line, logs nothing else, and stops when asked to', async () => {
  const program = spawn(process.execPath, ['demo/provider.ts', '--port', '0'], { stdio: 'pipe' });
  let output = '';
  for (const stream of [program.stdout, program.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  await once(program.stdout, 'data');
  const issuer = /http:\S+/.exec(output)?.[0] ?? '';
  assert.equal((await fetch(`${issuer}/.well-known/openid-configuration`)).status, 200);
  program.kill('SIGTERM');
  assert.deepEqual(await once(program, 'close'), [0, null]);
  assert.match(output, /^OpenID provider at [^\n]*\n$/);
});
