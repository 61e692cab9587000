// A provider says more of somebody than a cookie holds: browsers drop what is over 4,096 bytes without a word, and the sign-in goes round for ever.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appHost, assertArrived, authHost, bothWays, cookiesFor, fullSession, layGround, visit } from '../login/rig.ts';

test('500 groups and tokens of 20 KB: the cookie has at most 200 bytes, and the session all of them', async (t) => {
  for (const withAuthenticationHost of bothWays) {
    const { house, provider, victim } = await layGround(t, { withAuthenticationHost });
    const groups = Array.from({ length: 500 }, (_, at) => `a-group-with-a-long-name-number-${at}`);
    provider.behaviour.claims = { groups };
    const url = `https://${appHost}/${'p'.repeat(1_500)}?${'q'.repeat(400)}`;
    const arrived = assertArrived(await visit(victim, url), url);
    assert.deepEqual(arrived.session.identity.groups, groups);
    const host = withAuthenticationHost ? authHost : appHost;
    assert((await fullSession(victim, host)).tokens.idToken.length > 20_000);
    // The rig's browser has read each line by its attributes, as browsers do.
    for (const one of [appHost, ...(withAuthenticationHost ? [authHost] : [])]) {
      const cookies = [...cookiesFor(victim, one)];
      assert.equal(cookies.length, 1);
      for (const [name, { value, sameSite }] of cookies) {
        assert(`${name}=${value}`.length <= 200, `${name}=${value}`.length.toString());
        assert.equal(sameSite, 'Lax');
      }
    }
    const lines = house.answers.flatMap(({ cookies }) => cookies);
    for (const line of lines) assert(line.length < 4_096, `${line.length}`);
  }
});
