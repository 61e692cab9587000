// Satisfying a step-up with a weaker sign-in: a provider that ignores acr_values, or that vouches for less, must not do; nor may anybody be sent round in a circle.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StepUp } from '../../../src/model/step-up.ts';
import {
  appHost,
  assertArrived,
  assertFailed,
  bothWays,
  keepCookies,
  layGround,
  ownRequest,
  sessionValue,
  visit,
} from './rig.ts';
import type { Browser } from './rig.ts';

const url = `https://${appHost}/secret`;

/** Asks as the data path does when nothing but the strength of the sign-in is in the way; ends where the browser does. */
async function stepUpTo(browser: Browser, stepUp: StepUp) {
  const { authority } = browser.house;
  const answer = await authority.signIn({ ...ownRequest(browser, new URL(url)), stepUp });
  assert(answer.kind === 'Redirect');
  keepCookies(browser, appHost, answer.cookies);
  return visit(browser, answer.location);
}

const gold: StepUp = { acrValues: ['gold', 'platinum'] };
const mfa: StepUp = { methods: ['mfa'] };
const acrForMethods = { mfa: 'urn:okta:loa:2fa:any' };

for (const withAuthenticationHost of bothWays) {
  describe(`a step-up, ${withAuthenticationHost ? 'by the authentication host' : 'on the host itself'}`, () => {
    const weak: readonly [what: string, wanted: StepUp, claims: Record<string, unknown>][] = [
      ['to a class, by another', gold, { acr: 'silver' }],
      ['to a class, by none', gold, {}],
      ['to a class, by a list that holds it', gold, { acr: ['gold'] }],
      ['to a method, by another', mfa, { amr: ['pwd'] }],
      ['to a method, by the class that stands for it', mfa, { acr: 'urn:okta:loa:2fa:any', amr: ['pwd'] }],
      ['to two methods, by one', { methods: ['mfa', 'hwk'] }, { amr: ['mfa'] }],
    ];
    for (const [what, wanted, claims] of weak) {
      test(`is not met: ${what}; and the old session stays what it was`, async (t) => {
        const { victim, provider, house } = await layGround(t, { withAuthenticationHost });
        assertArrived(await visit(victim, url), url);
        const before = sessionValue(victim, appHost);
        provider.behaviour.claims = claims;
        const { length } = victim.trail;
        const again = assertFailed(await stepUpTo(victim, wanted), 'TooWeak');
        assert.equal(sessionValue(victim, appHost), before);
        const asked = victim.trail.slice(length).filter((seen) => seen.startsWith(provider.issuer));
        assert.equal(asked.length, 1, 'the provider is asked once');
        assert.equal(new URL(again).searchParams.get('account'), 'other');
        assert.equal(house.watched.writes.filter((write) => write === 'create session').length, 1);
      });
    }

    test('takes what is strong enough, and asks the provider for it', async (t) => {
      const { victim, provider } = await layGround(t, { withAuthenticationHost });
      assertArrived(await visit(victim, url), url);
      provider.behaviour.claims = { acr: 'platinum' };
      const before = sessionValue(victim, appHost);
      assertArrived(await stepUpTo(victim, gold), url);
      assert.notEqual(sessionValue(victim, appHost), before);
      const asked = new URL(victim.trail.findLast((seen) => seen.startsWith(provider.issuer)) ?? '').searchParams;
      assert.deepEqual(
        [asked.get('acr_values'), asked.get('prompt'), asked.get('max_age')],
        ['gold platinum', null, null],
      );
    });

    test(
      'whoever is strong enough on the authentication host already is not asked',
      { skip: !withAuthenticationHost },
      async (t) => {
        const { victim, provider } = await layGround(t, { withAuthenticationHost });
        provider.behaviour.claims = { acr: 'gold' };
        assertArrived(await visit(victim, url), url);
        const { length } = victim.trail;
        assertArrived(await stepUpTo(victim, gold), url);
        assert(!victim.trail.slice(length).some((seen) => seen.startsWith(provider.issuer)));
      },
    );
  });
}

test('a method is asked for by the class that the provider has for it, else by a new sign-in', async (t) => {
  const named = await layGround(t);
  const [before] = named.house.settings.providers;
  assert(before !== undefined);
  const settings = { ...named.provider.settings, acrForMethods };
  named.house.authority.update({ class: named.house.settings, providers: [settings], keyRing: named.house.ring });
  const plain = await layGround(t);
  for (const [{ victim, provider }, acr, prompt] of [
    [named, 'urn:okta:loa:2fa:any', null],
    [plain, null, 'login'],
  ] as const) {
    provider.behaviour.claims = { amr: ['pwd', 'mfa'] };
    assertArrived(await stepUpTo(victim, mfa), url);
    const asked = new URL(victim.trail.findLast((seen) => seen.startsWith(provider.issuer)) ?? '').searchParams;
    assert.deepEqual([asked.get('acr_values'), asked.get('prompt')], [acr, prompt]);
  }
});
