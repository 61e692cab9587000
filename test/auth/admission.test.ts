// A store that takes no new session: one newcomer finds out at the end of a sign-in, and the others are told before they begin.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoreError } from '../../src/sessions/store.ts';
import { startFakeProvider } from './fake-provider.ts';
import { appHost, assertArrived, createBrowser, createHouse, visit } from './rig.ts';

const url = `https://${appHost}/start`;

for (const code of ['full', 'unavailable'] as const) {
  test(`whose writes fail as ${code}`, async (t) => {
    const provider = await startFakeProvider();
    const house = createHouse({ providers: [provider.settings] });
    t.after(async () => {
      await house.close();
      await provider.stop();
    });
    const { create } = house.watched.store;
    const newcomer = async () => {
      const browser = createBrowser(house, provider.authorize);
      const end = await visit(browser, url);
      return { end, wentToProvider: browser.trail.some((visited) => visited.startsWith(provider.issuer)) };
    };
    Object.assign(house.watched.store, { create: () => Promise.reject(new StoreError(code, 'no more')) });

    const first = await newcomer();
    assert(first.end.kind === 'Page' && first.end.page.kind === 'StoreUnavailable');
    assert.equal(first.wentToProvider, true);
    for (const { end, wentToProvider } of await Promise.all([newcomer(), newcomer()])) {
      assert(end.kind === 'Page' && end.page.kind === 'StoreUnavailable');
      assert.equal(end.page.retryAfterSeconds, 5);
      assert.equal(wentToProvider, false);
    }

    house.clock.offsetMs += 5_000;
    assert.equal((await newcomer()).wentToProvider, true, 'one tries again');
    Object.assign(house.watched.store, { create });
    house.clock.offsetMs += 5_000;
    for (const { end } of [await newcomer(), await newcomer()]) assertArrived(end, url);
  });
}
