// Sessions and one-time codes as records: what a thief of the store, of the ring, or of both can read, and what a code is good for.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Ticket } from '../../src/auth/cookie.ts';
import { createKeyRing, indexValue, seal, unseal } from '../../src/auth/keys.ts';
import type { Purpose } from '../../src/auth/keys.ts';
import { createCode, takeCode } from '../../src/auth/sign-in/code.ts';
import { createSession, noteUse, readSession, sessionOf } from '../../src/auth/session/session.ts';
import type { SessionLife, SignedIn } from '../../src/auth/session/session.ts';
import type { KeyRing } from '../../src/model/settings.ts';
import { createMemoryStore } from '../../src/sessions/memory.ts';
import { StoreError } from '../../src/sessions/store.ts';
import type { Store, StoredRecord } from '../../src/sessions/store.ts';

const ring = createKeyRing();
const lifetimeMs = 3_600_000;
const life = { sessionLifetimeMs: lifetimeMs };
const signedIn: SignedIn = {
  provider: 'okta',
  issuer: 'https://idp.example.com',
  subject: 'subject-of-ana',
  providerSessionId: 'sid-of-ana',
  identity: {
    user: 'subject-of-ana',
    email: 'ana@example.com',
    groups: ['engineering'],
    claims: { sub: 'subject-of-ana', department: 'claim-of-ana' },
  },
  tokens: { idToken: 'the-id-token', accessToken: 'the-access-token', refreshToken: 'the-refresh-token' },
  authenticatedAt: 1_700_000_000_000,
};

function makeStore() {
  let offsetMs = 0;
  const now = () => Date.now() + offsetMs;
  return { store: createMemoryStore({ now }), now, advance: (ms: number) => void (offsetMs += ms) };
}

async function useSession(store: Store, ticket: Ticket, now: number, settings: SessionLife) {
  const read = await readSession(store, ring, ticket);
  const noted = read && (await noteUse(store, ring, ticket, read, now, settings));
  return noted && { expiresAt: noted.found.record.expiresAt, endsAt: noted.body.endsAt };
}

async function makeSession(of: SignedIn = signedIn) {
  const made = makeStore();
  const ticket = await createSession(made.store, ring, of, made.now(), life);
  const found = await made.store.read('session', ticket.id);
  assert(found);
  return { ...made, ticket, record: found.record };
}

const purposes: readonly Purpose[] = ['flow', 'request', 'host-cookie', 'listing', 'body', 'index', 'return', 'notice'];

/** Everything in a record that the ring alone opens, under every purpose and every binding that a thief could think of. */
function openedByRing(given: KeyRing, record: StoredRecord, secrets: readonly (Uint8Array | undefined)[]): string[] {
  const sealed = [record.listing, record.body, ...Object.values(record.index)];
  const bounds = ['', record.id, `code ${record.id}`, `session ${record.id}`];
  return sealed.flatMap((text) =>
    purposes.flatMap((purpose) =>
      bounds.flatMap((bound) =>
        secrets.flatMap((secret) => unseal(given, purpose, text, bound, secret)?.toString() ?? []),
      ),
    ),
  );
}

describe('a session', () => {
  test('opens with its ticket, whole', async () => {
    const { store, ticket, now } = await makeSession();
    const full = await readSession(store, ring, ticket);
    assert(full);
    const { provider, identity, authenticatedAt, tokens } = signedIn;
    const { expiresAt, startedAt, ...session } = sessionOf(full);
    assert.deepEqual(session, { id: ticket.id, provider, identity, authenticatedAt });
    assert(Math.abs(expiresAt - now() - lifetimeMs) < 5_000);
    assert.equal(expiresAt - startedAt, lifetimeMs);
    assert.deepEqual(full.body.tokens, tokens);
  });

  test('of somebody without e-mail address, refresh token or sid has no such field', async () => {
    const { refreshToken: _, ...tokens } = signedIn.tokens;
    const { email: __, ...identity } = signedIn.identity;
    const { providerSessionId: ___, ...rest } = signedIn;
    const { store, ticket, record } = await makeSession({ ...rest, identity, tokens });
    const full = await readSession(store, ring, ticket);
    assert.equal('refreshToken' in (full?.body.tokens ?? {}), false);
    assert.equal('email' in (full?.body.identity ?? {}), false);
    assert.equal('sid' in record.index, false);
  });

  test('has an id and a secret of its own', async () => {
    const [one, two] = [await makeSession(), await makeSession()];
    assert.notEqual(one.ticket.id, two.ticket.id);
    assert.notDeepEqual(one.ticket.secret, two.ticket.secret);
    assert.match(one.ticket.id, /^[A-Za-z0-9_-]{22}$/);
    assert.equal(one.ticket.secret.length, 32);
  });

  test('does not open with another secret, id or ring', async () => {
    const { store, ticket } = await makeSession();
    const other = await createSession(store, ring, signedIn, Date.now(), life);
    const wrong: readonly Ticket[] = [
      { ...ticket, secret: randomBytes(32) },
      { ...ticket, secret: other.secret },
      { ...ticket, id: other.id },
      { ...ticket, secret: new Uint8Array() },
      { ...ticket, id: 'nobody' },
    ];
    for (const one of wrong) assert.equal(await readSession(store, ring, one), undefined);
    assert.equal(await readSession(store, createKeyRing(), ticket), undefined);
  });

  test('ends', async () => {
    const { store, ticket, advance } = await makeSession();
    advance(lifetimeMs);
    assert.equal(await readSession(store, ring, ticket), undefined);
  });

  test('cannot be lengthened by who can write to the store', async () => {
    const { store, ticket, record } = await makeSession();
    const revision = (await store.read('session', ticket.id))?.revision ?? '';
    assert.equal(await store.replace({ ...record, expiresAt: record.expiresAt + 1 }, revision), true);
    assert.equal(await readSession(store, ring, ticket), undefined);
  });

  describe('that may be idle for twenty minutes', () => {
    const minute = 60_000;
    const idle = { ...life, sessionIdleTimeoutMs: 20 * minute };
    async function makeIdle() {
      const made = makeStore();
      const ticket = await createSession(made.store, ring, signedIn, made.now(), idle);
      const writes: number[] = [];
      const store: Store = {
        ...made.store,
        replace(record, revision) {
          writes.push(record.expiresAt);
          return made.store.replace(record, revision);
        },
      };
      const use = (settings: SessionLife = idle) => useSession(store, ticket, made.now(), settings);
      return { ...made, store, ticket, writes, use };
    }

    test('ends twenty minutes after it was used last', async () => {
      const { use, advance } = await makeIdle();
      advance(19 * minute);
      assert.ok(await use());
      advance(19 * minute);
      assert.ok(await use());
      advance(20 * minute);
      assert.equal(await use(), undefined);
    });

    test('ends at the end of its lifetime however much it is used, and is told so from the beginning', async () => {
      const { use, advance } = await makeIdle();
      const endsAt = (await use())?.endsAt;
      for (let passed = 0; passed < 60; passed += 1) {
        assert.equal((await use())?.endsAt, endsAt);
        advance(minute);
      }
      assert.equal(await use(), undefined);
    });

    test('is written once in five minutes at the most', async () => {
      const { use, advance, writes } = await makeIdle();
      for (let second = 0; second < 1_800; second += 1) {
        advance(1_000);
        await use();
      }
      assert.equal(writes.length, 6);
    });

    test('used by two at once is written once, and both have it', async () => {
      const { use, advance, writes, store, ticket } = await makeIdle();
      advance(10 * minute);
      const both = await Promise.all([use(), use()]);
      assert.deepEqual(both[0], both[1]);
      assert.equal((await store.read('session', ticket.id))?.record.expiresAt, writes[0]);
      await use();
      assert.equal(writes.length, 2);
    });

    test('ended while it is used stays ended', async () => {
      const { ticket, advance, store } = await makeIdle();
      advance(10 * minute);
      const ending: Store = {
        ...store,
        async replace(record, revision) {
          await store.remove('session', record.id);
          return store.replace(record, revision);
        },
      };
      assert.equal(await useSession(ending, ticket, Date.now() + 10 * minute, idle), undefined);
      assert.equal(await store.read('session', ticket.id), undefined);
    });

    test('goes on where its use cannot be noted', async () => {
      const { ticket, advance, store, now } = await makeIdle();
      advance(10 * minute);
      const away: Store = { ...store, replace: () => Promise.reject(new StoreError('unavailable', 'away')) };
      assert.ok(await useSession(away, ticket, now(), idle));
    });

    test('ends earlier where the timeout was shortened, and at the end of its lifetime where it was taken away', async () => {
      const { use, now } = await makeIdle();
      assert.ok(((await use({ ...life, sessionIdleTimeoutMs: minute }))?.expiresAt ?? Infinity) <= now() + minute);
      const full = await use(life);
      assert.equal(full?.expiresAt, full?.endsAt);
    });

    test('cannot be put off by who can write to the store', async () => {
      const { store, ticket } = await makeIdle();
      const found = await store.read('session', ticket.id);
      assert(found);
      await store.replace({ ...found.record, expiresAt: found.record.expiresAt + minute }, found.revision);
      assert.equal(await readSession(store, ring, ticket), undefined);
    });
  });

  test('lives on when the ring is rotated', async () => {
    const { store, ticket } = await makeSession();
    assert.notEqual(await readSession(store, [createKeyRing()[0], ...ring], ticket), undefined);
  });

  test('whose record a later version wrote is none, and no error', async () => {
    const { store, ticket, record } = await makeSession();
    for (const text of ['{"version":2}', '[]', 'null', 'no JSON']) {
      const body = seal(ring, 'body', text, `${ticket.id} ${record.expiresAt}`, ticket.secret);
      const revision = (await store.read('session', ticket.id))?.revision ?? '';
      await store.replace({ ...record, body }, revision);
      assert.equal(await readSession(store, ring, ticket), undefined, text);
    }
  });
});

describe('a thief', () => {
  const seeds = ['ana', 'okta', 'token', 'engineering', 'department', 'idp.example.com'];

  test('of the store reads nothing about anybody', async () => {
    const { record } = await makeSession();
    const dump = JSON.stringify(record);
    const decoded = [record.listing, record.body].map((text) =>
      Buffer.from(text.split('.')[1] ?? '', 'base64url').toString('latin1'),
    );
    for (const seed of seeds) {
      assert.equal(dump.includes(seed), false, seed);
      assert.equal(decoded.join().includes(seed), false, seed);
    }
    assert.deepEqual(openedByRing(createKeyRing(), record, [undefined]), []);
  });

  test('of the store and the ring opens the listing, and neither body nor token', async () => {
    const { record, ticket } = await makeSession();
    const guesses = [undefined, new Uint8Array(), new Uint8Array(32), Buffer.from(ticket.id), ring[0].secret.reveal()];
    const opened = openedByRing(ring, record, guesses);
    assert.equal(opened.length, 1);
    const listing = opened.join();
    assert(listing.includes('ana@example.com') && listing.includes('okta'));
    for (const seed of ['token', 'engineering', 'claim-of-ana']) assert.equal(listing.includes(seed), false, seed);
  });

  test('of a cookie and the store opens nothing without the ring', async () => {
    const { record, ticket } = await makeSession();
    assert.deepEqual(openedByRing(createKeyRing(), record, [ticket.secret]), []);
  });

  test('who swaps the bodies of two records opens neither', async () => {
    const { store, record, ticket } = await makeSession();
    const other = await createSession(store, ring, signedIn, Date.now(), life);
    const revision = (await store.read('session', other.id))?.revision ?? '';
    await store.replace({ ...record, id: other.id }, revision);
    assert.equal(await readSession(store, ring, { ...ticket, id: other.id }), undefined);
  });
});

test('a session is found by person, provider, subject and sid, by those who hold the ring', async () => {
  const { store, ticket } = await makeSession();
  const [key] = ring;
  const wanted = {
    person: 'ana@example.com',
    provider: 'okta',
    subject: 'https://idp.example.com\0subject-of-ana',
    sid: 'https://idp.example.com\0sid-of-ana',
  };
  for (const [name, value] of Object.entries(wanted)) {
    const found = await store.find('session', name, indexValue(key, name, value));
    assert.deepEqual(
      found.map(({ id }) => id),
      [ticket.id],
      name,
    );
    assert.deepEqual(await store.find('session', name, value), []);
  }
});

describe('a one-time code', () => {
  const grant = { authority: 'app.example.com:8443', binding: 'the-binding' };

  async function makeCode() {
    const made = makeStore();
    const ticket: Ticket = { id: randomBytes(16).toString('base64url'), secret: randomBytes(32) };
    const code = await createCode(made.store, ring, { ...grant, ticket }, made.now());
    return { ...made, ticket, code };
  }

  test('gives back what it stands for, once', async () => {
    const { store, code, ticket } = await makeCode();
    const taken = await takeCode(store, ring, code);
    assert(taken);
    assert.deepEqual({ authority: taken.authority, binding: taken.binding }, grant);
    assert.equal(taken.ticket.id, ticket.id);
    assert.deepEqual(Buffer.from(taken.ticket.secret), Buffer.from(ticket.secret));
    assert.equal(await takeCode(store, ring, code), undefined);
  });

  test('is got by exactly one of ten who ask at once', async () => {
    const { store, code } = await makeCode();
    const all = await Promise.all(Array.from({ length: 10 }, () => takeCode(store, ring, code)));
    assert.equal(all.filter((one) => one !== undefined).length, 1);
  });

  test('is used up by a wrong secret too: nobody guesses twice', async () => {
    const { store, code } = await makeCode();
    const [id] = code.split('.');
    assert.equal(await takeCode(store, ring, `${id}.${randomBytes(32).toString('base64url')}`), undefined);
    assert.equal(await takeCode(store, ring, code), undefined);
  });

  test('is worth nothing after a minute, or under another ring', async () => {
    const { store, code, advance } = await makeCode();
    advance(60_000);
    assert.equal(await takeCode(store, ring, code), undefined);
    const other = await makeCode();
    assert.equal(await takeCode(other.store, createKeyRing(), other.code), undefined);
  });

  test('does not show the session in the store, nor in itself', async () => {
    const { store, code, ticket } = await makeCode();
    const record = (await store.read('code', code.split('.')[0] ?? ''))?.record;
    assert(record);
    assert.deepEqual(openedByRing(ring, record, [undefined, new Uint8Array(32)]), []);
    for (const secret of [ticket.id, Buffer.from(ticket.secret).toString('base64url')]) {
      assert.equal(JSON.stringify(record).includes(secret), false);
      assert.equal(code.includes(secret), false);
    }
  });

  test('that is no code of ours never reaches the store', async () => {
    const { store, code } = await makeCode();
    const asked: string[] = [];
    const spy = { ...store, take: (type: 'session' | 'code', id: string) => (asked.push(id), store.take(type, id)) };
    const [id = '', secret = ''] = code.split('.');
    const wrong = [
      '',
      '.',
      id,
      `${id}.`,
      `.${secret}`,
      `${id}.${secret}.`,
      `${id}.${secret}x`,
      `${id}.${secret.slice(1)}`,
      `${id}x.${secret}`,
      `../../secrets/x.${secret}`,
      `${'/'.repeat(22)}.${secret}`,
      `${'x'.repeat(100_000)}.${secret}`,
      `${id}.${'!'.repeat(43)}`,
    ];
    for (const one of wrong) assert.equal(await takeCode(spy, ring, one), undefined, one.slice(0, 100));
    assert.equal(asked.length, 0);
  });

  test('is not a session, and a session is not a code', async () => {
    const { store, code } = await makeCode();
    const [id = '', secret = ''] = code.split('.');
    assert.equal(await readSession(store, ring, { id, secret: Buffer.from(secret, 'base64url') }), undefined);
    const session = await makeSession();
    const asCode = `${session.ticket.id}.${Buffer.from(session.ticket.secret).toString('base64url')}`;
    assert.equal(await takeCode(session.store, ring, asCode), undefined);
    // Nor where somebody who writes to the store renames one to the other.
    const renamed = makeStore();
    await renamed.store.create({ ...session.record, type: 'code' });
    assert.equal(await takeCode(renamed.store, ring, asCode), undefined);
  });
});
