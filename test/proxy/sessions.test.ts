// The data path's cache of sessions: what it asks again when news of ends may have been lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Authority, Credential, OpenedSession } from '../../src/auth/authority.ts';
import { createOpened } from '../../src/proxy/opened.ts';
import { createSessions } from '../../src/proxy/sessions.ts';
import { session } from './rig.ts';

const credential: Credential = { kind: 'Cookie', value: 'c' };

function makeSessions() {
  const doubters = new Set<() => void>();
  const opened: OpenedSession = session('one');
  const asked = { count: 0, answer: Promise.resolve<OpenedSession | undefined>(opened) };
  const authority = {
    open() {
      asked.count += 1;
      return asked.answer;
    },
    onEnded: () => () => undefined,
    onDoubted(listener: () => void) {
      doubters.add(listener);
      return () => doubters.delete(listener);
    },
  } as unknown as Authority;
  const sessions = createSessions({ authority, now: Date.now });
  return {
    sessions,
    asked,
    opened,
    find: () => sessions.find('a.example', [credential], ['okta']),
    doubt: () => doubters.forEach((tell) => tell()),
  };
}

test('a session is asked for once, and once more after each doubt', async (t) => {
  const { sessions, asked, find, doubt } = makeSessions();
  t.after(() => sessions.close());
  for (let count = 0; count < 100; count += 1) await find();
  assert.equal(asked.count, 1);
  doubt();
  for (let count = 0; count < 100; count += 1) await find();
  assert.equal(asked.count, 2);
});

test('an answer that was on its way when the doubt came serves its own request alone', async (t) => {
  const { sessions, asked, opened, find, doubt } = makeSessions();
  t.after(() => sessions.close());
  const { promise, resolve } = Promise.withResolvers<OpenedSession | undefined>();
  asked.answer = promise;
  const finding = find();
  doubt();
  resolve(opened);
  assert.deepEqual(await finding, { opened, credential });
  await find();
  assert.equal(asked.count, 2);
});

test('more ends than can be remembered have every session asked for again', async () => {
  const asked: string[] = [];
  let end: (ids: readonly string[]) => void = () => undefined;
  const authority = {
    open: (_host: string, { value }: Extract<Credential, { kind: 'Cookie' }>) => {
      asked.push(value);
      return Promise.resolve(asked.filter((one) => one === value).length > 1 ? undefined : session(value));
    },
    onEnded: (listener: typeof end) => {
      end = listener;
      return () => undefined;
    },
    onDoubted: () => () => undefined,
  } as unknown as Authority;
  const opened = createOpened({ authority, now: Date.now, timeoutMs: 1_000, limit: 10 });
  const open = (value: string) => opened.open('a.example', { kind: 'Cookie', value });
  assert.notEqual(await open('first'), undefined);
  end(['first', ...Array.from({ length: 10 }, (_, n) => `other ${n}`)]);
  assert.equal(await open('first'), undefined);
});
