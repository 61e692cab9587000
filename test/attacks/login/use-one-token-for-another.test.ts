// Presents one kind of proof where another is wanted: the cross-use matrix (CVE-2022-29226, CVE-2024-47616).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { startAdmin } from '../../../src/admin/server.ts';
import { isRefused } from '../../../src/auth/authority.ts';
import { openNotice, writeNotice } from '../../../src/auth/revocation/notice.ts';
import { openListing } from '../../../src/auth/session/record.ts';
import type { HostRoutes } from '../../../src/model/route.ts';
import { createMetrics } from '../../../src/telemetry.ts';
import type { StoredRecord } from '../../../src/sessions/store.ts';
import { sign, statusOf, tell } from '../../auth/logout-rig.ts';
import { defaultClassSettings } from '../../../src/model/settings.ts';
import {
  appHost,
  asCookie,
  authHost,
  codeCallbackUrl,
  cookiesFor,
  copyOf,
  createBrowser,
  flowNames,
  fullSession,
  layGround,
  otherHost,
  providerCallbackUrl,
  sessionValue,
  visit,
  visitOnce,
  visitUntil,
} from './rig.ts';
import type { Browser, End, Ground } from './rig.ts';

const adminToken = 'operators-token-of-this-test';

/** Whether a token was taken for what is wanted there. */
type Consumer = (token: string) => Promise<boolean>;

/** Everything that could be taken for something, of one signed-in person, and of sign-ins under way. */
async function makeTokens(ground: Ground, pending: Pending) {
  const { house, victim, provider } = ground;
  await visit(victim, `https://${appHost}/`);
  const { tokens, session } = await fullSession(victim);
  const record = house.watched.records.get(session.id);
  assert(record);
  const notice = { kind: 'Ended', sessions: [], by: 'x' } as const;
  const noticeId = await writeNotice(house.watched.store, house.ring, notice, house.now());
  const cookie = asCookie(sessionValue(victim, appHost));
  const made: Record<string, string> = {
    'the id token': tokens.idToken,
    'the access token': tokens.accessToken,
    'the refresh token': tokens.refreshToken ?? '',
    'a logout token': await sign(provider, { sub: 'nobody' }),
    'the assertion': (await house.authority.assert(appHost, cookie, { route: 'r' })) ?? '',
    'a session id': session.id,
    "the application host's cookie": sessionValue(victim, appHost),
    "the authentication host's cookie": sessionValue(victim, authHost),
    "a record's listing": record.listing,
    "a record's body": record.body,
    'an index value': record.index['person'] ?? '',
    'a notice': house.watched.records.get(noticeId)?.body ?? '',
    "operators' token": adminToken,
    'where a signed-out person came from': await signOut(ground),
    ...tokensOf(pending),
  };
  return { made, record };
}

/** What a browser that signs out takes along. */
async function signOut({ house, provider }: Ground): Promise<string> {
  const url = new URL(`https://${appHost}/.sallyport/sign-out`);
  const browser = createBrowser(house, provider.authorize);
  const answer = await visitOnce(browser, url, { method: 'POST', fetchSite: 'same-origin' });
  assert(answer.kind === 'Redirect');
  return answer.location.searchParams.get('state') ?? '';
}

/** Sign-ins that wait for one thing more. */
interface Pending {
  readonly browser: Browser;
  readonly request: string;
  readonly callback: URL;
  readonly code: string;
  /** Waits for that code. */
  readonly waiting: Browser;
  readonly codeUrl: URL;
}

async function begin({ house, provider }: Ground): Promise<Pending> {
  const browser = createBrowser(house, provider.authorize);
  const requested = await visitUntil(browser, `https://${otherHost}/`, /request=/);
  const callback = await visitUntil(browser, requested, providerCallbackUrl);
  const waiting = createBrowser(house, provider.authorize);
  const codeUrl = await visitUntil(waiting, `https://${otherHost}/`, codeCallbackUrl);
  const parameter = (url: URL, name: string) => url.searchParams.get(name) ?? '';
  return {
    browser,
    request: parameter(requested, 'request'),
    callback,
    code: parameter(codeUrl, 'code'),
    waiting,
    codeUrl,
  };
}

const tokensOf = ({ browser, request, callback, code, waiting }: Pending) => ({
  'a one-time code': code,
  'a sealed request': request,
  'a state': callback.searchParams.get('state') ?? '',
  "an application host's flow cookie": flowValue(waiting, otherHost),
  "the authentication host's flow cookie": flowValue(browser, authHost),
});

function flowValue(browser: Browser, host: string): string {
  const [name = ''] = flowNames(browser, host);
  return cookiesFor(browser, host).get(name)?.value ?? '';
}

const isExpired = (end: End) =>
  end.kind === 'Page' && end.page.kind === 'SignInFailed' && end.page.reason === 'Expired';

/** As a flow cookie in a browser that has one of this name. */
function asFlow(browser: Browser, host: string, token: string): Browser {
  const thief = copyOf(browser);
  const [name = ''] = flowNames(browser, host);
  cookiesFor(thief, host).set(name, { value: token, sameSite: 'Lax', expiresAt: Number.POSITIVE_INFINITY });
  return thief;
}

function withParameter(url: URL, name: string, token: string): URL {
  const changed = new URL(url);
  changed.searchParams.set(name, token);
  return changed;
}

async function askAdmin(t: TestContext): Promise<Consumer> {
  const common = { host: '127.0.0.1', port: 0, metrics: createMetrics(), isReady: () => true };
  const table = { generation: 1, settings: defaultClassSettings, hosts: new Map<string, HostRoutes>() };
  const nothing = () => ({ ok: {} });
  const questions = { '/access': nothing, '/explain': nothing, '/sessions': nothing };
  const operators = { token: adminToken, table: () => table, diagnostics: () => [], questions };
  const admin = await startAdmin({ ...common, operators });
  t.after(() => admin.close());
  return async (token) => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`http://127.0.0.1:${admin.port}/routes`, { headers })).status !== 401;
  };
}

function consumersOf(
  ground: Ground,
  pending: Pending,
  record: StoredRecord,
  admin: Consumer,
): Record<string, Consumer> {
  const { house, victim } = ground;
  const { authority, ring } = house;
  const opens = async (host: string, value: string) => (await authority.open(host, asCookie(value))) !== undefined;
  const asCookieOf =
    (host: string): Consumer =>
    async (token) =>
      (await opens(host, token)) ||
      (await opens(host, `${record.id}.${token}`)) ||
      opens(host, `${record.id}.${ring[0].id}.${token}`);
  const { store } = house.watched;
  return {
    "the application host's cookie": asCookieOf(appHost),
    "the authentication host's cookie": asCookieOf(authHost),
    'a bearer token': async (token) => {
      const origin = `https://${appHost}`;
      const opened = await authority.open(appHost, { kind: 'Bearer', token, origin, providers: ['fake'] });
      return opened !== undefined && !isRefused(opened);
    },
    'a sign-in request': async (token) => {
      const url = new URL(`https://${authHost}/.sallyport/sign-in?request=${encodeURIComponent(token)}`);
      const seen = await visitOnce(createBrowser(house, ground.provider.authorize), url);
      return seen.kind === 'Redirect' || !isExpired(seen);
    },
    "an application host's flow cookie": async (token) =>
      !isExpired(await visit(asFlow(pending.waiting, otherHost, token), pending.codeUrl)),
    "the authentication host's flow cookie": async (token) =>
      !isExpired(await visit(asFlow(pending.browser, authHost, token), pending.callback)),
    'the state': async (token) => {
      const [flow = ''] = (pending.callback.searchParams.get('state') ?? '').split('.');
      const urls = [token, `${flow}.${token}`].map((state) => withParameter(pending.callback, 'state', state));
      const ends = await Promise.all(urls.map((url) => visit(copyOf(pending.browser), url)));
      return !ends.every(isExpired);
    },
    'a one-time code': async (token) => {
      const thief = copyOf(pending.waiting);
      return !isExpired(await visit(thief, withParameter(pending.codeUrl, 'code', token)));
    },
    'where a signed-out person came from': async (token) => {
      const url = new URL(`https://${authHost}/.sallyport/signed-out?state=${encodeURIComponent(token)}`);
      const seen = await visitOnce(createBrowser(house, ground.provider.authorize), url);
      return seen.kind === 'Page' && seen.page.kind === 'SignedOut' && seen.page.signIn !== '/.sallyport/sign-in';
    },
    'a logout token': async (token) => statusOf(await tell(ground, token)) === 200,
    "operators' token": admin,
    "a record's body": async (token) => {
      const found = await store.read('session', record.id);
      assert(found && (await store.replace({ ...found.record, body: token }, found.revision)));
      const opened = await opens(appHost, sessionValue(victim, appHost));
      const changed = await store.read('session', record.id);
      assert(changed && (await store.replace(found.record, changed.revision)));
      return opened;
    },
    "a record's listing": async (token) => openListing(ring, { ...record, listing: token }) !== undefined,
    'a notice': async (token) => openNotice(ring, { ...record, type: 'notice', body: token }) !== undefined,
  };
}

/** Token → the one place that takes it. A notice is bound to its own id: tried by its own test. */
const rightful: Readonly<Record<string, string>> = {
  "the application host's cookie": "the application host's cookie",
  "the authentication host's cookie": "the authentication host's cookie",
  'a sealed request': 'a sign-in request',
  "a record's body": "a record's body",
  "a record's listing": "a record's listing",
  'a logout token': 'a logout token',
  "operators' token": "operators' token",
  'where a signed-out person came from': 'where a signed-out person came from',
  'a one-time code': 'a one-time code',
  "the authentication host's flow cookie": "the authentication host's flow cookie",
  'a state': 'the state',
  "an application host's flow cookie": "an application host's flow cookie",
};
/** Places where the rightful token is used up, or its callback is: they come after all others. */
const usedUp: ReadonlySet<string> = new Set([
  'a one-time code',
  "an application host's flow cookie",
  "the authentication host's flow cookie",
  'the state',
]);

test('a token made for one use is refused for every other', async (t) => {
  const ground = await layGround(t);
  const pending: Pending = await begin(ground);
  const { made, record } = await makeTokens(ground, pending);
  const consumers = consumersOf(ground, pending, record, await askAdmin(t));
  const taken: string[] = [];
  for (const [where, consume] of Object.entries(consumers)) {
    for (const [what, token] of Object.entries(made)) {
      assert.notEqual(token, '', what);
      if (rightful[what] === where && usedUp.has(where)) continue;
      if (await consume(token)) taken.push(`${what} → ${where}`);
    }
  }
  for (const [what, where] of Object.entries(rightful)) {
    if (!usedUp.has(where)) continue;
    Object.assign(pending, await begin(ground));
    if (await consumers[where]?.(Object.entries(tokensOf(pending)).find(([name]) => name === what)?.[1] ?? ''))
      taken.push(`${what} → ${where}`);
  }
  console.log(`${Object.keys(made).length} tokens × ${Object.keys(consumers).length} uses`);
  const wanted = Object.entries(rightful).map(([what, where]) => `${what} → ${where}`);
  assert.deepEqual(new Set(taken), new Set(wanted));
});
