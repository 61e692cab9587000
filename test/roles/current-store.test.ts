// Which store is open, as settings come and change: what is asked before, what stays, and what is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeTicket } from '../../src/auth/cookie.ts';
import { createKeyRing } from '../../src/auth/keys.ts';
import { Redacted } from '../../src/model/diagnostic.ts';
import { defaultClassSettings } from '../../src/model/settings.ts';
import type { StoreSettings } from '../../src/model/settings.ts';
import { startAuthRole } from '../../src/roles/auth.ts';
import { createCurrentStore } from '../../src/roles/current-store.ts';
import { createKeeper } from '../../src/roles/keeper.ts';
import { memoryLink } from '../../src/roles/messages.ts';
import type {
  AuthorityQuestion,
  AuthorityReply,
  SettingsMessage,
  StoreQuestion,
  StoreReply,
} from '../../src/roles/messages.ts';
import { askAuthority } from '../../src/roles/proxy.ts';
import { askStore } from '../../src/roles/remote-store.ts';
import { createMemoryStore } from '../../src/sessions/memory.ts';
import type { RecordChange, StoredRecord } from '../../src/sessions/store.ts';
import { createLogger, createMetrics } from '../../src/telemetry.ts';

const silent = createLogger('silent');
const record = (id: string): StoredRecord => ({
  type: 'session',
  id,
  index: {},
  listing: '',
  body: '',
  expiresAt: Date.now() + 60_000,
});
const secrets = (namespace: string): StoreSettings => ({ type: 'Secret', namespace, max: 9 });
const redis = (password: string): StoreSettings => ({
  type: 'Redis',
  urls: ['redis://x'],
  cluster: false,
  password: new Redacted(password),
});

function makeCurrent() {
  const opened: StoreSettings[] = [];
  const lines: unknown[] = [];
  const log = createLogger('warn', (line) => lines.push(JSON.parse(line)));
  const current = createCurrentStore((settings) => {
    opened.push(settings);
    return createMemoryStore();
  }, log);
  return { ...current, opened, lines };
}

test('before any settings the store is unavailable', async () => {
  const { store } = makeCurrent();
  await assert.rejects(store.read('session', 'x'), { name: 'StoreError', code: 'unavailable' });
  await store.close();
});

test('the same settings, and none, leave the store as it is; a password that changed opens another', async () => {
  const { store, use, opened } = makeCurrent();
  use(redis('one'));
  await store.create(record('a'));
  use(redis('one'));
  use(undefined);
  assert.equal(opened.length, 1);
  assert.ok(await store.read('session', 'a'));
  use(redis('two'));
  assert.equal(opened.length, 2);
  await store.close();
});

test('a change closes the store before, tells that everything is to be asked for anew, and is logged', async () => {
  const { store, use, lines } = makeCurrent();
  const heard: RecordChange[] = [];
  use({ type: 'Memory' });
  await store.create(record('a'));
  store.watch((news) => void heard.push(news));
  use(secrets('n'));
  assert.deepEqual(heard, [{ change: 'unknown' }]);
  assert.equal(await store.read('session', 'a'), undefined);
  await store.create(record('b'));
  assert.deepEqual(heard.at(-1), { type: 'session', id: 'b', change: 'created' });
  const [line] = lines as { store: string; before: string; msg: string }[];
  assert.deepEqual([line?.store, line?.before], ['Secret', 'Memory']);
  await store.close();
});

test('control opens what is of Secrets, another where the namespace changes, and none for Redis', async () => {
  const [toControl, toAuth] = memoryLink<StoreQuestion, StoreReply>(true);
  const opened: string[] = [];
  const open = ({ namespace }: { namespace: string }) => {
    opened.push(namespace);
    return createMemoryStore();
  };
  const keeper = createKeeper({ toAuth, open, log: silent });
  const store = askStore(toControl);
  keeper.use(secrets('a'));
  await store.create(record('x'));
  keeper.use(secrets('a'));
  keeper.use(undefined);
  assert.ok(await store.read('session', 'x'));
  keeper.use(secrets('b'));
  assert.equal(await store.read('session', 'x'), undefined);
  keeper.use(redis('p'));
  await assert.rejects(store.read('session', 'x'), { code: 'unavailable' });
  assert.deepEqual(opened, ['a', 'b']);
  await keeper.close();
});

test('where there is no API server, sessions that were to live in Secrets live in memory, and one line says so', async () => {
  const [control, fromControl] = memoryLink<SettingsMessage, never>(false);
  const [toAuth, toProxy] = memoryLink<AuthorityQuestion, AuthorityReply>(true);
  const lines: string[] = [];
  const log = createLogger('info', (line) => lines.push((JSON.parse(line) as { msg: string }).msg));
  const role = startAuthRole({ fromControl, toProxy, log, metrics: createMetrics() });
  const ring = createKeyRing();
  const settings = { class: defaultClassSettings, providers: [], keyRing: ring, store: secrets('n') };
  control.send({ type: 'settings', settings });
  control.send({ type: 'settings', settings: { ...settings } });
  const value = encodeTicket(ring, { id: 'A'.repeat(22), secret: new Uint8Array(32) }, 'a.example', false);
  assert.equal(await askAuthority(toAuth).open('a.example', { kind: 'Cookie', value }), undefined, 'the store answers');
  assert.deepEqual(lines, [
    'sessions live in memory, and end with this process: a folder has no API server to keep them',
  ]);
  await role.close();
});
