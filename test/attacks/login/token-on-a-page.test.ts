// Reads the provider's tokens off a page, a redirect or an error of ours (CVE-2024-39315, CVE-2021-29651).
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test } from 'node:test';
import { appHost, bothWays, layGround, providerCallbackUrl, visit, visitUntil } from './rig.ts';

test('no answer holds a token, in whole or in part, when all goes well and when it does not', async (t) => {
  for (const withAuthenticationHost of bothWays) {
    const { house, victim, attacker, provider } = await layGround(t, { withAuthenticationHost });
    const end = await visit(victim, `https://${appHost}/`);
    assert(end.kind === 'Application');
    for (const path of ['', 'user', 'sign-in', 'sign-out', 'signed-out', 'callback', 'routes', 'nothing']) {
      await visit(victim, `https://${appHost}/.sallyport/${path}`);
    }
    // The id token is bad: the others came all the same.
    provider.behaviour.claims = { nonce: 'another' };
    await visit(attacker, `https://${appHost}/`);
    // The provider says more than it should, in its error and in the callback.
    provider.behaviour.claims = {};
    const callback = await visitUntil(attacker, `https://${appHost}/`, providerCallbackUrl);
    callback.searchParams.set('error_description', provider.tokens[0] ?? '');
    callback.searchParams.set('error', 'access_denied');
    await visit(attacker, callback);
    const signOut = { method: 'POST', fetchSite: 'same-origin', body: '' } as const;
    await visit(victim, `https://${appHost}/.sallyport/sign-out`, signOut);

    assert(provider.tokens.length >= 6);
    // The one exception: the hint by which the provider that made it knows whom to sign out (RP-Initiated Logout, section 2).
    const said = inspect([house.answers, end], { depth: 20, maxStringLength: null }).replaceAll(
      /id_token_hint=[^&']+/g,
      '',
    );
    for (const token of provider.tokens) {
      for (const part of [token, ...token.split('.').filter((one) => one.length > 60), token.slice(-24)]) {
        assert.equal(said.includes(part), false, part);
      }
    }
  }
});
