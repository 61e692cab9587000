// Refreshing once: two replicas over one store, and a provider that rotates refresh tokens and ends whoever shows an old one.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { currentSession } from '../../src/auth/session/current.ts';
import type { Ticket } from '../../src/auth/cookie.ts';
import type { Desk } from '../../src/auth/desk.ts';
import { createKeyRing } from '../../src/auth/keys.ts';
import { ProviderError } from '../../src/auth/provider/error.ts';
import type { ProviderErrorCode } from '../../src/auth/provider/error.ts';
import type { BeforeRefresh, Provider, Refreshed } from '../../src/auth/provider/provider.ts';
import { createAdmission } from '../../src/auth/sign-in/admission.ts';
import { createRefresher } from '../../src/auth/session/refresh.ts';
import { openSession, sealSession } from '../../src/auth/session/record.ts';
import type { SessionBody } from '../../src/auth/session/record.ts';
import { createSession, readSession } from '../../src/auth/session/session.ts';
import type { SignedIn } from '../../src/auth/session/session.ts';
import { defaultClassSettings } from '../../src/model/settings.ts';
import type { ClassSettings } from '../../src/model/settings.ts';
import { createMemoryStore } from '../../src/sessions/memory.ts';
import { StoreError } from '../../src/sessions/store.ts';
import type { Store } from '../../src/sessions/store.ts';
import { createLogger, createMetrics } from '../../src/telemetry.ts';

const ring = createKeyRing();
const minute = 60_000;
const tokensMs = 10 * minute;
const graceMs = defaultClassSettings.outageGraceMs;
const log = createLogger('silent');

/** What a test may make of the provider while it runs. */
interface Behaviour {
  groups: string[];
  failure?: ProviderErrorCode;
  /** Whether the token is used up although the answer is lost. */
  failsAfterwards: boolean;
  rotates: boolean;
  /** Resolves when the answer may be given. */
  gate: Promise<void>;
}

interface Rotating {
  readonly provider: Provider;
  readonly behaviour: Behaviour;
  /** Each refresh token that was sent, in order. */
  readonly sent: string[];
  /** An old token was shown: the family is dead. */
  reused: boolean;
}

function rotatingProvider(now: () => number): Rotating {
  const behaviour: Behaviour = { groups: ['new'], failsAfterwards: false, rotates: true, gate: Promise.resolve() };
  let valid = 'refresh-0';
  const fail = (code: ProviderErrorCode) => new ProviderError(code, 'as the test wishes');
  async function refresh({ tokens, identity }: BeforeRefresh): Promise<Refreshed> {
    if (behaviour.failure === 'unavailable') throw fail('unavailable');
    const token = tokens.refreshToken ?? '';
    rotating.sent.push(token);
    if (token !== valid) {
      rotating.reused = true;
      throw fail('ended');
    }
    const spend = () => {
      if (behaviour.rotates) valid = `refresh-${rotating.sent.length}`;
    };
    if (behaviour.failsAfterwards) spend();
    await behaviour.gate;
    if (behaviour.failure !== undefined) throw fail(behaviour.failure);
    if (!behaviour.failsAfterwards) spend();
    return {
      identity: { ...identity, groups: behaviour.groups },
      tokens: { idToken: 'id', accessToken: 'access', refreshToken: valid },
      tokensExpireAt: now() + tokensMs,
    };
  }
  // Nothing else of it is asked here.
  const provider = { settings: { name: 'okta' }, refresh } as unknown as Provider;
  const rotating: Rotating = { provider, behaviour, sent: [], reused: false };
  return rotating;
}

const signedIn: SignedIn = {
  provider: 'okta',
  issuer: 'https://idp.example.com',
  subject: 'subject-of-ana',
  identity: { user: 'ana', email: 'ana@example.com', groups: ['old'], claims: {} },
  tokens: { idToken: 'id', accessToken: 'access', refreshToken: 'refresh-0' },
  authenticatedAt: 0,
};

interface Options {
  readonly settings?: Partial<ClassSettings>;
  readonly signedIn?: Partial<SignedIn>;
  readonly lockMs?: number;
}

async function makeReplicas({ settings: given = {}, signedIn: more = {}, lockMs = 300 }: Options = {}) {
  let offsetMs = 0;
  const now = () => Date.now() + offsetMs;
  const store = createMemoryStore({ now });
  const rotating = rotatingProvider(now);
  const settings = { ...defaultClassSettings, ...given };
  const metrics = createMetrics();
  const replica = (over: Partial<Store> = {}) => {
    const own = { ...store, ...over };
    const refresher = createRefresher({ store: own, log, metrics, now, lockMs });
    return {
      use: (ticket: Ticket) => {
        const provider = () => rotating.provider;
        const providers = () => [rotating.provider];
        const desk: Desk = {
          store: own,
          settings,
          ring,
          provider,
          providers,
          log,
          metrics,
          refresher,
          admission: createAdmission(now),
          now: now(),
          clock: now,
        };
        return currentSession(desk, ticket);
      },
      idle: () => refresher.close(),
    };
  };
  const begin = () =>
    createSession(store, ring, { ...signedIn, tokensExpireAt: now() + tokensMs, ...more }, now(), settings);
  const ticket = await begin();
  return { store, now, advance: (ms: number) => void (offsetMs += ms), rotating, replica, ticket, begin, settings };
}

type Replicas = Awaited<ReturnType<typeof makeReplicas>>;

/** A marker that somebody who is no more has left. */
async function leaveMarker({ store, ticket, now }: Replicas, at = now()): Promise<void> {
  const read = await readSession(store, ring, ticket);
  assert(read);
  const body: SessionBody = { ...read.body, attempt: { id: 'of somebody who died', at } };
  const { expiresAt } = read.found.record;
  assert(await store.replace(sealSession(ring, ticket, body, { expiresAt, usedAt: at }), read.found.revision));
}

const groupsOf = (current: Awaited<ReturnType<typeof currentSession>>) => current?.session.identity.groups;

describe('a session whose token has run out', () => {
  test('is refreshed by one call, whoever asks, on whichever replica', async () => {
    const made = await makeReplicas();
    const [one, two] = [made.replica(), made.replica()];
    made.advance(tokensMs);
    const all = await Promise.all(Array.from({ length: 100 }, (_, n) => (n % 2 === 0 ? one : two).use(made.ticket)));
    assert.deepEqual(
      all.map(groupsOf),
      all.map(() => ['new']),
    );
    assert.deepEqual(made.rotating.sent, ['refresh-0']);
    assert.equal(made.rotating.reused, false);
  });

  test('goes on being refreshed with the newest token', async () => {
    const made = await makeReplicas();
    const [one, two] = [made.replica(), made.replica()];
    for (const replica of [one, two, one, two]) {
      made.advance(tokensMs);
      assert.deepEqual(groupsOf(await replica.use(made.ticket)), ['new']);
    }
    assert.deepEqual(made.rotating.sent, ['refresh-0', 'refresh-1', 'refresh-2', 'refresh-3']);
    assert.equal(made.rotating.reused, false);
  });

  test('is not refreshed again by a replica that has not heard yet that it was', async () => {
    const made = await makeReplicas();
    made.advance(tokensMs);
    const before = await made.store.read('session', made.ticket.id);
    assert.deepEqual(groupsOf(await made.replica().use(made.ticket)), ['new']);
    // As a cache does it: it learns by a write that fails that what it holds is old.
    let isOld = true;
    const late = made.replica({
      read: async (type, id) => (isOld ? before : made.store.read(type, id)),
      async replace(record, revision) {
        isOld = false;
        return made.store.replace(record, revision);
      },
    });
    assert.deepEqual(groupsOf(await late.use(made.ticket)), ['new']);
    assert.deepEqual(made.rotating.sent, ['refresh-0']);
  });

  test('loses the groups that are gone', async () => {
    const made = await makeReplicas();
    made.rotating.behaviour.groups = [];
    made.advance(tokensMs);
    assert.deepEqual(groupsOf(await made.replica().use(made.ticket)), []);
  });

  test('is over where the provider says so', async () => {
    const made = await makeReplicas();
    made.rotating.behaviour.failure = 'ended';
    made.advance(tokensMs);
    assert.equal(await made.replica().use(made.ticket), undefined);
    assert.equal(await made.store.read('session', made.ticket.id), undefined);
  });

  test('is over where the answer fails a check', async () => {
    const made = await makeReplicas();
    made.rotating.behaviour.failure = 'invalid';
    made.advance(tokensMs);
    assert.equal(await made.replica().use(made.ticket), undefined);
    assert.equal(await made.store.read('session', made.ticket.id), undefined);
  });

  test('is believed for a while where the provider is away, and lives on when it is back', async () => {
    const made = await makeReplicas();
    const replica = made.replica();
    made.rotating.behaviour.failure = 'unavailable';
    made.advance(tokensMs + graceMs - minute);
    const current = await replica.use(made.ticket);
    assert.deepEqual(groupsOf(current), ['old']);
    assert((current?.session.expiresAt ?? Infinity) <= made.now() + minute, 'the data path knows when that ends');
    made.advance(minute);
    assert.equal(await replica.use(made.ticket), undefined);
    delete made.rotating.behaviour.failure;
    made.advance(minute);
    assert.deepEqual(groupsOf(await replica.use(made.ticket)), ['new']);
  });

  test('has its provider asked once in five seconds while that is away, and so have all others', async () => {
    const made = await makeReplicas();
    const replica = made.replica();
    const tickets = await Promise.all(Array.from({ length: 20 }, () => made.begin()));
    let asked = 0;
    const { refresh } = made.rotating.provider;
    made.rotating.behaviour.failure = 'unavailable';
    Object.assign(made.rotating.provider, {
      refresh: (...args: Parameters<typeof refresh>) => {
        asked += 1;
        return refresh(...args);
      },
    });
    made.advance(tokensMs);
    for (const ticket of tickets) assert.deepEqual(groupsOf(await replica.use(ticket)), ['old']);
    assert.equal(asked, 1);
    made.advance(5_000);
    for (const ticket of tickets) await replica.use(ticket);
    assert.equal(asked, 2);
  });
});

describe('a session whose token runs out soon', () => {
  test('is refreshed while what is known still serves', async () => {
    const made = await makeReplicas();
    const replica = made.replica();
    const { promise, resolve } = Promise.withResolvers<void>();
    made.rotating.behaviour.gate = promise;
    made.advance(tokensMs - minute);
    const meanwhile = await replica.use(made.ticket);
    assert.deepEqual(groupsOf(meanwhile), ['old']);
    assert((meanwhile?.renewAt ?? Infinity) <= made.now() + 1_000, 'the data path asks again soon');
    resolve();
    await replica.idle();
    assert.deepEqual(groupsOf(await replica.use(made.ticket)), ['new']);
    assert.equal(made.rotating.sent.length, 1);
  });

  test('is not, where nobody asks', async () => {
    const made = await makeReplicas();
    made.advance(tokensMs / 2);
    await made.replica().use(made.ticket);
    assert.deepEqual(made.rotating.sent, []);
  });

  test('is, where its token would hold for longer than the interval', async () => {
    const made = await makeReplicas({ settings: { refreshIntervalMs: 2 * minute } });
    const replica = made.replica();
    made.advance(2 * minute);
    await replica.use(made.ticket);
    await replica.idle();
    assert.deepEqual(groupsOf(await replica.use(made.ticket)), ['new']);
  });

  test('has its use noted all the same, and neither write undoes the other', async () => {
    const made = await makeReplicas({ settings: { sessionIdleTimeoutMs: 20 * minute } });
    const replica = made.replica();
    made.advance(tokensMs - minute);
    await replica.use(made.ticket);
    await replica.idle();
    const current = await replica.use(made.ticket);
    assert.deepEqual(groupsOf(current), ['new']);
    const record = (await made.store.read('session', made.ticket.id))?.record;
    assert((record?.expiresAt ?? 0) > made.now() + 19 * minute);
  });
});

test('a session without a refresh token is never asked about, and lives its life', async () => {
  const made = await makeReplicas({ signedIn: { tokens: { idToken: 'id', accessToken: 'access' } } });
  made.advance(10 * tokensMs);
  assert.deepEqual(groupsOf(await made.replica().use(made.ticket)), ['old']);
  assert.deepEqual(made.rotating.sent, []);
});

test('a session of a provider that does not say how long its tokens hold is refreshed within the hour', async () => {
  const { tokensExpireAt: _, ...rest } = { ...signedIn, tokensExpireAt: undefined };
  const made = await makeReplicas();
  const ticket = await createSession(made.store, ring, rest, made.now(), made.settings);
  made.advance(60 * minute);
  assert.deepEqual(groupsOf(await made.replica().use(ticket)), ['new']);
});

describe('a refresh that nobody knows the end of', () => {
  test('is not tried again: the session goes on until its known end, and no longer', async () => {
    const made = await makeReplicas();
    const [one, two] = [made.replica(), made.replica()];
    Object.assign(made.rotating.behaviour, { failure: 'unknown', failsAfterwards: true });
    made.advance(tokensMs - minute);
    await one.use(made.ticket);
    await one.idle();
    delete made.rotating.behaviour.failure;
    made.advance(minute - 1_000);
    for (const replica of [one, two]) {
      const current = await replica.use(made.ticket);
      assert.deepEqual(groupsOf(current), ['old']);
      assert(
        (current?.session.expiresAt ?? Infinity) <= made.now() + 1_000,
        'nor does the data path believe it longer',
      );
    }
    made.advance(1_000);
    assert.equal(await two.use(made.ticket), undefined);
    assert.equal(await made.store.read('session', made.ticket.id), undefined);
    assert.deepEqual(made.rotating.sent, ['refresh-0']);
  });

  test('is, where the provider has taken one token twice before', async () => {
    const made = await makeReplicas();
    const replica = made.replica();
    made.rotating.behaviour.rotates = false;
    made.advance(tokensMs);
    assert.deepEqual(groupsOf(await replica.use(made.ticket)), ['new']);
    made.rotating.behaviour.failure = 'unknown';
    made.advance(tokensMs);
    assert.deepEqual(groupsOf(await replica.use(made.ticket)), ['new'], 'believed for a while');
    delete made.rotating.behaviour.failure;
    made.rotating.behaviour.groups = ['newer'];
    made.advance(5_000);
    assert.deepEqual(groupsOf(await replica.use(made.ticket)), ['newer']);
  });

  test('was begun by a replica that died: the others wait, and do not send the token', async () => {
    const made = await makeReplicas();
    made.advance(tokensMs);
    await leaveMarker(made);
    const began = performance.now();
    assert.equal(await made.replica().use(made.ticket), undefined);
    assert(performance.now() - began >= 300, 'it may have been alive');
    assert.deepEqual(made.rotating.sent, []);
    assert.equal(await made.store.read('session', made.ticket.id), undefined);
  });

  test('was begun long ago: nobody waits', async () => {
    const made = await makeReplicas({ lockMs: 10_000 });
    await leaveMarker(made);
    made.advance(tokensMs);
    const began = performance.now();
    assert.equal(await made.replica().use(made.ticket), undefined);
    assert(performance.now() - began < 5_000);
    assert.deepEqual(made.rotating.sent, []);
  });
});

describe('a replica that takes its time', () => {
  test('is waited for as long as it moves its marker', async () => {
    const made = await makeReplicas();
    const [one, two] = [made.replica(), made.replica()];
    const { promise, resolve } = Promise.withResolvers<void>();
    made.rotating.behaviour.gate = promise;
    made.advance(tokensMs);
    const slow = one.use(made.ticket);
    await sleep(50);
    const waiting = two.use(made.ticket);
    // Three times as long as a marker that does not move is waited for.
    await sleep(1_000);
    resolve();
    assert.deepEqual(groupsOf(await slow), ['new']);
    assert.deepEqual(groupsOf(await waiting), ['new']);
    assert.deepEqual(made.rotating.sent, ['refresh-0']);
  });

  test('and was taken for dead brings no session back', async () => {
    const made = await makeReplicas();
    // It writes its marker, and then nothing for a long time.
    let isStalled = false;
    const { promise: goOn, resolve } = Promise.withResolvers<void>();
    const stalls = made.replica({
      async replace(record, revision) {
        if (isStalled) await goOn;
        isStalled = true;
        return made.store.replace(record, revision);
      },
    });
    made.advance(tokensMs);
    const slow = stalls.use(made.ticket);
    await sleep(50);
    assert.equal(await made.replica().use(made.ticket), undefined);
    resolve();
    assert.equal(await slow, undefined);
    assert.equal(await made.store.read('session', made.ticket.id), undefined);
  });

  test('writes nothing over the marker of another', async () => {
    const made = await makeReplicas();
    const replica = made.replica();
    const { promise, resolve } = Promise.withResolvers<void>();
    made.rotating.behaviour.gate = promise;
    made.advance(tokensMs);
    const slow = replica.use(made.ticket);
    await sleep(50);
    await leaveMarker(made);
    resolve();
    await slow;
    const left = await readSession(made.store, ring, made.ticket);
    assert.notDeepEqual(left?.body.identity.groups, ['new']);
  });
});

test('a session ended while it is refreshed stays ended', async () => {
  const made = await makeReplicas();
  const replica = made.replica();
  const { promise, resolve } = Promise.withResolvers<void>();
  made.rotating.behaviour.gate = promise;
  made.advance(tokensMs);
  const under = replica.use(made.ticket);
  await sleep(50);
  assert.equal(await made.store.remove('session', made.ticket.id), true);
  resolve();
  assert.equal(await under, undefined);
  assert.equal(await made.store.read('session', made.ticket.id), undefined);
});

test('new tokens that cannot be written at once are written when the store is back', async () => {
  const made = await makeReplicas();
  let writes = 0;
  const replica = made.replica({
    replace(record, revision) {
      writes += 1;
      // The marker passes, and the next two fail.
      if (writes === 2 || writes === 3) return Promise.reject(new StoreError('unavailable', 'away'));
      return made.store.replace(record, revision);
    },
  });
  made.advance(tokensMs);
  assert.deepEqual(groupsOf(await replica.use(made.ticket)), ['new']);
  const found = await made.store.read('session', made.ticket.id);
  assert.equal(found && openSession(ring, found.record, made.ticket.secret)?.tokens.refreshToken, 'refresh-1');
});

test('a store that forgets what it was told has no token sent twice', async () => {
  const made = await makeReplicas();
  const replica = made.replica();
  const before = await made.store.read('session', made.ticket.id);
  assert(before);
  made.advance(tokensMs);
  await replica.use(made.ticket);
  // As a failover does: marker and new tokens are gone.
  const after = await made.store.read('session', made.ticket.id);
  assert(after && (await made.store.replace(before.record, after.revision)));
  assert.equal(await replica.use(made.ticket), undefined);
  assert.deepEqual(made.rotating.sent, ['refresh-0']);
});

test('a store that takes no marker has no token sent', async () => {
  const made = await makeReplicas();
  const replica = made.replica({ replace: () => Promise.reject(new StoreError('unavailable', 'away')) });
  made.advance(tokensMs);
  assert.deepEqual(groupsOf(await replica.use(made.ticket)), ['old'], 'believed for a while');
  assert.deepEqual(made.rotating.sent, []);
});
