// Signing in at GitHub, end to end: who that is, who may, what a refresh changes, and what does not work.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { GitHubSettings } from '../../src/model/settings.ts';
import { startFakeGitHub } from './fake-github.ts';
import type { FakeGitHub } from './fake-github.ts';
import {
  appHost,
  assertArrived,
  assertFailed,
  assertNoSession,
  createBrowser,
  createHouse,
  fullSession,
  sessionValue,
  visit,
  visitUntil,
} from './rig.ts';
import type { Browser, House } from './rig.ts';

const url = `https://${appHost}/d/1`;
const houses: House[] = [];
afterEach(() => Promise.all(houses.splice(0).map((house) => house.close())));

async function start(
  more: Partial<GitHubSettings> = {},
): Promise<{ github: FakeGitHub; house: House; browser: Browser }> {
  const github = await startFakeGitHub(more);
  const house = createHouse({ providers: [github.settings] });
  houses.push(house);
  return { github, house, browser: createBrowser(house, (at) => github.authorize(at)) };
}

async function open({ house, browser }: { house: House; browser: Browser }) {
  const opened = await house.authority.open(appHost, { kind: 'Cookie', value: sessionValue(browser, appHost) });
  return opened !== undefined && 'session' in opened ? opened.session : undefined;
}

test('a person is their id, their primary verified address, their organizations and teams', async () => {
  const { browser } = await start();
  const { identity, provider } = assertArrived(await visit(browser, url), url).session;
  assert.equal(provider, 'github');
  assert.deepEqual(identity, {
    user: '583231',
    email: 'ana@example.com',
    name: 'Ana',
    groups: ['acme', 'elsewhere', 'acme/platform'],
    claims: { sub: '583231', login: 'ana', name: 'Ana', email: 'ana@example.com', email_verified: true },
  });
});

test('by their login, where that is wanted', async () => {
  const { browser } = await start({ userName: 'Login' });
  assert.equal(assertArrived(await visit(browser, url), url).session.identity.user, 'ana');
});

test('what GitHub is asked: state, PKCE with S256, and no more scopes than needed', async () => {
  const { browser, github } = await start();
  const at = await visitUntil(browser, url, /\/login\/oauth\/authorize/);
  const asked = Object.fromEntries(at.searchParams);
  assert.equal(at.origin, github.settings.webUrl);
  assert.equal(asked['scope'], 'user:email read:org');
  assert.equal(asked['code_challenge_method'], 'S256');
  assert.match(asked['code_challenge'] ?? '', /^[\w-]{43}$/);
  assert.ok((asked['state'] ?? '').length > 40);
  assert.equal(asked['prompt'], undefined);
  const other = await visitUntil(
    browser,
    `https://${appHost}/.sallyport/sign-in?account=other`,
    /\/login\/oauth\/authorize/,
  );
  assert.equal(other.searchParams.get('prompt'), 'select_account');
});

test('500 teams, page after page', async () => {
  const { browser, github } = await start();
  github.ana.teams = Array.from({ length: 500 }, (_, index) => `acme/team-${index}`);
  const { groups } = assertArrived(await visit(browser, url), url).session.identity;
  assert.deepEqual(groups, ['acme', 'elsewhere', ...github.ana.teams]);
});

test('members of the organizations alone may sign in, and have the groups of these alone', async () => {
  const { browser, github } = await start({ organizations: ['Acme'] });
  const { groups } = assertArrived(await visit(browser, url), url).session.identity;
  assert.deepEqual(groups, ['acme', 'acme/platform']);
  github.account = {
    ...github.ana,
    id: 666,
    login: 'eve',
    orgs: ['acme-evil', 'elsewhere'],
    teams: ['elsewhere/acme'],
  };
  const stranger = createBrowser(browser.house, (at) => github.authorize(at));
  assertFailed(await visit(stranger, url), 'Denied');
  await assertNoSession(stranger, appHost);
});

test('the public address, one that is not verified, and one that is not the primary are no address', async () => {
  const { browser, github } = await start();
  github.ana.emails = [
    { email: 'root@example.com', primary: true, verified: false },
    { email: 'ana@example.com', primary: false, verified: true },
  ];
  const { identity } = assertArrived(await visit(browser, url), url).session;
  assert.equal(identity.email, undefined);
  assert.equal(identity.claims['email'], undefined);
});

test('an app without the permission to read addresses: there is none', async () => {
  const { browser, github } = await start();
  github.server.instead = ({ url: at }) =>
    at.pathname === '/user/emails'
      ? { status: 403, body: { message: 'Resource not accessible by integration' } }
      : undefined;
  assert.equal(assertArrived(await visit(browser, url), url).session.identity.email, undefined);
});

test('a token without read:org is no sign-in: nobody could tell the groups', async () => {
  const { browser, github } = await start();
  github.server.instead = ({ url: at }) =>
    at.pathname === '/login/oauth/access_token'
      ? { status: 200, body: { access_token: 'gho_x', token_type: 'bearer', scope: 'user:email' } }
      : undefined;
  assertFailed(await visit(browser, url), 'Invalid');
});

test('somebody who cancels is told so', async () => {
  const { house } = await start();
  const browser = createBrowser(house, async (at) => {
    const back = new URL(at.searchParams.get('redirect_uri') ?? '');
    back.search = new URLSearchParams({ error: 'access_denied', state: at.searchParams.get('state') ?? '' }).toString();
    return back;
  });
  assertFailed(await visit(browser, url), 'Denied');
});

for (const [what, reply] of [
  ['fails', { status: 502 }],
  ['has a limit', { status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '9999999999' } }],
  ['answers nonsense', { status: 200, body: '<html>' }],
] as const) {
  test(`GitHub ${what}: signing in is not possible right now`, async () => {
    const { browser, github } = await start();
    github.server.instead = ({ url: at }) => (at.pathname === '/user' ? reply : undefined);
    const end = await visit(browser, url);
    assert(end.kind === 'Page' && end.page.kind === 'ProviderUnavailable', JSON.stringify(end));
  });
}

for (const stepUp of [{ withinSeconds: 60 }, { acrValues: ['phr'] }]) {
  test(`a step-up to ${JSON.stringify(stepUp)} ends on a page, and GitHub is not asked`, async () => {
    const { browser, github } = await start();
    assertFailed(await visit(browser, url, { stepUp }), 'TooWeak');
    assert.equal(github.server.asked.length, 0);
    assert.ok(!browser.trail.some((seen) => seen.startsWith(github.settings.webUrl)));
  });
}

test('signing out ends the session here, and leads to no page of GitHub', async () => {
  const { browser } = await start();
  assertArrived(await visit(browser, url), url);
  const form = { method: 'POST', body: '', origin: `https://${appHost}`, fetchSite: 'same-origin' };
  const end = await visit(browser, `https://${appHost}/.sallyport/sign-out`, form);
  assert.equal(end.kind, 'Page');
  await assertNoSession(browser, appHost);
});

test('an OAuth app: tokens do not expire, and groups are read again with them; a team that was left is gone', async () => {
  const { browser, house, github } = await start();
  assertArrived(await visit(browser, url), url);
  github.ana.teams = [];
  house.clock.offsetMs += house.settings.refreshIntervalMs + 60_000;
  await open({ house, browser });
  assert.deepEqual((await open({ house, browser }))?.identity.groups, ['acme', 'elsewhere']);
});

test('a GitHub App: tokens are refreshed before they expire, and each refresh token is spent once', async () => {
  const { browser, house, github } = await start();
  github.isApp = true;
  assertArrived(await visit(browser, url), url);
  const first = (await fullSession(browser)).tokens;
  house.clock.offsetMs += 28_800_000 + 60_000;
  assert.ok(await open({ house, browser }));
  const second = (await fullSession(browser)).tokens;
  assert.notEqual(second.accessToken, first.accessToken);
  assert.notEqual(second.refreshToken, first.refreshToken);
  assert.equal(github.refreshTokens.size, 1);
});

test('a session ends where the person took the token back, left the organizations, or is somebody else by now', async () => {
  for (const change of [
    (github: FakeGitHub) => github.tokens.clear(),
    (github: FakeGitHub) => void (github.ana.orgs = []),
    (github: FakeGitHub) => void (github.ana.id = 666),
  ]) {
    const { browser, house, github } = await start({ organizations: ['acme'] });
    assertArrived(await visit(browser, url), url);
    change(github);
    house.clock.offsetMs += house.settings.refreshIntervalMs + 60_000;
    await open({ house, browser });
    assert.equal(await open({ house, browser }), undefined);
  }
});
