// Sessions found, described and ended by operators, over a store that two replicas share.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { createKeyRing } from '../../src/auth/keys.ts';
import { createLocalAuthority } from '../../src/auth/local.ts';
import type { LocalAuthority, LocalAuthorityOptions } from '../../src/auth/local.ts';
import type { Ended, Confirmation } from '../../src/auth/revocation/revocation.ts';
import type { ListedSession, Roster } from '../../src/auth/revocation/roster.ts';
import { createSession } from '../../src/auth/session/session.ts';
import type { SignedIn } from '../../src/auth/session/session.ts';
import { defaultClassSettings } from '../../src/model/settings.ts';
import type { KeyRing } from '../../src/model/settings.ts';
import { cached } from '../../src/sessions/cache.ts';
import { createMemoryStore } from '../../src/sessions/memory.ts';
import { StoreError } from '../../src/sessions/store.ts';
import type { RecordChange, Store } from '../../src/sessions/store.ts';
import { createLogger, createMetrics } from '../../src/telemetry.ts';

const log = createLogger('silent');

/** One store beneath, that stays open whoever closes what lies above it. */
function makeStore(t: TestContext, max = 50_000): Store {
  const store = createMemoryStore({ max });
  t.after(() => store.close());
  return { ...store, close: async () => undefined };
}

function makeReplica(t: TestContext, beneath: Store, ring: KeyRing, more: Partial<LocalAuthorityOptions> = {}) {
  const metrics = createMetrics();
  const store = cached(beneath, { graceMs: () => 60_000, log, metrics });
  const settings = { class: defaultClassSettings, providers: [], keyRing: ring };
  const authority = createLocalAuthority({ store, settings, log, metrics, ...more });
  t.after(async () => {
    await authority.close();
    await store.close();
  });
  return { authority, store };
}

const origin = {
  device: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
  address: '192.0.2.7',
};

async function signIn(store: Store, ring: KeyRing, more: Partial<SignedIn> = {}): Promise<string> {
  const signedIn: SignedIn = {
    provider: 'okta',
    issuer: 'https://idp.example.com',
    subject: 's-ana',
    identity: { user: 's-ana', email: 'ana@example.com', groups: [], claims: {} },
    tokens: { idToken: 'i', accessToken: 'a' },
    authenticatedAt: 1,
    ...more,
  };
  const ticket = await createSession(store, ring, signedIn, Date.now(), { sessionLifetimeMs: 3_600_000 }, origin);
  return ticket.id;
}

const bob = { subject: 's-bob', identity: { user: 'bob', groups: [], claims: {} } };

async function ask<T>(authority: LocalAuthority, question: object): Promise<T> {
  const operated = await authority.operate(question);
  assert.ok('ok' in operated, JSON.stringify(operated));
  return operated.ok as T;
}

/** All pages. */
async function list(authority: LocalAuthority, which: object): Promise<readonly ListedSession[]> {
  const all = new Map<string, ListedSession>();
  let cursor: string | undefined;
  do {
    const page: Roster = await ask<Roster>(authority, { list: which, ...(cursor !== undefined && { cursor }) });
    for (const one of page.sessions) all.set(one.id, one);
    cursor = page.next;
  } while (cursor !== undefined);
  return [...all.values()];
}

const ids = (sessions: readonly ListedSession[]) => sessions.map(({ id }) => id).toSorted();

describe('sessions are found', () => {
  test('by e-mail address, with any case of its domain and no other case, and by the user name', async (t) => {
    const [store, ring] = [makeStore(t), createKeyRing()];
    const { authority } = makeReplica(t, store, ring);
    const mine = [await signIn(store, ring), await signIn(store, ring)].toSorted();
    await signIn(store, ring, bob);
    assert.deepEqual(ids(await list(authority, { person: 'ana@example.com' })), mine);
    assert.deepEqual(ids(await list(authority, { person: 'ana@EXAMPLE.com' })), mine);
    assert.deepEqual(ids(await list(authority, { person: 's-ana' })), mine);
    assert.deepEqual(await list(authority, { person: 'Ana@example.com' }), []);
    assert.deepEqual(await list(authority, { person: 'ana' }), []);
    assert.deepEqual((await list(authority, { person: 'bob' })).length, 1);
  });

  test('where the provider writes the domain with capitals', async (t) => {
    const [store, ring] = [makeStore(t), createKeyRing()];
    const { authority } = makeReplica(t, store, ring);
    const identity = { user: 'x', email: 'Eve@Example.COM', groups: [], claims: {} };
    const id = await signIn(store, ring, { identity });
    assert.deepEqual(ids(await list(authority, { person: 'Eve@example.com' })), [id]);
  });

  test('by provider, by id, by the letters that logs print, and all of them', async (t) => {
    const [store, ring] = [makeStore(t), createKeyRing()];
    const { authority } = makeReplica(t, store, ring);
    const one = await signIn(store, ring);
    const other = await signIn(store, ring, { ...bob, provider: 'github' });
    assert.deepEqual(ids(await list(authority, { provider: 'github' })), [other]);
    assert.deepEqual(ids(await list(authority, { id: one })), [one]);
    assert.deepEqual(ids(await list(authority, { id: one.slice(0, 8) })), [one]);
    assert.deepEqual(ids(await list(authority, { all: true })), [one, other].toSorted());
  });

  test('that a key before the first one sealed; those of a key that is gone by id alone', async (t) => {
    const store = makeStore(t);
    const [[older], [newer], [lost]] = [createKeyRing(), createKeyRing(), createKeyRing()];
    const { authority } = makeReplica(t, store, [newer, older]);
    const before = await signIn(store, [older]);
    const after = await signIn(store, [newer]);
    const foreign = await signIn(store, [lost]);
    assert.deepEqual(ids(await list(authority, { person: 'ana@example.com' })), [before, after].toSorted());
    assert.deepEqual(ids(await list(authority, { provider: 'okta' })), [before, after].toSorted());
    const unread = (await list(authority, { all: true })).find(({ id }) => id === foreign);
    assert.deepEqual(Object.keys(unread ?? {}), ['id', 'expiresAt']);
    assert.equal((await ask<Ended>(authority, { end: [foreign], by: 'root' })).ended, 1);
  });

  test('with what their owner would know them by, and nothing that opens them', async (t) => {
    const [store, ring] = [makeStore(t), createKeyRing()];
    const { authority } = makeReplica(t, store, ring);
    await signIn(store, ring);
    const [{ id, createdAt, usedAt, expiresAt, ...rest } = assert.fail()] = await list(authority, { all: true });
    assert.deepEqual(rest, {
      person: 'ana@example.com',
      user: 's-ana',
      provider: 'okta',
      device: 'Firefox on Windows',
      userAgent: origin.device,
      address: '192.0.2.7',
    });
    assert.equal(id.length, 22);
    assert.equal(createdAt, usedAt);
    assert.equal(expiresAt - (createdAt ?? 0), 3_600_000);
  });
});

test('a question that is none is told how it should be', async (t) => {
  const { authority } = makeReplica(t, makeStore(t), createKeyRing());
  for (const question of [
    undefined,
    'all',
    {},
    { list: {} },
    { list: { person: 'a', all: true } },
    { list: { id: 'short' } },
    { list: { all: false } },
    { end: ['a b'], by: 'x' },
    { end: ['abc'] },
    { end: Array.from({ length: 501 }, () => 'abc'), by: 'x' },
    { announce: ['abc'], by: 'x', replicas: 0 },
  ]) {
    const operated = await authority.operate(question);
    assert.equal('failed' in operated && operated.failed, 'NotUnderstood', JSON.stringify(question));
  }
});

describe('sessions are ended', () => {
  test('and every replica confirms, once none of them is believed there and the data path has acted', async (t) => {
    const [store, ring] = [makeStore(t), createKeyRing()];
    const one = makeReplica(t, store, ring, { replica: 'one' });
    const acted: string[] = [];
    const other = makeReplica(t, store, ring, {
      replica: 'other',
      async settled() {
        await delay(50);
        acted.push('other');
      },
    });
    const [first, second, bobs] = [
      await signIn(store, ring),
      await signIn(store, ring),
      await signIn(store, ring, bob),
    ];
    assert.ok(await other.store.read('session', first));
    const ended = await ask<Ended>(one.authority, { end: [first, second, 'gone-before'], by: 'root' });
    assert.deepEqual(ended, { ended: 2, absent: 1, failed: [] });
    const announcement = { announce: [first, second], by: 'root', replicas: 2 };
    const { confirmed } = await ask<{ confirmed: Confirmation[] }>(one.authority, announcement);
    assert.deepEqual(confirmed.map(({ replica }) => replica).toSorted(), ['one', 'other']);
    assert.deepEqual(acted, ['other']);
    assert.ok((confirmed.find(({ replica }) => replica === 'other')?.afterMs ?? 0) >= 45);
    assert.equal(await other.store.read('session', first), undefined);
    assert.deepEqual(ids(await list(one.authority, { all: true })), [bobs]);
    t.diagnostic(`confirmed: ${JSON.stringify(confirmed)}`);
  });

  test('a replica that has not heard confirms nothing until it has, by news or by asking', async (t) => {
    const [store, ring] = [makeStore(t), createKeyRing()];
    const one = makeReplica(t, store, ring, { replica: 'one' });
    let isDeaf = true;
    // It remembers the session, and hears of notices alone.
    const deaf: Store = {
      ...store,
      watch: (listener) =>
        store.watch((news: RecordChange) => {
          if (!isDeaf || (news.change !== 'unknown' && news.type === 'notice')) listener(news);
        }),
    };
    const other = makeReplica(t, deaf, ring, { replica: 'other' });
    const id = await signIn(store, ring);
    assert.ok(await other.store.read('session', id));
    await ask<Ended>(one.authority, { end: [id], by: 'root' });
    assert.ok(await other.store.read('session', id), 'it believes in it still');
    const { confirmed } = await ask<{ confirmed: Confirmation[] }>(one.authority, {
      announce: [id],
      by: 'root',
      replicas: 2,
    });
    assert.deepEqual(
      confirmed.map(({ replica }) => replica),
      ['one'],
    );
    isDeaf = false;
  });

  test('by the thousand, page by page, and none is left', async (t) => {
    const [store, ring] = [makeStore(t), createKeyRing()];
    const { authority } = makeReplica(t, store, ring);
    for (let count = 0; count < 10_000; count += 1) await signIn(store, ring);
    const startedAt = performance.now();
    const all = ids(await list(authority, { all: true }));
    assert.equal(all.length, 10_000);
    let ended = 0;
    for (let start = 0; start < all.length; start += 500) {
      ended += (await ask<Ended>(authority, { end: all.slice(start, start + 500), by: 'x' })).ended;
    }
    assert.equal(ended, 10_000);
    const told = { announce: all.slice(0, 5_000), by: 'x', replicas: 1 };
    assert.equal((await ask<{ confirmed: Confirmation[] }>(authority, told)).confirmed.length, 1);
    assert.deepEqual(await list(authority, { all: true }), []);
    t.diagnostic(`10,000 sessions listed and ended in ${Math.round(performance.now() - startedAt)} ms (memory store)`);
  });

  test('as far as the store lets them be: what goes on is told by id, and the rest is not asked for', async (t) => {
    const [store, ring] = [makeStore(t), createKeyRing()];
    const removed: string[] = [];
    let left = 40;
    const failing: Store = {
      ...store,
      async remove(type, id) {
        left -= 1;
        if (left < 0) throw new StoreError('unavailable', 'away');
        removed.push(id);
        return store.remove(type, id);
      },
    };
    const { authority } = makeReplica(t, failing, ring);
    const all = await Promise.all(Array.from({ length: 200 }, () => signIn(store, ring)));
    const ended = await ask<Ended>(authority, { end: all, by: 'root' });
    assert.equal(ended.ended, 40);
    assert.equal(ended.reason, 'away');
    assert.deepEqual(ended.failed, all.slice(40));
    assert.ok(left > -100, 'a store that is away is not asked for each');
    assert.equal((await list(authority, { all: true })).length, 160);
  });

  test('a store that does not answer at all is told as such', async (t) => {
    const store = makeStore(t);
    const away: Store = { ...store, page: () => Promise.reject(new StoreError('unavailable', 'away')) };
    const { authority } = makeReplica(t, away, createKeyRing());
    const operated = await authority.operate({ list: { all: true } });
    assert.equal('failed' in operated && operated.failed, 'Unavailable');
  });
});
