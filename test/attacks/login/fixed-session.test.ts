// Session fixation: plants a session in the victim's browser before they sign in, and shares theirs afterwards (CVE-2021-41230: what was there before went on).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  asCookie,
  appHost,
  assertArrived,
  authHost,
  bothWays,
  cookiesFor,
  layGround,
  providerCallbackUrl,
  sessionValue,
  visit,
  visitUntil,
} from './rig.ts';

test('a sign-in makes a new session, whatever cookie was there, and the planted one ends', async (t) => {
  for (const withAuthenticationHost of bothWays) {
    const { house, victim, attacker, provider } = await layGround(t, { withAuthenticationHost });
    provider.behaviour.claims = { sub: 'eve', email: 'eve@example.org' };
    const planted = assertArrived(await visit(attacker, `https://${appHost}/`), `https://${appHost}/`);
    const where = withAuthenticationHost ? authHost : appHost;
    const callback = await visitUntil(victim, `https://${appHost}/`, providerCallbackUrl);
    for (const [name, cookie] of cookiesFor(attacker, where)) cookiesFor(victim, where).set(name, cookie);

    provider.behaviour.claims = {};
    const own = assertArrived(await visit(victim, callback), `https://${appHost}/`);
    assert.equal(own.session.identity.user, 'ana');
    assert.notEqual(own.session.id, planted.session.id);
    assert.notEqual(sessionValue(victim, where), sessionValue(attacker, where));
    assert.equal(await house.authority.open(appHost, asCookie(sessionValue(attacker, appHost))), undefined);
  }
});
