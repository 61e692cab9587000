// Back-channel logout: which sessions a provider's word ends, what it is told, and what happens to a word twice said.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OwnRequest } from '../../src/auth/authority.ts';
import { createKeyRing } from '../../src/auth/keys.ts';
import { StoreError } from '../../src/sessions/store.ts';
import { appHost } from './rig.ts';
import { people, sign, signIn, statusOf, tell } from './logout-rig.ts';

describe('a logout token ends', () => {
  test('the session that its sid names', async (t) => {
    const ground = await people(t);
    assert.equal(statusOf(await tell(ground, await sign(ground.provider, { sid: 'one' }))), 200);
    assert.equal(await ground.live(), 'anaElsewhere eve');
  });

  test('every session of its sub', async (t) => {
    const ground = await people(t);
    assert.equal(statusOf(await tell(ground, await sign(ground.provider, { sub: 'ana' }))), 200);
    assert.equal(await ground.live(), 'eve');
  });

  test('with both the session of its sid, if it is that of its sub', async (t) => {
    const ground = await people(t);
    await tell(ground, await sign(ground.provider, { sub: 'eve', sid: 'one' }));
    assert.equal(await ground.live(), 'ana anaElsewhere eve');
    await tell(ground, await sign(ground.provider, { sub: 'ana', sid: 'one' }));
    assert.equal(await ground.live(), 'anaElsewhere eve');
  });

  test('those that an older key of the ring has indexed', async (t) => {
    const ground = await people(t);
    const { house, provider } = ground;
    const keyRing = [createKeyRing()[0], house.ring[0]] as const;
    house.authority.update({ class: house.settings, providers: [provider.settings], keyRing });
    await tell(ground, await sign(provider, { sub: 'ana' }));
    assert.equal(await ground.live(), 'eve');
  });

  test('without an authentication host those of all hosts, wherever it arrives', async (t) => {
    const ground = await people(t, { withAuthenticationHost: false });
    const where = { host: appHost, authority: appHost, path: '/.sallyport/backchannel-logout' };
    const token = await sign(ground.provider, { sub: 'ana' });
    assert.equal(statusOf(await tell(ground, token)), 'MethodNotAllowed');
    assert.equal(statusOf(await tell(ground, token, where)), 200);
    assert.equal(await ground.live(), 'eve');
  });
});

test('the answer is the same where nobody had a session', async (t) => {
  const ground = await people(t);
  const some = await tell(ground, await sign(ground.provider, { sub: 'ana' }));
  const none = await tell(ground, await sign(ground.provider, { sub: 'nobody' }));
  assert.deepEqual(some, none);
  assert.deepEqual(some, { kind: 'Json', status: 200, body: {}, cookies: [] });
});

test('sessions of another client of the same provider are not its business', async (t) => {
  const ground = await people(t);
  const { house, provider } = ground;
  const another = { ...provider.settings, name: 'another', clientId: 'another' };
  house.authority.update({ class: house.settings, providers: [provider.settings, another], keyRing: house.ring });
  assert.equal(statusOf(await tell(ground, await sign(provider, { aud: 'another', sub: 'ana' }))), 200);
  assert.equal(await ground.live(), 'ana anaElsewhere eve');
  assert.equal(statusOf(await tell(ground, await sign(provider, { aud: ['another', 'fake'], sub: 'ana' }))), 200);
  assert.equal(await ground.live(), 'eve');
});

describe('a token that was used', () => {
  test('is refused, on every replica, whichever key of the ring comes first there', async (t) => {
    const ground = await people(t);
    const { house, provider } = ground;
    const token = await sign(provider, { sub: 'eve' });
    assert.equal(statusOf(await tell(ground, token)), 200);
    assert.equal(statusOf(await tell(ground, token)), 400);
    await signIn(ground, { sub: 'eve', sid: 'four' });
    const { length } = house.watched.writes;
    const keyRing = [createKeyRing()[0], house.ring[0]] as const;
    house.authority.update({ class: house.settings, providers: [provider.settings], keyRing });
    assert.equal(statusOf(await tell(ground, token)), 400);
    assert.deepEqual(house.watched.writes.slice(length), []);
  });

  test('by ten at once is taken from one', async (t) => {
    const ground = await people(t);
    const token = await sign(ground.provider, { sub: 'eve' });
    const answers = await Promise.all(Array.from({ length: 10 }, () => tell(ground, token)));
    const taken = answers.filter((answer) => statusOf(answer) === 200);
    assert.equal(taken.length, 1);
  });

  test('while the store was away is taken later', async (t) => {
    const ground = await people(t);
    const { house, provider } = ground;
    const token = await sign(provider, { sub: 'ana' });
    house.watched.failure = new StoreError('unavailable', 'away');
    const answer = await tell(ground, token);
    assert(answer.kind === 'Page' && answer.page.kind === 'StoreUnavailable' && answer.page.retryAfterSeconds > 0);
    delete house.watched.failure;
    assert.equal(statusOf(await tell(ground, token)), 200);
    assert.equal(await ground.live(), 'eve');
  });

  test('is remembered as long as it would pass, and does not say who signed out', async (t) => {
    const ground = await people(t);
    const { house, provider } = ground;
    const token = await sign(provider, { sub: 'eve', jti: 'the-jti', exp: Math.floor(Date.now() / 1000) + 3_600 });
    await tell(ground, token);
    const notices = [...house.watched.records.values()].filter(({ type }) => type === 'notice');
    assert.equal(notices.length, 1);
    assert.match(notices[0]?.id ?? '', /^[A-Za-z0-9_-]{22}$/);
    assert.doesNotMatch(JSON.stringify(notices), /eve|the-jti|fake/);
    house.clock.offsetMs += 179_000;
    assert.match(JSON.stringify(await tell(ground, token)), /used before/);
    house.clock.offsetMs += 2_000;
    assert.match(JSON.stringify(await tell(ground, token)), /two minutes ago/);
  });
});

test("a provider whose keys cannot be had is asked again later, and nobody's session ends meanwhile", async (t) => {
  const ground = await people(t);
  const { house, provider } = ground;
  // Another process: it knows no key yet.
  house.authority.update({ class: house.settings, providers: [], keyRing: house.ring });
  house.authority.update({ class: house.settings, providers: [provider.settings], keyRing: house.ring });
  const token = await sign(provider, { sub: 'ana' });
  provider.behaviour.instead.set('/jwks', (_, response) => void response.writeHead(503).end());
  const answer = await tell(ground, token);
  assert(answer.kind === 'Page' && answer.page.kind === 'ProviderUnavailable' && answer.page.retryAfterSeconds > 0);
  assert.equal(await ground.live(), 'ana anaElsewhere eve');
  provider.behaviour.instead.delete('/jwks');
  assert.equal(statusOf(await tell(ground, token)), 200);
  assert.equal(await ground.live(), 'eve');
});

test('it is a POST of a form with one token', async (t) => {
  const ground = await people(t);
  const token = await sign(ground.provider, { sub: 'ana' });
  const form = new URLSearchParams({ logout_token: token }).toString();
  const wrong: Record<string, Partial<OwnRequest>> = {
    'as JSON': { contentType: 'application/json' },
    'as plain text': { contentType: 'text/plain' },
    'without a word on what it is': { contentType: '' },
    twice: { body: `${form}&${form}` },
    'under another name': { body: form.replace('logout_token', 'id_token') },
    'not at all': { body: '' },
    'in the query': { body: '', query: `?${form}` },
  };
  for (const [how, more] of Object.entries(wrong)) assert.equal(statusOf(await tell(ground, token, more)), 400, how);
  assert.equal(statusOf(await tell(ground, token, { method: 'GET', query: `?${form}` })), 'MethodNotAllowed');
  assert.equal(await ground.live(), 'ana anaElsewhere eve');
  const withMore = { contentType: 'Application/X-WWW-Form-Urlencoded; charset=utf-8', body: `state=1&${form}` };
  assert.equal(statusOf(await tell(ground, token, withMore)), 200);
});
