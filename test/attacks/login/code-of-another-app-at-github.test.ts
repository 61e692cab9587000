// GitHub gives no id token, so that a code alone says who signs in: one that was given to another app, or begun elsewhere, must be nobody's.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startFakeGitHub } from '../../auth/fake-github.ts';
import type { FakeGitHub } from '../../auth/fake-github.ts';
import {
  appHost,
  assertArrived,
  assertFailed,
  assertNoSession,
  createBrowser,
  createHouse,
  providerCallbackUrl,
  visit,
  visitUntil,
} from '../../auth/rig.ts';
import type { Browser, House } from '../../auth/rig.ts';

const url = `https://${appHost}/d/1`;
let github: FakeGitHub;
let house: House;

before(async () => {
  github = await startFakeGitHub();
  house = createHouse({ providers: [github.settings] });
});
after(() => house.close());

const newBrowser = (): Browser => createBrowser(house, (at) => github.authorize(at));

/** The callback that a browser is on its way to, with another code in it. */
async function callbackWith(browser: Browser, code: string): Promise<URL> {
  const callback = await visitUntil(browser, url, providerCallbackUrl);
  callback.searchParams.set('code', code);
  return callback;
}

test('a code that GitHub gave to another app', async () => {
  const code = (await visitUntil(newBrowser(), url, providerCallbackUrl)).searchParams.get('code') ?? '';
  github.foreignCodes.add(code);
  const thief = newBrowser();
  assertFailed(await visit(thief, await callbackWith(thief, code)), 'Invalid');
  await assertNoSession(thief, appHost);
});

test("somebody else's code, injected into one's own callback: PKCE ties it to the browser that asked", async () => {
  const victim = newBrowser();
  const code = (await visitUntil(victim, url, providerCallbackUrl)).searchParams.get('code') ?? '';
  const thief = newBrowser();
  github.account = { ...github.ana, id: 666, login: 'eve' };
  assertFailed(await visit(thief, await callbackWith(thief, code)), 'Invalid');
  await assertNoSession(thief, appHost);
  github.account = github.ana;
});

test("one's own code, laid under somebody else's browser: the state is of another", async () => {
  github.account = { ...github.ana, id: 666, login: 'eve' };
  const forged = await visitUntil(newBrowser(), url, providerCallbackUrl);
  github.account = github.ana;
  const victim = newBrowser();
  await visitUntil(victim, url, providerCallbackUrl);
  assertFailed(await visit(victim, forged));
  await assertNoSession(victim, appHost);
  assert.equal(assertArrived(await visit(victim, url), url).session.identity.user, '583231');
});
