// Mix-up: a hostile provider has an honest one's answer brought to it, or its own believed as the honest one's (CVE-2025-46647; RFC 9207).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeProvider } from '../../auth/fake-provider.ts';
import {
  appHost,
  assertFailed,
  bothWays,
  createBrowser,
  createHouse,
  providerCallbackUrl,
  visit,
  visitUntil,
} from './rig.ts';

test("a sign-in begun at one provider takes no other one's answer", async (t) => {
  for (const withAuthenticationHost of bothWays) {
    const [honest, hostile] = await Promise.all([startFakeProvider('honest'), startFakeProvider('hostile')]);
    const house = createHouse({ providers: [honest.settings, hostile.settings], withAuthenticationHost });
    t.after(async () => {
      await house.close();
      await Promise.all([honest.stop(), hostile.stop()]);
    });
    // The person wants the hostile one; that one sends them on to the honest one, under the state it was given.
    const victim = createBrowser(house, async (url) => {
      const onwards = new URL(url);
      onwards.host = new URL(honest.issuer).host;
      onwards.searchParams.set('client_id', 'honest');
      return honest.authorize(onwards);
    });
    const start = `https://${appHost}/.sallyport/sign-in`;
    const began = await visit(victim, start, { providers: ['hostile'] });
    assertFailed(began, 'Invalid');
    assert.equal(hostile.calls.get('/token'), undefined, "the honest provider's code is told to nobody");
    assert.deepEqual(house.watched.writes, []);

    // And without any `iss`, although both say that they send it.
    const callback = await visitUntil(victim, start, providerCallbackUrl);
    callback.searchParams.delete('iss');
    assertFailed(await visit(victim, callback), 'Invalid');
    assert.deepEqual(house.watched.writes, []);
  }
});
