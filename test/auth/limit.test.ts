// Sessions per person, and per browser: which of them end at a sign-in, and which never do.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { createKeyRing } from '../../src/auth/keys.ts';
import { StoreError } from '../../src/sessions/store.ts';
import {
  appHost,
  asCookie,
  assertArrived,
  authHost,
  bothWays,
  cookiesFor,
  createBrowser,
  layGround,
  otherHost,
  sessionValue,
  visit,
} from '../attacks/login/rig.ts';
import type { Browser, Ground } from '../attacks/login/rig.ts';

const app = `https://${appHost}/`;
const settings = { sessionsPerPerson: 2 };

async function signIn({ house, provider }: Ground): Promise<Browser> {
  const browser = createBrowser(house, provider.authorize);
  assertArrived(await visit(browser, app), app);
  // Each begins in a millisecond of its own.
  house.clock.offsetMs += 1;
  return browser;
}

async function live(ground: Ground, browsers: readonly Browser[]): Promise<boolean[]> {
  const opened = browsers.map((browser) =>
    ground.house.authority.open(appHost, asCookie(sessionValue(browser, appHost))),
  );
  return (await Promise.all(opened)).map((one) => one !== undefined);
}

const lay = (t: TestContext, more: Parameters<typeof layGround>[1] = {}) => layGround(t, { settings, ...more });

describe('with two sessions a person', () => {
  test('a third sign-in ends the oldest', async (t) => {
    for (const withAuthenticationHost of bothWays) {
      const ground = await lay(t, { withAuthenticationHost });
      const browsers = [await signIn(ground), await signIn(ground)];
      assert.deepEqual(await live(ground, browsers), [true, true]);
      browsers.push(await signIn(ground));
      assert.deepEqual(await live(ground, browsers), [false, true, true]);
    }
  });

  test('signing in again in the same browser takes no other one away', async (t) => {
    const ground = await lay(t);
    const browsers = [await signIn(ground), await signIn(ground)];
    const again = browsers[1];
    assert(again);
    for (let round = 0; round < 3; round += 1) {
      cookiesFor(again, appHost).clear();
      assertArrived(await visit(again, `${app}.sallyport/sign-in?account=other&return=/`), app);
    }
    assert.deepEqual(await live(ground, browsers), [true, true]);
  });

  test("nobody else's count, not even of the same address", async (t) => {
    const ground = await lay(t);
    const { behaviour } = ground.provider;
    const browsers = [await signIn(ground), await signIn(ground)];
    behaviour.claims = { sub: 'another', email: 'ana@example.com' };
    browsers.push(await signIn(ground), await signIn(ground));
    assert.deepEqual(await live(ground, browsers), [true, true, true, true]);
  });

  test('what an older key of the ring indexed counts, and a key put first in between changes nothing', async (t) => {
    const ground = await lay(t);
    const { house, provider } = ground;
    const browsers = [await signIn(ground), await signIn(ground)];
    house.authority.update({
      class: house.settings,
      providers: [provider.settings],
      keyRing: [createKeyRing()[0], house.ring[0]],
    });
    browsers.push(await signIn(ground));
    assert.deepEqual(await live(ground, browsers), [false, true, true]);
  });

  test('of ten who sign in at once the last two remain at least, and never nobody', async (t) => {
    const ground = await lay(t);
    const { house, provider } = ground;
    const browsers = Array.from({ length: 10 }, () => createBrowser(house, provider.authorize));
    await Promise.all(browsers.map((browser) => visit(browser, app)));
    const signedIn = browsers.filter((browser) => cookiesFor(browser, appHost).has('__Host-sallyport'));
    assert((await live(ground, signedIn)).filter(Boolean).length >= 2);
    house.clock.offsetMs += 1_000;
    const last = await signIn(ground);
    assert.deepEqual((await live(ground, [...signedIn, last])).filter(Boolean).length, 2);
    assert.deepEqual(await live(ground, [last]), [true]);
  });

  test('nobody signs in where the others cannot be counted', async (t) => {
    const ground = await lay(t);
    const { house, victim } = ground;
    Object.assign(house.watched.store, { find: () => Promise.reject(new StoreError('unavailable', 'away')) });
    const end = await visit(victim, app);
    assert(end.kind === 'Page' && end.page.kind === 'StoreUnavailable', JSON.stringify(end));
  });
});

test('without a limit a person has as many sessions as they like', async (t) => {
  const ground = await layGround(t);
  const browsers = [await signIn(ground), await signIn(ground), await signIn(ground)];
  assert.deepEqual(await live(ground, browsers), [true, true, true]);
});

describe('signing in as another person in the same browser', () => {
  const asEve = { sub: 'eve', email: 'eve@example.org' };

  test("ends the first one's session, on every host", async (t) => {
    const { house, provider, victim } = await layGround(t);
    assertArrived(await visit(victim, app), app);
    assertArrived(await visit(victim, `https://${otherHost}/`), `https://${otherHost}/`);
    const before = [appHost, otherHost, authHost].map((host) => [host, sessionValue(victim, host)] as const);
    provider.behaviour.claims = asEve;
    const arrived = assertArrived(await visit(victim, `${app}.sallyport/sign-in?account=other&return=/`), app);
    assert.equal(arrived.session.identity.user, 'eve');
    for (const [host, value] of before) {
      assert.equal(await house.authority.open(host, asCookie(value)), undefined, host);
    }
    const elsewhere = assertArrived(await visit(victim, `https://${otherHost}/`), `https://${otherHost}/`);
    assert.equal(elsewhere.session.identity.user, 'eve');
    assert.equal(elsewhere.session.id, arrived.session.id);
  });

  test('ends it also where the authentication host has lost its cookie', async (t) => {
    const { house, provider, victim } = await layGround(t);
    assertArrived(await visit(victim, app), app);
    const ofAna = sessionValue(victim, appHost);
    cookiesFor(victim, authHost).clear();
    provider.behaviour.claims = asEve;
    const arrived = assertArrived(await visit(victim, `${app}.sallyport/sign-in?account=other&return=/`), app);
    assert.equal(arrived.session.identity.user, 'eve');
    assert.equal(await house.authority.open(appHost, asCookie(ofAna)), undefined);
  });
});
