// Opens a hundred sign-ins in the victim's browser, from another site, until cookies are lost or headers refused (CVE-2026-47774: cookies past a limit).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  appHost,
  assertArrived,
  authHost,
  bothWays,
  cookiesFor,
  flowNames,
  layGround,
  providerCallbackUrl,
  visit,
  visitUntil,
} from './rig.ts';

test('sign-ins under way stay few and small, cost no write, and the last one works', async (t) => {
  for (const withAuthenticationHost of bothWays) {
    const { house, victim } = await layGround(t, { withAuthenticationHost });
    const long = `https://${appHost}/?q=${'x'.repeat(1_900)}`;
    let last = new URL(long);
    for (let count = 0; count < 100; count += 1) {
      house.clock.offsetMs += 1;
      last = await visitUntil(victim, long, providerCallbackUrl);
    }
    assert.deepEqual(house.watched.writes, []);
    for (const host of [appHost, authHost]) {
      assert(flowNames(victim, host).length <= 6);
      const bytes = [...cookiesFor(victim, host)].reduce(
        (sum, [name, { value }]) => sum + name.length + value.length,
        0,
      );
      assert(bytes < 24_000, `${bytes} bytes of cookies on ${host}`);
    }
    assertArrived(await visit(victim, last), long);
  }
});

test('flow cookies that are not ours, or too old, are cleared away', async (t) => {
  const { house, victim } = await layGround(t);
  const held = { value: 'x', sameSite: 'Lax', expiresAt: Number.POSITIVE_INFINITY };
  await visitUntil(victim, `https://${appHost}/old`, providerCallbackUrl);
  for (const [name, cookie] of cookiesFor(victim, appHost))
    cookiesFor(victim, appHost).set(name, { ...cookie, expiresAt: held.expiresAt });
  house.clock.offsetMs += 11 * 60_000;
  for (const id of ['aaaaaaaa', 'bbbbbbbb']) cookiesFor(victim, appHost).set(`__Host-sallyport-flow-${id}`, held);
  await visitUntil(victim, `https://${appHost}/new`, /request=/);
  assert.equal(flowNames(victim, appHost).length, 1);
});
