// Refreshing at GitHub when it misbehaves: whether the refresh token, which works once, was spent, and what is kept.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGitHubProvider } from '../../src/auth/provider/github.ts';
import { ProviderError } from '../../src/auth/provider/error.ts';
import type { ProviderErrorCode } from '../../src/auth/provider/error.ts';
import { createLogger } from '../../src/telemetry.ts';
import type { Reply } from './directories/server.ts';
import { startFakeGitHub } from './fake-github.ts';

const identity = { user: '583231', groups: ['acme'], claims: { sub: '583231' } };
const tokenPath = '/login/oauth/access_token';

async function start() {
  const github = await startFakeGitHub();
  github.isApp = true;
  github.refreshTokens.set('ghr_1', github.ana);
  const provider = createGitHubProvider(github.settings, { log: createLogger('silent') });
  const tokens = { idToken: '', accessToken: 'ghu_1', refreshToken: 'ghr_1' };
  const refresh = () => provider.refresh({ subject: '583231', identity, tokens }, 1_000);
  const isSpent = () => !github.refreshTokens.has('ghr_1');
  return { github, refresh, isSpent };
}

const failsWith = (code: ProviderErrorCode) => (error: unknown) => {
  assert(error instanceof ProviderError, String(error));
  assert.equal(error.code, code, error.message);
  assert.ok(!`${error.stack}${JSON.stringify(error)}`.includes('ghr_1'));
  return true;
};

test('a refresh brings new tokens, and who the person is by now', async () => {
  const { refresh, isSpent } = await start();
  const refreshed = await refresh();
  assert.deepEqual(refreshed.identity.groups, ['acme', 'elsewhere', 'acme/platform']);
  assert.equal(refreshed.tokensExpireAt, 1_000 + 28_800_000);
  assert.match(refreshed.tokens.refreshToken ?? '', /^ghr_./);
  assert.ok(isSpent());
});

test('one that hangs is noticed before the token is sent', async () => {
  const { github, refresh, isSpent } = await start();
  github.server.instead = ({ method }) => (method === 'GET' ? 'Hang' : undefined);
  await assert.rejects(refresh(), failsWith('unavailable'));
  assert.equal(isSpent(), false);
  assert.ok(!github.server.asked.some(({ method }) => method === 'POST'));
});

test('one that is not there', async () => {
  const { github, refresh } = await start();
  await github.server.stop();
  await assert.rejects(refresh(), failsWith('unavailable'));
});

const answers: readonly (readonly [string, Reply, ProviderErrorCode])[] = [
  ['502', { status: 502, body: '<html>' }, 'unknown'],
  ['a 200 without tokens', { status: 200, body: {} }, 'unknown'],
  ['429', { status: 429 }, 'unavailable'],
  ['503', { status: 503 }, 'unavailable'],
  ['bad_refresh_token', { status: 200, body: { error: 'bad_refresh_token' } }, 'ended'],
  ['that our secret is wrong', { status: 200, body: { error: 'incorrect_client_credentials' } }, 'unavailable'],
];
for (const [what, reply, code] of answers) {
  test(`it answers ${what}: ${code}`, async () => {
    const { github, refresh } = await start();
    github.server.instead = ({ method, url }) => (method === 'POST' && url.pathname === tokenPath ? reply : undefined);
    await assert.rejects(refresh(), failsWith(code));
  });
}

test('the API is away when the token is spent: the new tokens are kept, and groups are asked for again soon', async () => {
  const { github, refresh, isSpent } = await start();
  github.server.instead = ({ url }) => (url.pathname.startsWith('/user') ? { status: 502 } : undefined);
  const refreshed = await refresh();
  assert.ok(isSpent());
  assert.equal(refreshed.identity, identity);
  assert.equal(refreshed.tokensExpireAt, 61_000);
  assert.ok(github.refreshTokens.has(refreshed.tokens.refreshToken ?? ''));
});
