// The Authority as a browser meets it, with a real provider: sign-in on several hosts and in several tabs, sign-out, and what is away.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { demoClient, startProvider } from '../../demo/provider.ts';
import type { RunningProvider } from '../../demo/provider.ts';
import { jwksPath } from '../../src/auth/authority.ts';
import type { OwnRequest } from '../../src/auth/authority.ts';
import { Redacted } from '../../src/model/diagnostic.ts';
import { StoreError } from '../../src/sessions/store.ts';
import { walk } from '../demo/walk.ts';
import type { CookieJar } from '../demo/walk.ts';
import { providerSettings } from './fake-provider.ts';
import {
  asCookie,
  appHost,
  assertArrived,
  assertChoice,
  assertFailed,
  assertNoSession,
  authHost,
  cookiesFor,
  createBrowser,
  createHouse,
  flowNames,
  fullSession,
  keepCookies,
  otherHost,
  ownRequest,
  postLogoutRedirectUris,
  providerCallbackUrl,
  redirectUris,
  sessionValue,
  visit,
  visitOnce,
  visitUntil,
} from './rig.ts';
import type { Browser, House, HouseOptions } from './rig.ts';

let provider: RunningProvider;

before(async () => {
  provider = await startProvider({ port: 0, redirectUris, postLogoutRedirectUris });
});
after(() => provider.stop());

const realSettings = () =>
  providerSettings('real', provider.issuer, {
    clientId: demoClient.clientId,
    clientSecret: new Redacted(demoClient.clientSecret),
  });

function houseFor(t: TestContext, options: Partial<HouseOptions> = {}): House {
  const house = createHouse({ providers: [realSettings()], ...options });
  t.after(() => house.close());
  return house;
}

/** A person at a browser of their own; `logins` counts the sign-in pages that they saw at the provider. */
function browserOf(house: House, account = 'account-ana') {
  const jar: CookieJar = new Map();
  const seen = { logins: 0, endSession: '' };
  const browser = createBrowser(house, async (url) => {
    if (url.pathname === '/session/end') seen.endSession = url.href;
    const silent = await walk(jar, url);
    if (silent instanceof URL) return silent;
    seen.logins += 1;
    const end = await walk(jar, url, { account });
    assert(end instanceof URL, 'the provider sent nobody back');
    return end;
  });
  return { browser, seen };
}

const post = { method: 'POST', origin: `https://${appHost}`, fetchSite: 'same-origin', body: '' } as const;

function postSignOut(browser: Browser, more: Partial<OwnRequest> = {}, host = appHost) {
  return visit(browser, `https://${host}/.sallyport/sign-out`, { ...post, origin: `https://${host}`, ...more });
}

describe('signing in', () => {
  for (const withAuthenticationHost of [true, false]) {
    const where = withAuthenticationHost ? 'by the authentication host' : 'on the host itself';

    test(`${where} ends at the exact URL, with who it is`, async (t) => {
      const { browser, seen } = browserOf(houseFor(t, { withAuthenticationHost }));
      const { session, renewAt } = assertArrived(
        await visit(browser, `https://${appHost}/d/1?a=b`),
        `https://${appHost}/d/1?a=b`,
      );
      assert.equal(session.provider, 'real');
      assert.equal(session.identity.email, 'ana@example.com');
      assert.deepEqual(session.identity.groups, ['engineering', 'staff']);
      assert(renewAt <= session.expiresAt && renewAt > Date.now());
      const cookie = sessionValue(browser, appHost);
      const assertion = await browser.house.authority.assert(appHost, asCookie(cookie), {
        route: 'shop/cart app.example.com/',
      });
      assert(assertion !== undefined);
      const keys = await visitOnce(browser, new URL(`https://${appHost}${jwksPath}`));
      assert(keys.kind === 'Json');
      const verified = await jwtVerify(assertion, createLocalJWKSet(keys.body as { keys: object[] } as never), {
        audience: appHost,
        issuer: `https://${withAuthenticationHost ? authHost : appHost}`,
      });
      assert.equal(verified.payload.sub, 'account-ana');
      assert.equal(verified.payload['route'], 'shop/cart app.example.com/');
      assert.equal(seen.logins, 1);
      assert.deepEqual(flowNames(browser, appHost), []);
      assert.deepEqual(flowNames(browser, authHost), []);
    });

    test(`${where} comes back to odd queries and long URLs, letter by letter`, async (t) => {
      const { browser } = browserOf(houseFor(t, { withAuthenticationHost }));
      const longest = `/${'p'.repeat(400)}?q=`;
      const odd = [
        '/?a=1&a=2&&=&return=https://evil.example.org/',
        '/x?state=a&code=b&flow=c&request=d',
        '/%E2%82%AC/%2F?%00=%0d%0a&x=%zz',
        '/a;b=c/@:user!$()*+,~?|[]^`{}"\'',
        '/?/..//../x?y',
        `${longest}${'v'.repeat(1_900 - longest.length)}`,
        `/?q=${'\\'.repeat(900)}`,
      ];
      for (const path of odd) {
        browser.jar.clear();
        const from = new URL(`https://${appHost}/`);
        const answer = await browser.house.authority.signIn({
          ...ownRequest(browser, from),
          path: path.split('?', 1)[0] ?? '',
          query: path.includes('?') ? path.slice(path.indexOf('?')) : '',
        });
        assert(answer.kind === 'Redirect');
        keepCookies(browser, appHost, answer.cookies);
        const last = await lastLocation(browser, answer.location);
        assert.equal(last, `https://${appHost}${path}`);
      }
    });
  }

  test('a URL too long for a cookie comes back to its path, or to the start', async (t) => {
    const { browser } = browserOf(houseFor(t));
    const query = `q=${'v'.repeat(3_000)}`;
    assertArrived(await visit(browser, `https://${appHost}/a?${query}`), `https://${appHost}/a`);
    browser.jar.clear();
    assertArrived(await visit(browser, `https://${appHost}/${'p'.repeat(3_000)}?${query}`), `https://${appHost}/`);
  });

  test('the longest names there are still fit in the cookies', async (t) => {
    const label = `${'a'.repeat(49)}.`;
    const longHost = `${label.repeat(4)}${'b'.repeat(40)}.example.com`;
    const name = 'p'.repeat(253);
    const house = houseFor(t, { providers: [{ ...realSettings(), name }], withAuthenticationHost: false });
    const { browser } = browserOf(house);
    const url = `https://${longHost}:65535/${'"'.repeat(1_899)}`;
    const request = ownRequest(browser, new URL(url));
    const answer = await house.authority.signIn({ ...request, path: `/${'"'.repeat(1_899)}` });
    assert(answer.kind === 'Redirect');
    for (const line of answer.cookies) assert((line.split(';', 1)[0] ?? '').length - 1 <= 4096, `${line.length}`);
  });

  test('a second application host needs no second login page', async (t) => {
    const { browser, seen } = browserOf(houseFor(t));
    const first = assertArrived(await visit(browser, `https://${appHost}/`), `https://${appHost}/`);
    const { length } = browser.trail;
    const second = assertArrived(await visit(browser, `https://${otherHost}/x`), `https://${otherHost}/x`);
    assert.equal(second.session.id, first.session.id);
    assert.equal(seen.logins, 1);
    assert.equal(
      browser.trail.slice(length).some((url) => url.startsWith(provider.issuer)),
      false,
    );
    assert.notEqual(sessionValue(browser, appHost), sessionValue(browser, otherHost));
  });

  test('two tabs at once both arrive', async (t) => {
    for (const withAuthenticationHost of [true, false]) {
      const { browser } = browserOf(houseFor(t, { withAuthenticationHost }));
      const one = await visitUntil(browser, `https://${appHost}/one`, providerCallbackUrl);
      const two = await visitUntil(browser, `https://${appHost}/two`, providerCallbackUrl);
      assertArrived(await visit(browser, one), `https://${appHost}/one`);
      assertArrived(await visit(browser, two), `https://${appHost}/two`);
      assertArrived(await visit(browser, `https://${appHost}/one`), `https://${appHost}/one`);
    }
  });

  test('a browser has one session: a new sign-in ends the one before', async (t) => {
    const house = houseFor(t);
    const { browser } = browserOf(house);
    const one = await visitUntil(browser, `https://${appHost}/one`, providerCallbackUrl);
    const two = await visitUntil(browser, `https://${appHost}/two`, providerCallbackUrl);
    const before = assertArrived(await visit(browser, one), `https://${appHost}/one`);
    const ended: string[] = [];
    house.authority.onEnded((ids) => ended.push(...ids));
    assertArrived(await visit(browser, two), `https://${appHost}/two`);
    assert.deepEqual(ended, [before.session.id]);
  });

  test('of more than six sign-ins under way the oldest go, and the newest arrive', async (t) => {
    for (const withAuthenticationHost of [true, false]) {
      const house = houseFor(t, { withAuthenticationHost });
      const { browser } = browserOf(house);
      const callbacks: URL[] = [];
      for (let tab = 0; tab < 9; tab += 1) {
        house.clock.offsetMs += 10;
        callbacks.push(await visitUntil(browser, `https://${appHost}/${tab}`, providerCallbackUrl));
      }
      assert.equal(flowNames(browser, appHost).length, 6);
      if (withAuthenticationHost) assert.equal(flowNames(browser, authHost).length, 6);
      assertFailed(await visit(browser, callbacks[2] ?? ''));
      for (const tab of [3, 8]) {
        assertArrived(await visit(browser, callbacks[tab] ?? ''), `https://${appHost}/${tab}`);
      }
    }
  });

  test('a Strict cookie arrives by a page of our own, so that there is no second round', async (t) => {
    for (const withAuthenticationHost of [true, false]) {
      const house = houseFor(t, { withAuthenticationHost, settings: { cookieSameSite: 'Strict' } });
      const { browser, seen } = browserOf(house);
      assertArrived(await visit(browser, `https://${appHost}/x?y`), `https://${appHost}/x?y`);
      assert.equal(seen.logins, 1);
      const last = house.answers.at(-1);
      assert(last?.kind === 'Page');
      assert.deepEqual(last.page, { kind: 'SignedIn', goOn: `https://${appHost}/x?y` });
      assert.match(last.cookies.join('\n'), /__Host-sallyport=[^\n]*SameSite=Strict/);
    }
  });

  test('a session of another provider does not count: the provider asked for is', async (t) => {
    const house = houseFor(t, { providers: [realSettings(), { ...realSettings(), name: 'second' }] });
    const { browser } = browserOf(house);
    const first = assertArrived(await visit(browser, `https://${appHost}/`), `https://${appHost}/`);
    assert.equal(first.session.provider, 'real');
    const told = assertChoice(await visit(browser, `https://${otherHost}/`, { providers: ['second'] }));
    assert.deepEqual(told.page.instead, { person: 'ana@example.com', provider: 'real' });
    assert.deepEqual([...told.ways.keys()], ['second']);
    const end = await visit(browser, told.ways.get('second') ?? '');
    assert.equal(assertArrived(end, `https://${otherHost}/`).session.provider, 'second');
  });

  test('nobody can sign in where there is no provider', async (t) => {
    const { browser } = browserOf(houseFor(t, { providers: [] }));
    const end = await visit(browser, `https://${appHost}/`);
    assert(end.kind === 'Page');
    assert.equal(end.page.kind, 'NoProvider');
  });

  test('a person who cancels is told so, and is not sent round again', async (t) => {
    const house = houseFor(t);
    const browser = createBrowser(house, async (url) => {
      const end = await walk(new Map(), url, 'cancel');
      assert(end instanceof URL);
      return end;
    });
    assertFailed(await visit(browser, `https://${appHost}/`), 'Denied');
    assert.deepEqual(house.watched.writes, []);
  });

  test('nothing is written to the store before the login has succeeded', async (t) => {
    const house = houseFor(t);
    const { browser } = browserOf(house);
    const callback = await visitUntil(browser, `https://${appHost}/`, providerCallbackUrl);
    assert.deepEqual(house.watched.writes, []);
    assertArrived(await visit(browser, callback), `https://${appHost}/`);
    assert.deepEqual(house.watched.writes, ['create session', 'create code', 'take code']);
    assertArrived(await visit(browser, `https://${appHost}/again`), `https://${appHost}/again`);
    assert.equal(house.watched.writes.length, 3, 'a request writes nothing');
  });
});

/** Follows redirects by their letters: a URL parser would mend what an odd path came to. */
async function lastLocation(browser: Browser, from: string): Promise<string> {
  let location = from;
  for (let step = 0; step < 12; step += 1) {
    const url = new URL(location);
    if (url.hostname === appHost && url.pathname !== '/.sallyport/callback') return location;
    if (url.hostname === 'localhost') {
      location = (await browser.atProvider(url)).href;
      continue;
    }
    const request = ownRequest(browser, url);
    const answer = await browser.house.authority.respond(request);
    keepCookies(browser, url.hostname, answer.cookies);
    assert(answer.kind === 'Redirect', JSON.stringify(answer));
    location = answer.location;
  }
  throw new Error('no end of redirects');
}

describe('our own pages', () => {
  test('who am I, as a page and as JSON; signed out, a sign-in and a 401', async (t) => {
    const { browser } = browserOf(houseFor(t));
    const nobody = await visitOnce(browser, new URL(`https://${appHost}/.sallyport/user`));
    assert(nobody.kind === 'Json');
    assert.equal(nobody.status, 401);
    const end = await visit(browser, `https://${appHost}/.sallyport/`);
    assert(end.kind === 'Page' && end.page.kind === 'WhoAmI');
    assert.equal(end.page.identity.email, 'ana@example.com');
    const user = await visitOnce(browser, new URL(`https://${appHost}/.sallyport/user`));
    assert(user.kind === 'Json');
    assert.deepEqual(user.body, end.page.identity);
  });

  test('a path that is not ours, a method that is not, and the other kind of callback', async (t) => {
    const { browser } = browserOf(houseFor(t));
    const pageAt = async (host: string, path: string, method = 'GET') => {
      const end = await visitOnce(browser, new URL(`https://${host}${path}`), { method });
      return end.kind === 'Page' ? end.page.kind : end.kind;
    };
    assert.equal(await pageAt(appHost, '/.sallyport/nothing'), 'NoSuchPath');
    assert.equal(await pageAt(authHost, '/anything'), 'NoSuchPath');
    assert.equal(await pageAt(authHost, '/.sallyport/callback'), 'NoSuchPath');
    assert.equal(await pageAt(appHost, '/.sallyport//oauth2/callback'), 'NoSuchPath');
    assert.equal(await pageAt(authHost, '/.sallyport//oauth2/callback'), 'NoSuchPath');
    assert.equal(await pageAt(appHost, '/.sallyport/user', 'POST'), 'MethodNotAllowed');
    assert.equal(await pageAt(appHost, '/.sallyport/callback', 'POST'), 'MethodNotAllowed');
    assert.equal(await pageAt(appHost, '/.sallyport/sign-out', 'DELETE'), 'MethodNotAllowed');
    assert.equal(await pageAt(authHost, '/'), 'Redirect');
  });

  test('sign-in returns to the path given, and to no other host', async (t) => {
    const { browser } = browserOf(houseFor(t));
    const at = (given: string) => `https://${appHost}/.sallyport/sign-in?return=${encodeURIComponent(given)}`;
    assertArrived(await visit(browser, at('/a?b=c')), `https://${appHost}/a?b=c`);
    browser.jar.clear();
    assertArrived(await visit(browser, at('//evil.example.org/')), `https://${appHost}/`);
  });
});

describe('signing out', () => {
  test('removes the record, tells of it, and no cookie of the session opens anywhere any more', async (t) => {
    const house = houseFor(t);
    const { browser, seen } = browserOf(house);
    const { session } = assertArrived(await visit(browser, `https://${appHost}/`), `https://${appHost}/`);
    assertArrived(await visit(browser, `https://${otherHost}/`), `https://${otherHost}/`);
    const { tokens } = await fullSession(browser);
    const values = [appHost, otherHost, authHost].map((host) => [host, sessionValue(browser, host)] as const);
    for (const [host, value] of values) assert.notEqual(await house.authority.open(host, asCookie(value)), undefined);
    const ended: string[] = [];
    const stop = house.authority.onEnded((ids) => ended.push(...ids));

    const end = await postSignOut(browser);

    assert.deepEqual(ended, [session.id]);
    for (const [host, value] of values) assert.equal(await house.authority.open(host, asCookie(value)), undefined);
    assert.equal(await house.watched.store.read('session', session.id), undefined);
    const endSession = new URL(seen.endSession).searchParams;
    assert.equal(endSession.get('id_token_hint'), tokens.idToken);
    assert.equal(endSession.get('post_logout_redirect_uri'), `https://${authHost}/.sallyport/signed-out`);
    assert(end.kind === 'Page' && end.page.kind === 'SignedOut', JSON.stringify(end));
    assert.match(end.url, new RegExp(`^https://${authHost}/.sallyport/signed-out\\?state=`));
    assert.equal(end.page.signIn, `https://${appHost}/.sallyport/sign-in`);
    assert.equal(cookiesFor(browser, appHost).size, 0);
    assert.equal(cookiesFor(browser, authHost).size, 0);
    stop();

    assertArrived(await visit(browser, `https://${appHost}/`), `https://${appHost}/`);
    assert.equal(seen.logins, 2, 'the provider asks again');
  });

  test('without an authentication host it comes back to the host itself', async (t) => {
    const { browser } = browserOf(houseFor(t, { withAuthenticationHost: false }));
    await visit(browser, `https://${appHost}/`);
    const end = await postSignOut(browser);
    assert(end.kind === 'Page' && end.page.kind === 'SignedOut');
    assert.equal(end.page.signIn, `https://${appHost}/.sallyport/sign-in`);
    await assertNoSession(browser, appHost);
  });

  test('asks before it does, and knows who nobody is', async (t) => {
    const { browser } = browserOf(houseFor(t));
    const url = new URL(`https://${appHost}/.sallyport/sign-out`);
    const nobody = await visitOnce(browser, url);
    assert(nobody.kind === 'Page' && nobody.page.kind === 'SignedOut');
    await visit(browser, `https://${appHost}/`);
    const asked = await visitOnce(browser, url);
    assert(asked.kind === 'Page');
    assert.deepEqual(asked.page, {
      kind: 'ConfirmSignOut',
      signOut: '/.sallyport/sign-out',
      person: 'ana@example.com',
    });
    assertArrived(await visit(browser, `https://${appHost}/`), `https://${appHost}/`);
  });

  test('of nobody at all still ends at the signed-out page', async (t) => {
    const { browser } = browserOf(houseFor(t));
    const end = await postSignOut(browser);
    assert(end.kind === 'Page' && end.page.kind === 'SignedOut');
  });

  test('stays here where the provider is not to be asked, or is away', async (t) => {
    const house = houseFor(t, { providers: [{ ...realSettings(), logoutAtProvider: false }] });
    const { browser, seen } = browserOf(house);
    await visit(browser, `https://${appHost}/`);
    const end = await postSignOut(browser);
    assert(end.kind === 'Page' && end.page.kind === 'SignedOut');
    assert.equal(seen.endSession, '');

    house.authority.update({
      class: house.settings,
      providers: [{ ...realSettings(), logoutAtProvider: false }],
      keyRing: house.ring,
    });
    await visit(browser, `https://${appHost}/`);
    house.authority.update({
      class: house.settings,
      providers: [providerSettings('real', 'http://localhost:1')],
      keyRing: house.ring,
    });
    const away = await postSignOut(browser);
    assert(away.kind === 'Page' && away.page.kind === 'SignedOut');
    await assertNoSession(browser, appHost);
  });
});

describe('what is away', () => {
  test('a store: 503 before any redirect to the provider, and all is well when it is back', async (t) => {
    const house = houseFor(t);
    const { browser } = browserOf(house);
    house.watched.failure = new StoreError('unavailable', 'away');
    for (const withRequest of [true, false]) {
      const url = withRequest ? `https://${appHost}/` : `https://${authHost}/.sallyport/sign-in`;
      const end = await visit(browser, url);
      assert(end.kind === 'Page', JSON.stringify(end));
      assert.deepEqual(end.page, { kind: 'StoreUnavailable', retryAfterSeconds: 5 });
    }
    assert.equal(
      browser.trail.some((url) => url.startsWith(provider.issuer)),
      false,
    );
    await assert.rejects(house.authority.open(authHost, asCookie(`${'a'.repeat(22)}.${'A'.repeat(43)}`)), {
      name: 'AuthorityError',
      code: 'unavailable',
    });
    delete house.watched.failure;
    assertArrived(await visit(browser, `https://${appHost}/`), `https://${appHost}/`);
  });

  test('a store that is full: 503, and no session', async (t) => {
    const house = houseFor(t);
    const { browser } = browserOf(house);
    const callback = await visitUntil(browser, `https://${appHost}/`, providerCallbackUrl);
    house.watched.failure = new StoreError('full', 'full');
    const end = await visit(browser, callback);
    assert(end.kind === 'Page');
    assert.equal(end.page.kind, 'StoreUnavailable');
    assert.equal(cookiesFor(browser, authHost).has('__Host-sallyport'), false);
  });

  test('a provider: 503 with the time to try again, and sessions go on', async (t) => {
    const house = houseFor(t);
    const { browser } = browserOf(house);
    await visit(browser, `https://${appHost}/`);
    const away = [providerSettings('real', 'http://localhost:1')];
    house.authority.update({ class: house.settings, providers: away, keyRing: house.ring });
    assertArrived(await visit(browser, `https://${appHost}/x`), `https://${appHost}/x`);
    const stranger = browserOf(house).browser;
    const end = await visit(stranger, `https://${appHost}/`);
    assert(end.kind === 'Page');
    assert.deepEqual(end.page, { kind: 'ProviderUnavailable', retryAfterSeconds: 5 });
    house.authority.update({ class: house.settings, providers: [realSettings()], keyRing: house.ring });
    assertArrived(await visit(stranger, `https://${appHost}/`), `https://${appHost}/`);
  });
});

test('no answer of a whole visit holds a token, save the hint that the provider itself is given at sign-out', async (t) => {
  for (const withAuthenticationHost of [true, false]) {
    const house = houseFor(t, { withAuthenticationHost });
    const { browser } = browserOf(house);
    await visit(browser, `https://${appHost}/`);
    const { tokens } = await fullSession(browser, withAuthenticationHost ? authHost : appHost);
    for (const path of ['', 'user', 'sign-in', 'sign-out', 'signed-out', 'nothing', 'callback', 'routes']) {
      await visit(browser, `https://${appHost}/.sallyport/${path}`);
    }
    await postSignOut(browser);
    assert(house.answers.length > 10);
    for (const answer of house.answers) {
      const text = JSON.stringify(answer).replace(/id_token_hint=[^&"]+/, '');
      for (const token of Object.values(tokens)) {
        assert.equal(text.includes(token), false, text);
        assert.equal(text.includes(token.slice(-40)), false, text);
      }
    }
  }
});
