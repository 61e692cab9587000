// The lines between roles: order, copies, deadlines, and what each side makes of the other's silence.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthorityError } from '../../src/auth/authority.ts';
import type { Credential, OpenedSession, OwnRequest } from '../../src/auth/authority.ts';
import { defaultClassSettings } from '../../src/model/settings.ts';
import { startAuthRole } from '../../src/roles/auth.ts';
import { createControl } from '../../src/roles/control.ts';
import { createKeeper } from '../../src/roles/keeper.ts';
import { memoryLink } from '../../src/roles/messages.ts';
import type {
  AuthorityQuestion,
  AuthorityReply,
  SettingsMessage,
  StoreQuestion,
  StoreReply,
  TableMessage,
} from '../../src/roles/messages.ts';
import { askAuthority } from '../../src/roles/proxy.ts';
import { createMemoryStore } from '../../src/sessions/memory.ts';
import { createLogger, createMetrics } from '../../src/telemetry.ts';

const credential: Credential = { kind: 'Cookie', value: 'nonsense' };
const soon = () => new Promise((resolve) => void setImmediate(resolve));
const session = {
  id: 's',
  provider: 'p',
  identity: { user: 'u', groups: [], claims: {} },
  authenticatedAt: 0,
  startedAt: 0,
  expiresAt: 1,
};
const opened: OpenedSession = { session, renewAt: 1 };

test('messages arrive in order, also those sent before anybody listens, and never while they are sent', async () => {
  const [near, far] = memoryLink<number, never>(false);
  const got: number[] = [];
  near.send(1);
  near.send(2);
  await soon();
  far.onMessage((message) => got.push(message));
  near.send(3);
  assert.deepEqual(got, [1, 2]);
  await soon();
  assert.deepEqual(got, [1, 2, 3]);
});

test('what crosses a copying line is a copy, and nothing but data can cross it', async () => {
  const [near, far] = memoryLink<{ list: number[] }, never>(true);
  const sent = { list: [1] };
  let received: { list: number[] } | undefined;
  far.onMessage((message) => (received = message));
  near.send(sent);
  sent.list.push(2);
  await soon();
  assert.deepEqual(received, { list: [1] });
  assert.throws(() => near.send({ list: [1], reach: () => 1 } as never), { name: 'DataCloneError' });
});

test('questions and answers find each other, whatever order the answers come in', async () => {
  const [toAuth, toProxy] = memoryLink<AuthorityQuestion, AuthorityReply>(true);
  const questions: AuthorityQuestion[] = [];
  toProxy.onMessage((question) => questions.push(question));
  const authority = askAuthority(toAuth);
  const [first, second] = [authority.open('a', credential), authority.open('b', credential)];
  await soon();
  const [one, two] = questions;
  assert.ok(one && two);
  toProxy.send({ type: 'opened', ask: two.ask, opened });
  toProxy.send({ type: 'opened', ask: one.ask, opened: undefined });
  assert.equal(await first, undefined);
  assert.deepEqual(await second, opened);
});

test('a store that is away is an AuthorityError at the proxy, any other failure is not', async () => {
  const [toAuth, toProxy] = memoryLink<AuthorityQuestion, AuthorityReply>(true);
  const codes = ['unavailable', 'internal'] as const;
  toProxy.onMessage(({ ask }) =>
    toProxy.send({ type: 'failed', ask, code: codes[ask - 1] ?? 'internal', message: 'no' }),
  );
  const authority = askAuthority(toAuth);
  await assert.rejects(authority.open('a', credential), AuthorityError);
  await assert.rejects(authority.open('a', credential), (error) => !(error instanceof AuthorityError));
});

test('an auth role that never answers is unavailable after its deadline', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const [toAuth] = memoryLink<AuthorityQuestion, AuthorityReply>(true);
  const waiting = assert.rejects(askAuthority(toAuth).open('a', credential), AuthorityError);
  t.mock.timers.tick(20_001);
  await waiting;
});

test('the auth role answers across the line, and tells of sessions that end in the store that control keeps', async () => {
  const [control, fromControl] = memoryLink<SettingsMessage, never>(false);
  const [toAuth, toProxy] = memoryLink<AuthorityQuestion, AuthorityReply>(true);
  const [toControl, fromAuth] = memoryLink<StoreQuestion, StoreReply>(true);
  const store = createMemoryStore();
  const keeper = createKeeper({ toAuth: fromAuth, open: () => store, log: createLogger('silent') });
  const role = startAuthRole({
    fromControl,
    toControl,
    toProxy,
    log: createLogger('silent'),
    metrics: createMetrics(),
  });
  const secrets = { type: 'Secret', namespace: 'n', max: 9 } as const;
  keeper.use(secrets);
  control.send({ type: 'settings', settings: { class: defaultClassSettings, providers: [], store: secrets } });
  await soon();
  const authority = askAuthority(toAuth);
  const ended: string[] = [];
  authority.onEnded((ids) => ended.push(...ids));
  const request: OwnRequest = {
    method: 'GET',
    scheme: 'https',
    authority: 'a',
    host: 'a',
    path: '/.well-known/sallyport/jwks.json',
    query: '',
    cookies: [],
    providers: [],
  };
  const answer = await authority.respond(request);
  assert.equal(answer.kind, 'Json');
  assert.equal(await authority.open('a', credential), undefined);
  await store.create({ type: 'session', id: 'x', index: {}, listing: '', body: '', expiresAt: Date.now() + 1000 });
  await store.remove('session', 'x');
  await soon();
  assert.deepEqual(ended, ['x']);
  await role.close();
  await keeper.close();
});

test('control sends every host first, and after that what changed', async () => {
  const [toProxy, proxy] = memoryLink<TableMessage, never>(false);
  const [toAuth] = memoryLink<SettingsMessage, never>(false);
  const control = createControl(toProxy, toAuth);
  const updates: TableMessage['update'][] = [];
  proxy.onMessage(({ update }) => updates.push(update));
  const [a, b, b2] = [
    { host: 'a', routes: [] },
    { host: 'b', routes: [] },
    { host: 'b', routes: [] },
  ];
  const authority = { class: defaultClassSettings, providers: [] };
  const publish = (...hosts: { host: string; routes: [] }[]) =>
    control.publish({
      settings: defaultClassSettings,
      hosts: new Map(hosts.map((host) => [host.host, host])),
      authority,
    });
  publish(a as never, b as never);
  publish(a as never, b2 as never);
  publish(b2 as never);
  await soon();
  assert.deepEqual(
    updates.map(({ generation, changed, removed }) => [generation, changed.map(({ host }) => host), removed]),
    [
      [1, ['a', 'b'], []],
      [2, ['b'], []],
      [3, [], ['a']],
    ],
  );
});
