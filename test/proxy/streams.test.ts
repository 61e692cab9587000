// What is under way ends when it may no longer be: its session has ended or changed, or a table came that refuses it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Authority, Credential, OpenedSession } from '../../src/auth/authority.ts';
import type { Session } from '../../src/model/identity.ts';
import { emptyTable } from '../../src/model/route.ts';
import type { RouteTable } from '../../src/model/route.ts';
import { defaultClassSettings } from '../../src/model/settings.ts';
import { createOpened } from '../../src/proxy/opened.ts';
import { createStreams } from '../../src/proxy/streams.ts';
import type { HeldStream } from '../../src/proxy/streams.ts';
import { session } from './rig.ts';

const credential: Credential = { kind: 'Cookie', value: 'c' };
const host = 'a.example';

/** A table with hosts of these names, each a new object. */
function tableOf(...names: readonly string[]): RouteTable {
  const hosts = new Map(names.map((name) => [name, { host: name, routes: [] }] as const));
  return { ...emptyTable(defaultClassSettings), hosts };
}

function makeStreams(opened: OpenedSession = session('one')) {
  const ended = new Set<(ids: readonly string[]) => void>();
  const doubted = new Set<() => void>();
  const listeners = {
    ended: (ids: readonly string[]) => ended.forEach((tell) => tell(ids)),
    doubted: () => doubted.forEach((tell) => tell()),
  };
  const asked = { answer: (): Promise<OpenedSession | undefined> => Promise.resolve(opened) };
  const authority = {
    open: () => asked.answer(),
    onEnded: (listener: (ids: readonly string[]) => void) => (ended.add(listener), () => ended.delete(listener)),
    onDoubted: (listener: () => void) => (doubted.add(listener), () => doubted.delete(listener)),
  } as unknown as Authority;
  const cache = createOpened({ authority, now: Date.now, timeoutMs: 1_000 });
  const streams = createStreams({ authority, opened: cache, now: Date.now, sweepMs: 10 });
  const table = tableOf(host);
  /** How often a stream was ended, and by what it was judged. */
  function hold(more: Partial<HeldStream> = {}) {
    const seen = { ended: 0, judged: [] as (Session | undefined)[] };
    const isAllowed = more.isAllowed ?? (() => true);
    const release = streams.hold({
      host,
      found: { opened, credential },
      table,
      end: () => void (seen.ended += 1),
      ...more,
      isAllowed: (now, who) => {
        seen.judged.push(who);
        return isAllowed(now, who);
      },
    });
    return { seen, release };
  }
  return { streams, hold, asked, listeners, table, opened, close: () => (streams.close(), cache.close()) };
}

const nobody = { found: undefined } as unknown as Partial<HeldStream>;

test('it ends with its session, once, and others go on', (t) => {
  const { hold, listeners, close } = makeStreams();
  t.after(close);
  const [one, two] = [hold(), hold(nobody)];
  listeners.ended(['one']);
  listeners.ended(['one']);
  assert.deepEqual([one.seen.ended, two.seen.ended], [1, 0]);
});

test('what has let go is ended by nothing', (t) => {
  const { hold, listeners, streams, close } = makeStreams();
  t.after(close);
  const { seen, release } = hold({ isAllowed: () => false });
  release();
  listeners.ended(['one']);
  streams.recheck(tableOf(host));
  assert.deepEqual(seen, { ended: 0, judged: [] });
});

test('a session that has ended already holds nothing', (t) => {
  const { hold, listeners, close } = makeStreams();
  t.after(close);
  listeners.ended(['one']);
  const { seen } = hold();
  assert.equal(seen.ended, 1);
});

test('after a doubt it asks again, and ends where its session has', { timeout: 5_000 }, async (t) => {
  const { hold, asked, listeners, close } = makeStreams();
  t.after(close);
  const ended = Promise.withResolvers<void>();
  asked.answer = () => Promise.resolve(undefined);
  hold({ end: ended.resolve });
  listeners.doubted();
  await ended.promise;
});

test('it is judged by what its session has become', { timeout: 5_000 }, async (t) => {
  const { hold, asked, listeners, opened, close } = makeStreams();
  t.after(close);
  const ended = Promise.withResolvers<void>();
  const demoted = { ...opened, session: { ...opened.session, identity: { ...opened.session.identity, groups: [] } } };
  asked.answer = () => Promise.resolve(demoted);
  hold({ isAllowed: (_, who) => who?.identity.groups.length !== 0, end: ended.resolve });
  listeners.doubted();
  await ended.promise;
});

for (const [who, more] of [
  ['of somebody signed in', {}],
  ['of nobody', nobody],
] as const) {
  test(`a stream ${who} ends when a table comes that refuses it`, (t) => {
    const { hold, streams, close } = makeStreams();
    t.after(close);
    const refuses = tableOf(host);
    const { seen } = hold({ ...more, isAllowed: (table) => table !== refuses });
    streams.recheck(tableOf(host));
    assert.equal(seen.ended, 0);
    streams.recheck(refuses);
    streams.recheck(tableOf(host));
    assert.equal(seen.ended, 1);
    assert.equal(seen.judged.length, 2, 'what has ended is not judged again');
  });

  test(`a stream ${who} ends when such a table came while it was let through`, (t) => {
    const { hold, streams, table, close } = makeStreams();
    t.after(close);
    streams.recheck(tableOf(host));
    const { seen } = hold({ ...more, isAllowed: (now) => now === table });
    assert.equal(seen.ended, 1);
  });
}

test('it is not judged where nothing touched its host', (t) => {
  const { hold, streams, table, close } = makeStreams();
  t.after(close);
  const { seen } = hold({ isAllowed: () => false });
  streams.recheck({ ...table, hosts: new Map([...table.hosts, ...tableOf('b.example').hosts]) });
  assert.deepEqual(seen, { ended: 0, judged: [] });
});

test('it is judged where its host was a wildcard, or no host at all, and now has a name', (t) => {
  for (const before of ['*.example', '']) {
    const { hold, streams, close } = makeStreams();
    t.after(close);
    const { seen } = hold({ table: tableOf(before), isAllowed: () => false });
    streams.recheck(tableOf(before, host));
    assert.equal(seen.ended, 1, before);
  }
});

test('while auth cannot be asked it lives on, until its session ends by the clock', { timeout: 5_000 }, async (t) => {
  const opened = session('one');
  const short = { ...opened, session: { ...opened.session, expiresAt: Date.now() + 200 } };
  const { hold, asked, listeners, close } = makeStreams(short);
  t.after(close);
  asked.answer = () => Promise.reject(new Error('away'));
  const ended = Promise.withResolvers<number>();
  hold({ end: () => ended.resolve(Date.now()) });
  listeners.doubted();
  await sleep(50);
  assert((await ended.promise) >= short.session.expiresAt);
});
