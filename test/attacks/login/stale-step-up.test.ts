// Satisfying a step-up with an old sign-in: a provider that ignores max_age, or says nothing of when, must not do.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
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

const withinSeconds = 60;
const url = `https://${appHost}/secret`;

/** Asks as the data path does when nothing but the age of the sign-in is in the way; ends where the browser does. */
async function stepUp(browser: Browser) {
  const { authority } = browser.house;
  const answer = await authority.signIn({ ...ownRequest(browser, new URL(url)), stepUp: { withinSeconds } });
  assert(answer.kind === 'Redirect');
  keepCookies(browser, appHost, answer.cookies);
  return visit(browser, answer.location);
}

const secondsAgo = (seconds: number): number => Math.floor(Date.now() / 1000) - seconds;

for (const withAuthenticationHost of bothWays) {
  describe(`a step-up, ${withAuthenticationHost ? 'by the authentication host' : 'on the host itself'}`, () => {
    for (const [what, claims] of [
      ['of an old sign-in', { auth_time: secondsAgo(3600) }],
      ['that does not say when', {}],
    ] as const) {
      test(`is refused an answer ${what}, and the old session stays what it was`, async (t) => {
        const { victim, provider } = await layGround(t, { withAuthenticationHost });
        provider.behaviour.claims = { auth_time: secondsAgo(3600) };
        assertArrived(await visit(victim, url), url);
        const before = sessionValue(victim, appHost);
        provider.behaviour.claims = claims;
        assertFailed(await stepUp(victim), 'Invalid');
        assert.equal(sessionValue(victim, appHost), before);
      });
    }

    test('takes one that is recent', async (t) => {
      const { victim, provider } = await layGround(t, { withAuthenticationHost });
      provider.behaviour.claims = { auth_time: secondsAgo(3600) };
      assertArrived(await visit(victim, url), url);
      const before = sessionValue(victim, appHost);
      provider.behaviour.claims = { auth_time: secondsAgo(1) };
      const { session } = assertArrived(await stepUp(victim), url);
      assert(Date.now() - session.authenticatedAt < withinSeconds * 1000);
      assert.notEqual(sessionValue(victim, appHost), before);
    });
  });
}
