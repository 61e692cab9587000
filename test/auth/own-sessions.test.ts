// A person's own sessions on their own page: which there are, and ending one, another, and all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OwnRequest } from '../../src/auth/authority.ts';
import type { OwnSession } from '../../src/model/page.ts';
import { StoreError } from '../../src/sessions/store.ts';
import { appHost, assertArrived, assertNoSession, layGround, otherHost, visit } from '../attacks/login/rig.ts';
import type { Browser } from '../attacks/login/rig.ts';

const own = `https://${appHost}`;
const url = `${own}/.sallyport/sessions`;
const post = (body: string): Partial<OwnRequest> => ({ method: 'POST', fetchSite: 'same-origin', body });

async function shown(browser: Browser): Promise<readonly OwnSession[]> {
  const end = await visit(browser, `${own}/.sallyport/`);
  assert(end.kind === 'Page' && end.page.kind === 'WhoAmI', JSON.stringify(end));
  assert.equal(end.page.endSessions, '/.sallyport/sessions');
  return end.page.sessions ?? [];
}

const device =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15';

test('the page lists the sessions of the account, this one first, with what one knows them by', async (t) => {
  const { house, victim: laptop, attacker: phone } = await layGround(t, { withAuthenticationHost: false });
  await visit(phone, `${own}/`);
  house.clock.offsetMs += 120_000;
  const { url: callback } = await visit(laptop, `${own}/`, {});
  assert.equal(callback, `${own}/`);
  const sessions = await shown(laptop);
  assert.deepEqual(
    sessions.map(({ isThis, device: words }) => [isThis, words]),
    [
      [true, 'unknown device'],
      [false, 'unknown device'],
    ],
  );
  assert.ok((sessions[0]?.since ?? 0) - (sessions[1]?.since ?? 0) >= 120_000);
});

test('with the device and the address that came with the sign-in', async (t) => {
  const { house, victim } = await layGround(t, { withAuthenticationHost: false });
  const { authority } = house;
  const respond = authority.respond.bind(authority);
  // The browser of these tests sends no such header.
  Object.assign(authority, {
    respond: (request: OwnRequest) => respond({ ...request, device, address: '192.0.2.7' }),
  });
  await visit(victim, `${own}/`);
  const [session] = await shown(victim);
  assert.deepEqual([session?.device, session?.address], ['Safari on macOS', '192.0.2.7']);
});

test('another one is ended by its button, and this one goes on', async (t) => {
  const { victim: laptop, attacker: phone } = await layGround(t);
  await visit(phone, `${own}/`);
  await visit(laptop, `${own}/`);
  const other = (await shown(laptop)).find(({ isThis }) => !isThis);
  const end = await visit(laptop, url, post(`id=${other?.id ?? ''}`));
  assert(end.kind === 'Page' && end.page.kind === 'WhoAmI', 'back on the page');
  assert.deepEqual(
    (await shown(laptop)).map(({ isThis }) => isThis),
    [true],
  );
  await assertNoSession(phone, appHost);
});

test('this one is ended as by signing out, at the provider too', async (t) => {
  const { victim, house } = await layGround(t);
  await visit(victim, `${own}/`);
  const [session] = await shown(victim);
  await visit(victim, url, post(`id=${session?.id ?? ''}`)).catch(() => undefined);
  assert(house.answers.some((answer) => answer.kind === 'Redirect' && answer.location.includes('signed-out')));
  await assertNoSession(victim, appHost);
});

test('everywhere means everywhere, on every host and in every browser', async (t) => {
  const { victim: laptop, attacker: phone } = await layGround(t);
  await visit(phone, `${own}/`);
  await visit(laptop, `${own}/`);
  assertArrived(await visit(laptop, `https://${otherHost}/`), `https://${otherHost}/`);
  await visit(laptop, url, post('all=yes')).catch(() => undefined);
  await assertNoSession(laptop, appHost);
  await assertNoSession(laptop, otherHost);
  await assertNoSession(phone, appHost);
});

test('a form that says nothing ends nothing, and so does an id that is not there', async (t) => {
  const { victim, house } = await layGround(t);
  await visit(victim, `${own}/`);
  for (const body of ['', 'all=no', 'id=', 'id=AAAAAAAAAAAAAAAAAAAAAA', `id=${'x'.repeat(5_000)}`]) {
    const end = await visit(victim, url, post(body));
    assert(end.kind === 'Page' && end.page.kind === 'WhoAmI', body);
  }
  assert.equal(house.watched.writes.includes('remove session'), false);
});

test('a GET is told that this takes posts alone', async (t) => {
  const { victim } = await layGround(t);
  await visit(victim, `${own}/`);
  const end = await visit(victim, url);
  assert(end.kind === 'Page' && end.page.kind === 'MethodNotAllowed');
});

test('where the store cannot tell, the page says who it is without a list, and a sign-out is not claimed', async (t) => {
  const { victim, house } = await layGround(t);
  await visit(victim, `${own}/`);
  const { store } = house.watched;
  const find = store.find.bind(store);
  Object.assign(store, { find: () => Promise.reject(new StoreError('unavailable', 'away')) });
  assert.deepEqual(await shownOrNone(victim), undefined);
  const end = await visit(victim, url, post('all=yes'));
  assert(end.kind === 'Page' && end.page.kind === 'StoreUnavailable');
  Object.assign(store, { find });
  assertArrived(await visit(victim, `${own}/x`), `${own}/x`);
});

async function shownOrNone(browser: Browser): Promise<readonly OwnSession[] | undefined> {
  const end = await visit(browser, `${own}/.sallyport/`);
  assert(end.kind === 'Page' && end.page.kind === 'WhoAmI', JSON.stringify(end));
  return end.page.sessions;
}
