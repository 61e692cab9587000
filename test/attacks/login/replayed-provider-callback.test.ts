// Replays the provider's callback after it has been used, with all the cookies of the time (CVE-2026-49871: a state that was good twice).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  appHost,
  assertArrived,
  assertFailed,
  assertNoSession,
  bothWays,
  copyOf,
  layGround,
  providerCallbackUrl,
  visit,
  visitUntil,
} from './rig.ts';

test("the provider's callback works once: in the same browser, and for a thief of its cookies", async (t) => {
  for (const withAuthenticationHost of bothWays) {
    const { house, victim, provider } = await layGround(t, { withAuthenticationHost });
    const callback = await visitUntil(victim, `https://${appHost}/`, providerCallbackUrl);
    const thief = copyOf(victim);
    assertArrived(await visit(victim, callback), `https://${appHost}/`);
    const { length } = house.watched.writes;

    // The same browser: its flow cookie went when the callback was used.
    assertFailed(await visit(victim, callback), 'Expired');
    assert.equal(provider.calls.get('/token'), 1, 'nothing was asked of the provider');

    // A browser that kept the flow cookie: the provider takes no code twice.
    assertFailed(await visit(thief, callback), 'Invalid');
    await assertNoSession(thief, appHost);
    assert.equal(house.watched.writes.length, length, 'nothing was stored');
  }
});
