// The choice of a provider is forged, tossed or carried elsewhere: it never leads to a provider that the route does not take, nor to one that the person could not have chosen.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { choiceValue } from '../../../src/auth/cookie.ts';
import { sealJourney, sealRequest } from '../../../src/auth/sign-in/login.ts';
import { startFakeProvider } from '../../auth/fake-provider.ts';
import {
  appHost,
  assertArrived,
  assertChoice,
  assertFailed,
  authHost,
  bothWays,
  cookiesFor,
  createBrowser,
  createHouse,
  otherHost,
  providerCallbackUrl,
  visit,
  visitUntil,
} from './rig.ts';

const url = `https://${appHost}/`;

async function threeProviders(t: TestContext, withAuthenticationHost: boolean) {
  const providers = await Promise.all(['one', 'two', 'hidden'].map((name) => startFakeProvider(name)));
  const house = createHouse({
    providers: providers.map(({ settings }) => settings),
    settings: { providers: ['one', 'two'] },
    withAuthenticationHost,
  });
  t.after(async () => {
    await house.close();
    await Promise.all(providers.map((provider) => provider.stop()));
  });
  const browser = () =>
    createBrowser(house, async (at) => {
      const provider = providers.find(({ issuer }) => at.href.startsWith(issuer));
      assert(provider, at.href);
      return provider.authorize(at);
    });
  return { house, providers, victim: browser(), attacker: browser() };
}

for (const withAuthenticationHost of bothWays) {
  describe(`a choice, ${withAuthenticationHost ? 'on the authentication host' : 'on the host itself'}`, () => {
    const speaking = withAuthenticationHost ? authHost : appHost;

    test('of a provider that the route does not take is no choice', async (t) => {
      const { victim } = await threeProviders(t, withAuthenticationHost);
      const { ways } = assertChoice(await visit(victim, url));
      for (const name of ['hidden', 'nobody', '__proto__', '']) {
        const forged = new URL(ways.get('one') ?? '');
        forged.searchParams.set('provider', name);
        assertChoice(await visit(victim, forged));
      }
      const bare = new URL(`https://${appHost}/.sallyport/sign-in?return=/&provider=hidden`);
      assert.deepEqual([...assertChoice(await visit(victim, bare)).ways.keys()], ['one', 'two']);
    });

    test('in a link that we did not make, or made for another host or another use, is none', async (t) => {
      const { victim, house } = await threeProviders(t, withAuthenticationHost);
      const { ways } = assertChoice(await visit(victim, url));
      const honest = new URL(ways.get('one') ?? '');
      const journey = honest.searchParams.get('journey') ?? '';
      const wanted = { providers: ['hidden'], somebodyElse: false, at: house.now() };
      const request = { ...wanted, flow: 'abcdefgh', scheme: 'https', authority: appHost, binding: 'x' } as const;
      for (const text of [
        '',
        `${journey.slice(0, -2)}AA`,
        sealJourney(house.ring, { ...wanted, returnTo: '/' }, otherHost),
        sealRequest(house.ring, request, speaking),
      ]) {
        const forged = new URL(honest);
        forged.searchParams.set('journey', text);
        assertFailed(await visit(victim, forged));
      }
      if (!withAuthenticationHost) return;
      // On an application's host there is nothing to choose, whatever the link.
      const misplaced = new URL(honest);
      misplaced.host = appHost;
      const end = await visit(victim, misplaced);
      assert(end.kind === 'Page' && end.page.kind === 'NoSuchPath');
    });

    test('that was tossed in a cookie leads where the person could go anyway, or nowhere', async (t) => {
      const { victim } = await threeProviders(t, withAuthenticationHost);
      const jar = cookiesFor(victim, speaking);
      const toss = (value: string) =>
        jar.set('__Host-sallyport-provider', { value, sameSite: 'Lax', expiresAt: Infinity });
      for (const value of ['hidden', choiceValue('hidden'), 'one', 'x'.repeat(5_000), '']) {
        toss(value);
        assertChoice(await visit(victim, url));
      }
      toss(choiceValue('two'));
      assert.equal(assertArrived(await visit(victim, url), url).session.provider, 'two');
    });

    test("in another's link makes nobody sign in as them, and is not remembered until it has led somewhere", async (t) => {
      const { victim, attacker } = await threeProviders(t, withAuthenticationHost);
      const theirs = assertChoice(await visit(attacker, url)).ways.get('two') ?? '';
      await visitUntil(victim, theirs, providerCallbackUrl);
      assert.equal(cookiesFor(victim, speaking).has('__Host-sallyport-provider'), false);
      const end = await visit(victim, theirs);
      // It is the victim's own sign-in, and comes back to a host where this browser never began one.
      if (withAuthenticationHost) assertFailed(end);
      else assert.equal(assertArrived(end, url).session.provider, 'two');
    });

    test("does not change whose callback it is: one provider's answer in another's sign-in is refused", async (t) => {
      const { victim, providers } = await threeProviders(t, withAuthenticationHost);
      const ways = assertChoice(await visit(victim, url)).ways;
      const [one, two] = await Promise.all(
        ['one', 'two'].map((label) => visitUntil(victim, ways.get(label) ?? '', providerCallbackUrl)),
      );
      assert(one && two);
      const swapped = new URL(one);
      for (const name of ['code', 'iss']) swapped.searchParams.set(name, two.searchParams.get(name) ?? '');
      assertFailed(await visit(victim, swapped), 'Invalid');
      assert.equal(providers[0]?.calls.get('/token'), undefined, "the other one's code is told to nobody");
    });
  });
}

test('a session of one provider counts on no route that names another, whichever host it was made for', async (t) => {
  for (const withAuthenticationHost of bothWays) {
    const { victim } = await threeProviders(t, withAuthenticationHost);
    const { session } = assertArrived(
      await visit(victim, assertChoice(await visit(victim, url)).ways.get('one') ?? ''),
      url,
    );
    assert.equal(session.provider, 'one');
    // The data path has looked at the cookie, and it does not count: the person is told, and not sent round.
    const start = `https://${appHost}/.sallyport/sign-in?return=/`;
    const { page, ways } = assertChoice(await visit(victim, start, { providers: ['hidden'] }));
    assert.deepEqual(page.instead, { person: 'ana@example.com', provider: 'one' });
    assert.equal(assertArrived(await visit(victim, ways.get('hidden') ?? ''), url).session.provider, 'hidden');
  }
});
