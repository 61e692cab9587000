// A callback whose state is missing, doubled, cut, of another tab, or oversized (CVE-2023-27496, CVE-2021-29652).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appHost, assertFailed, bothWays, copyOf, layGround, providerCallbackUrl, visit, visitUntil } from './rig.ts';

test('no state but the right one, given once, is taken, and the provider is not asked', async (t) => {
  for (const withAuthenticationHost of bothWays) {
    const { house, victim, provider } = await layGround(t, { withAuthenticationHost });
    const callback = await visitUntil(victim, `https://${appHost}/`, providerCallbackUrl);
    const other = await visitUntil(victim, `https://${appHost}/other`, providerCallbackUrl);
    const state = callback.searchParams.get('state') ?? '';
    const otherState = other.searchParams.get('state') ?? '';
    const [flow = '', random = ''] = state.split('.');
    const [otherFlow = '', otherRandom = ''] = otherState.split('.');
    const states: readonly (readonly string[])[] = [
      [],
      [''],
      [state, state],
      [state, ''],
      ['', state],
      [state, otherState],
      [flow],
      [`${flow}.`],
      [`${flow}.${otherRandom}`],
      [`${otherFlow}.${random}`],
      [`${flow}.${random.slice(1)}`],
      [`${flow}.${random}x`],
      [`${state}\0`],
      ['__proto__'],
      ['../../..'],
      ['x'.repeat(100_000)],
    ];
    for (const given of states) {
      const tampered = new URL(callback);
      tampered.searchParams.delete('state');
      for (const one of given) tampered.searchParams.append('state', one);
      assertFailed(await visit(copyOf(victim), tampered));
    }
    for (const query of ['', '?', '?code=x', '?%', '?state=%ff%fe&code=%00', '?error=access_denied']) {
      assertFailed(await visit(copyOf(victim), `https://${callback.host}${callback.pathname}${query}`));
    }
    assert.deepEqual(house.watched.writes, []);
    assert.equal(provider.calls.get('/token'), undefined);
  }
});
