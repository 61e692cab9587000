// Login CSRF: the attacker signs in as themselves, and has the victim's browser finish it (CVE-2026-49871).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  appHost,
  assertArrived,
  assertFailed,
  assertNoSession,
  authHost,
  bothWays,
  layGround,
  providerCallbackUrl,
  visit,
  visitUntil,
} from './rig.ts';

test("the attacker's callback does nothing in the victim's browser, fresh or in the middle of a sign-in", async (t) => {
  for (const withAuthenticationHost of bothWays) {
    const { house, victim, attacker, provider } = await layGround(t, { withAuthenticationHost });
    const theirs = await visitUntil(attacker, `https://${appHost}/`, providerCallbackUrl);
    assertFailed(await visit(victim, theirs));

    const own = await visitUntil(victim, `https://${appHost}/own`, providerCallbackUrl);
    assertFailed(await visit(victim, theirs));
    assert.deepEqual(house.watched.writes, []);
    assert.equal(provider.calls.get('/token'), undefined, 'the code was not even tried');
    for (const host of [appHost, authHost]) await assertNoSession(victim, host);

    // And the victim's own sign-in goes on.
    assertArrived(await visit(victim, own), `https://${appHost}/own`);
  }
});

test("nor does the attacker's code under the victim's own state", async (t) => {
  for (const withAuthenticationHost of bothWays) {
    const { house, victim, attacker } = await layGround(t, { withAuthenticationHost });
    const theirs = await visitUntil(attacker, `https://${appHost}/`, providerCallbackUrl);
    const own = await visitUntil(victim, `https://${appHost}/`, providerCallbackUrl);
    own.searchParams.set('code', theirs.searchParams.get('code') ?? '');
    // PKCE: the provider ties the code to a verifier that only the attacker's flow has.
    assertFailed(await visit(victim, own), 'Invalid');
    assert.deepEqual(house.watched.writes, []);
  }
});
