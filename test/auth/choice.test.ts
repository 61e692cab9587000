// Several providers: chosen on a page, remembered, chosen anew; and a provider that is gone or away locks nobody out.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { startFakeProvider } from './fake-provider.ts';
import {
  appHost,
  assertArrived,
  assertChoice,
  assertFailed,
  authHost,
  cookiesFor,
  createBrowser,
  createHouse,
  otherHost,
  providerCallbackUrl,
  visit,
  visitUntil,
} from './rig.ts';
import type { End } from './rig.ts';

const app = `https://${appHost}/d/1?x=y`;

async function twoProviders(t: TestContext, withAuthenticationHost = true) {
  const [okta, entra] = await Promise.all([startFakeProvider('okta'), startFakeProvider('entra')]);
  const settings = [okta.settings, { ...entra.settings, displayName: 'The other company' }];
  const house = createHouse({
    providers: settings,
    settings: { providers: ['okta', 'entra'] },
    withAuthenticationHost,
  });
  t.after(async () => {
    await house.close();
    await Promise.all([okta.stop(), entra.stop()]);
  });
  const browser = createBrowser(house, (url) => (url.href.startsWith(okta.issuer) ? okta : entra).authorize(url));
  return { okta, entra, house, browser, settings };
}

const chosen = (end: End, label: string) => assertChoice(end).ways.get(label) ?? '';

function pageOf(end: End) {
  assert(end.kind === 'Page', `ended at ${JSON.stringify(end)}`);
  return end.page;
}

for (const withAuthenticationHost of [true, false]) {
  describe(`several providers, ${withAuthenticationHost ? 'with an authentication host' : 'each host by itself'}`, () => {
    const speaking = withAuthenticationHost ? authHost : appHost;

    test('are chosen from once, and the choice is remembered', async (t) => {
      const { browser, house } = await twoProviders(t, withAuthenticationHost);
      const first = await visit(browser, app);
      assert.deepEqual([...assertChoice(first).ways.keys()], ['okta', 'The other company']);
      assert.deepEqual(house.watched.writes, []);
      assert.equal(cookiesFor(browser, speaking).has('__Host-sallyport-provider'), false, 'nothing is chosen yet');
      const arrived = assertArrived(await visit(browser, chosen(first, 'The other company')), app);
      assert.equal(arrived.session.provider, 'entra');
      for (const held of browser.jar.values()) held.delete('__Host-sallyport');
      assert.equal(assertArrived(await visit(browser, app), app).session.provider, 'entra');
    });

    test('a choice that does not count on a route is not asked about there', async (t) => {
      const { browser } = await twoProviders(t, withAuthenticationHost);
      assertArrived(await visit(browser, chosen(await visit(browser, app), 'okta')), app);
      for (const held of browser.jar.values()) held.delete('__Host-sallyport');
      const { session } = assertArrived(await visit(browser, app, { providers: ['entra'] }), app);
      assert.equal(session.provider, 'entra');
      // Where there was nothing to choose, nothing is remembered.
      for (const held of browser.jar.values()) held.delete('__Host-sallyport');
      assert.equal(assertArrived(await visit(browser, app), app).session.provider, 'okta');
    });

    test('who wants another account, or was refused by the provider, chooses anew', async (t) => {
      const { browser, okta } = await twoProviders(t, withAuthenticationHost);
      assertArrived(await visit(browser, chosen(await visit(browser, app), 'okta')), app);
      assertChoice(await visit(browser, `https://${appHost}/.sallyport/sign-in?return=/d/1&account=other`));
      for (const held of browser.jar.values()) held.delete('__Host-sallyport');
      okta.behaviour.callback = { code: undefined, error: 'access_denied' };
      const page = pageOf(await visit(browser, app));
      assert(page.kind === 'SignInFailed' && page.otherWay !== undefined);
      assertArrived(
        await visit(browser, chosen(await visit(browser, page.otherWay), 'The other company')),
        `https://${appHost}/${withAuthenticationHost ? '' : 'd/1?x=y'}`,
      );
    });

    test('one that was remembered and is away is told of, with the way to the others', async (t) => {
      const { browser, house, okta, settings } = await twoProviders(t, withAuthenticationHost);
      assertArrived(await visit(browser, chosen(await visit(browser, app), 'okta')), app);
      for (const held of browser.jar.values()) held.delete('__Host-sallyport');
      okta.behaviour.instead.set('/.well-known/openid-configuration', (_, response) => {
        response.writeHead(500).end();
      });
      const renamed = settings.map((one) => ({ ...one, clientId: `${one.clientId}2` }));
      house.authority.update({ class: house.settings, providers: [renamed[0] ?? one(), one()], keyRing: house.ring });
      const page = pageOf(await visit(browser, app));
      assert(page.kind === 'ProviderUnavailable' && page.otherWay !== undefined);
      const ways = chosen(await visit(browser, new URL(page.otherWay, `https://${speaking}`)), 'The other company');
      assertArrived(await visit(browser, ways), app);

      function one() {
        const [, entra] = settings;
        assert(entra);
        return entra;
      }
    });

    test('one that was remembered and from which nobody came back is not gone to again', async (t) => {
      const { browser, house } = await twoProviders(t, withAuthenticationHost);
      assertArrived(await visit(browser, chosen(await visit(browser, app), 'okta')), app);
      for (const held of browser.jar.values()) held.delete('__Host-sallyport');
      await visitUntil(browser, app, providerCallbackUrl);
      house.clock.offsetMs += 11_000;
      assertChoice(await visit(browser, app));
    });

    test('one that was remembered and is gone leaves the others', async (t) => {
      const { browser, house, settings } = await twoProviders(t, withAuthenticationHost);
      assertArrived(await visit(browser, chosen(await visit(browser, app), 'okta')), app);
      for (const held of browser.jar.values()) held.delete('__Host-sallyport');
      house.authority.update({ class: house.settings, providers: settings.slice(1), keyRing: house.ring });
      assert.equal(assertArrived(await visit(browser, app), app).session.provider, 'entra');
    });

    test('a page to choose from that was left open for too long says so, and leads back', async (t) => {
      const { browser, house } = await twoProviders(t, withAuthenticationHost);
      const late = chosen(await visit(browser, app), 'okta');
      house.clock.offsetMs += 600_000;
      const again = assertFailed(await visit(browser, late), 'Expired');
      assert.equal(new URL(again).host, appHost);
      assertChoice(await visit(browser, again));
    });

    test('the cookie that remembers is small, whatever a provider is called', async (t) => {
      const name = 'x'.repeat(253);
      const [long, other] = await Promise.all([startFakeProvider(name), startFakeProvider('other')]);
      const house = createHouse({
        providers: [long.settings, other.settings],
        settings: { providers: [name, 'other'], cookieName: 'c'.repeat(32) },
        withAuthenticationHost,
      });
      t.after(async () => {
        await house.close();
        await Promise.all([long.stop(), other.stop()]);
      });
      const browser = createBrowser(house, long.authorize);
      assertArrived(await visit(browser, chosen(await visit(browser, app), name)), app);
      const line = house.answers.flatMap(({ cookies }) => cookies).find((one) => one.includes('-provider='));
      assert.match(line ?? '', /; Max-Age=31536000; Secure; HttpOnly; SameSite=Lax$/);
      assert(Buffer.byteLength(line ?? '') <= 200, 'at most 200 bytes');
    });
  });
}

test('a session of one of the providers serves the hosts that take it, and is not asked for twice', async (t) => {
  const { browser } = await twoProviders(t);
  assertArrived(await visit(browser, chosen(await visit(browser, app), 'The other company')), app);
  const { length } = browser.trail;
  const end = await visit(browser, `https://${otherHost}/`, { providers: ['okta', 'entra'] });
  assert.equal(assertArrived(end, `https://${otherHost}/`).session.provider, 'entra');
  assert(browser.trail.slice(length).every((url) => new URL(url).hostname.endsWith('.example.com')));
});
