// CVE-2026-49443, CVE-2026-54730: an empty POST counted as the answer to a question, and the next step began without proof.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  appHost,
  assertNoSession,
  authHost,
  bothWays,
  layGround,
  providerCallbackUrl,
  visitOnce,
  visitUntil,
} from './rig.ts';

const paths = [
  '/.sallyport/callback',
  '/.sallyport/sign-in',
  '/.sallyport/',
  '/.sallyport/user',
  '/oauth2/callback',
  '/',
];

for (const withAuthenticationHost of bothWays) {
  test(`no step is taken by a POST, ${withAuthenticationHost ? 'with' : 'without'} an authentication host`, async (t) => {
    const { house, attacker } = await layGround(t, { withAuthenticationHost });
    const callback = await visitUntil(attacker, `https://${appHost}/x`, providerCallbackUrl);
    for (const host of withAuthenticationHost ? [appHost, authHost] : [appHost]) {
      for (const path of paths) {
        const isOurs = path.startsWith('/.sallyport/') || host === authHost;
        if (!isOurs) continue;
        for (const query of ['', callback.search]) {
          const more = { method: 'POST', body: '', origin: `https://${host}`, fetchSite: 'same-origin' };
          const end = await visitOnce(attacker, new URL(`https://${host}${path}${query}`), more);
          assert(end.kind === 'Page' && end.page.kind === 'MethodNotAllowed', `${host}${path} ${JSON.stringify(end)}`);
        }
      }
      await assertNoSession(attacker, host);
    }
    assert.deepEqual(house.watched.writes, []);
  });
}
