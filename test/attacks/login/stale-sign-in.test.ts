// Finishes a sign-in eleven minutes after it began, when nobody remembers beginning it (CVE-2026-47341: no end to what is signed).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  appHost,
  assertFailed,
  authHost,
  bothWays,
  createBrowser,
  layGround,
  providerCallbackUrl,
  visit,
  visitUntil,
} from './rig.ts';

test('a sign-in that is too old ends on a page, and stores nothing', async (t) => {
  for (const withAuthenticationHost of bothWays) {
    const { house, victim, provider } = await layGround(t, { withAuthenticationHost });
    const callback = await visitUntil(victim, `https://${appHost}/`, providerCallbackUrl);
    house.clock.offsetMs += 11 * 60_000;
    // A browser whose clock stands still keeps the cookie: its Max-Age is not what protects.
    for (const cookies of victim.jar.values()) {
      for (const [name, cookie] of cookies) cookies.set(name, { ...cookie, expiresAt: Number.POSITIVE_INFINITY });
    }
    assertFailed(await visit(victim, callback));
    assert.deepEqual(house.watched.writes, []);
    assert.equal(provider.calls.get('/token'), undefined);
  }
});

test('a sealed request for a sign-in that is too old ends on a page, even for somebody who is signed in', async (t) => {
  const { house, victim, provider } = await layGround(t);
  const requested = await visitUntil(victim, `https://${appHost}/`, /sign-in\?request=/);
  house.clock.offsetMs += 11 * 60_000;
  assertFailed(await visit(victim, requested));
  const signedIn = createBrowser(house, provider.authorize);
  await visit(signedIn, `https://${authHost}/.sallyport/`);
  const { length } = house.watched.writes;
  assertFailed(await visit(signedIn, requested));
  assert.equal(house.watched.writes.length, length);
});
