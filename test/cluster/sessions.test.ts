// Sessions as Secrets, on a real API server: the contract, two replicas, outages, and what the Secrets and the Role are worth.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createKubernetesClient } from '../../src/kubernetes/client.ts';
import { kubeconfigConnection } from '../../src/kubernetes/connect.ts';
import { createSecretStore } from '../../src/sessions/secret.ts';
import { StoreError } from '../../src/sessions/store.ts';
import type { RecordChange, Store, StoredRecord } from '../../src/sessions/store.ts';
import { createLogger, createMetrics } from '../../src/telemetry.ts';
import { root } from '../docs/pages.ts';
import { until } from '../integration/rig.ts';
import { storeContract } from '../sessions.contract.ts';
import { startApiServer } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';

// A cluster that was lent to the tests is not killed.
const outages =
  process.env['KUBECONFIG_TEST'] !== undefined && 'KUBECONFIG_TEST is set: it takes an API server of our own';
let api: ApiServer;
before(async () => {
  api = await startApiServer();
});
/** Closed in the end, whatever failed: a watch that nobody stops never gives up. */
const opened: Store[] = [];
after(async () => {
  await Promise.all(opened.map((store) => store.close()));
  await api?.stop();
});

const namespaceOf = (name: string) => `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`;

let namespaces = 0;
async function newNamespace(): Promise<string> {
  namespaces += 1;
  const name = `sessions-${namespaces}`;
  await api.apply(namespaceOf(name));
  return name;
}

async function openStore(namespace: string, max = 5_000, now = Date.now): Promise<Store> {
  const client = createKubernetesClient(await kubeconfigConnection(api.kubeconfigPath));
  const settings = { namespace, max };
  const store = createSecretStore({ client, settings, log: createLogger('silent'), metrics: createMetrics(), now });
  opened.push(store);
  return store;
}

storeContract('the store in Secrets', async ({ max } = {}) => ({
  store: await openStore(await newNamespace(), max),
  advance: (ms) => delay(ms),
}));

const record = (more: Partial<StoredRecord> = {}): StoredRecord => ({
  type: 'session',
  id: randomBytes(16).toString('base64url'),
  index: {},
  listing: 'listing',
  body: 'body',
  expiresAt: Date.now() + 60_000,
  ...more,
});

const isTold = (heard: readonly RecordChange[], id: string, wanted: RecordChange['change']) =>
  heard.some((news) => news.change === wanted && 'id' in news && news.id === id);

const isUnavailable = (error: unknown) => error instanceof StoreError && error.code === 'unavailable';

/** Waits for what a store tells, a second at the most; the time it took, in milliseconds. */
async function within1s(isSo: () => boolean | Promise<boolean>, what: string): Promise<number> {
  return until(async () => isSo(), 1_000, what);
}

describe('two replicas', () => {
  let one: Store;
  let other: Store;
  const heard: RecordChange[] = [];
  before(async () => {
    const namespace = await newNamespace();
    [one, other] = await Promise.all([openStore(namespace), openStore(namespace)]);
    other.watch((change) => void heard.push(change));
    await one.create(record());
    await until(async () => heard.length > 0, 5_000, 'the watch is there');
  });
  after(() => Promise.all([one?.close(), other?.close()]));
  const hears = (id: string, wanted: RecordChange['change']) =>
    within1s(() => isTold(heard, id, wanted), `${wanted} is heard`);

  test('what one has written the other reads at once, and hears within a second', async () => {
    const session = record();
    await one.create(session);
    assert.deepEqual((await other.read('session', session.id))?.record, session);
    const createdMs = await hears(session.id, 'created');
    const began = performance.now();
    await one.remove('session', session.id);
    await hears(session.id, 'removed');
    console.log(
      `created: heard after ${createdMs.toFixed(1)} ms; removed: ${(performance.now() - began).toFixed(1)} ms`,
    );
    assert.equal(await other.read('session', session.id), undefined);
  });

  test('a one-time code of one is taken by the other, and by one of both alone', async () => {
    const code = record({ type: 'code' });
    await one.create(code);
    const taken = await Promise.all([
      one.take('code', code.id),
      other.take('code', code.id),
      other.take('code', code.id),
    ]);
    assert.deepEqual(
      taken.filter((got) => got !== undefined),
      [code],
    );
  });

  test('find sees what the other has just written', async () => {
    const session = record({ index: { person: 'ana' } });
    await one.create(session);
    assert.deepEqual(await other.find('session', 'person', 'ana'), [session]);
  });

  test('expired Secrets are swept', async () => {
    const session = record({ expiresAt: Date.now() + 300 });
    await one.create(session);
    await hears(session.id, 'created');
    const secrets = async () => (await api.kubectl(['get', 'secrets', '-A', '-o', 'name'])).stdout;
    const name = Buffer.from(session.id).toString('hex');
    assert.match(await secrets(), new RegExp(name));
    await until(async () => !(await secrets()).includes(name), 60_000, 'it is swept');
  });
});

test('the cap counts what other replicas have written, says what to do, and leaves codes alone', async () => {
  const namespace = await newNamespace();
  const [one, other] = await Promise.all([openStore(namespace, 2), openStore(namespace, 2)]);
  const heard: RecordChange[] = [];
  one.watch((news) => void heard.push(news));
  const theirs = [record(), record()];
  for (const session of theirs) await other.create(session);
  // What it has not heard of yet it cannot count.
  await within1s(() => theirs.every(({ id }) => isTold(heard, id, 'created')), 'it has heard of both');
  await assert.rejects(one.create(record()), {
    name: 'StoreError',
    code: 'full',
    message: `namespace ${namespace} holds 2 sessions, the maximum: raise spec.sessions.store.secret.max of the Sallyport, or keep sessions in Redis`,
  });
  assert.equal(await one.create(record({ type: 'code' })), true);
  await Promise.all([one.close(), other.close()]);
});

test('without its namespace the store says which one is missing', async () => {
  const store = await openStore('not-there');
  await assert.rejects(store.create(record()), { code: 'unavailable', message: /namespaces "not-there" not found/ });
  await store.close();
});

test('made-up ids are asked for in bounded number; known ones are read on', async () => {
  const store = await openStore(await newNamespace());
  const session = record();
  await store.create(session);
  const answers = await Promise.allSettled(Array.from({ length: 400 }, () => store.read('session', record().id)));
  const refused = answers.filter((answer) => answer.status === 'rejected');
  assert.ok(
    refused.length > 50 && refused.every(({ reason }) => reason instanceof StoreError && reason.code === 'busy'),
    `${refused.length} refused`,
  );
  assert.notEqual(await store.read('session', session.id), undefined);
  await store.close();
});

describe('the API server away', { skip: outages }, () => {
  test('every call ends within its deadline, paused or killed; all is well afterwards, and what was missed is told', async () => {
    const namespace = await newNamespace();
    const [one, other] = await Promise.all([openStore(namespace), openStore(namespace)]);
    const [kept, doomed] = [record(), record()];
    await one.create(kept);
    await one.create(doomed);
    const heard: RecordChange[] = [];
    one.watch((change) => void heard.push(change));
    const everyCallFails = async () => {
      const began = performance.now();
      const calls = [
        one.create(record()),
        one.read('session', kept.id),
        one.take('session', kept.id),
        one.find('session', 'person', 'x'),
      ];
      for (const call of await Promise.allSettled(calls))
        assert.ok(call.status === 'rejected' && isUnavailable(call.reason));
      return performance.now() - began;
    };
    api.pause();
    const pausedMs = await everyCallFails();
    api.resume();
    await until(
      async () =>
        one.read('session', kept.id).then(
          (found) => found !== undefined,
          () => false,
        ),
      10_000,
      'it answers',
    );
    await api.kill();
    const killedMs = await everyCallFails();
    await until(async () => heard.at(-1)?.change === 'unknown', 1_200, 'it knows that it is deaf');
    const unknowns = heard.length;
    await delay(2_200);
    assert.ok(heard.length >= unknowns + 2, 'and says so every second');
    await api.restart();
    await until(async () => other.remove('session', doomed.id).catch(() => false), 20_000, 'the other removes one');
    const toldMs = await until(async () => isTold(heard, doomed.id, 'removed'), 40_000, 'it is told');
    await delay(500);
    const known = heard.length;
    await delay(2_200);
    assert.equal(heard.length, known, 'it hears again, and has nothing to tell');
    console.log(
      `calls failed after ${pausedMs.toFixed()} ms (paused), ${killedMs.toFixed()} ms (killed); the watch was back ${toldMs.toFixed()} ms after`,
    );
    assert.ok(pausedMs < 10_500 && killedMs < 3_500);
    await Promise.all([one.close(), other.close()]);
  });
});

test('the Role of manifests/sessions.yaml is all that the store needs, and is of no use elsewhere', async () => {
  await api.apply(namespaceOf('sallyport-system'));
  await api.apply('apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: sallyport, namespace: sallyport-system}\n');
  await api.apply(readFileSync(join(root, 'manifests/sessions.yaml'), 'utf8'));
  const kubectl = async (...args: string[]) => (await api.kubectl(args)).stdout.trim();
  const token = await kubectl('create', 'token', 'sallyport', '-n', 'sallyport-system');
  const { server, credentials } = await kubeconfigConnection(api.kubeconfigPath);
  const { ca } = await credentials();
  const client = createKubernetesClient({
    server,
    credentials: async () => ({ ...(ca !== undefined && { ca }), authorization: `Bearer ${token}` }),
  });
  const settings = { namespace: 'sallyport-sessions', max: 10 };
  const store = createSecretStore({ client, settings, log: createLogger('silent'), metrics: createMetrics() });
  const heard: RecordChange[] = [];
  store.watch((news) => void heard.push(news));
  const session = record({ index: { person: 'ana' } });
  await store.create(session);
  const found = await store.read('session', session.id);
  assert.equal(await store.replace({ ...session, body: 'new' }, found?.revision ?? ''), true);
  assert.equal((await store.find('session', 'person', 'ana')).length, 1);
  assert.equal(await store.remove('session', session.id), true);
  const other = await openStore('sallyport-sessions');
  const theirs = record();
  await other.create(theirs);
  await until(async () => isTold(heard, theirs.id, 'created'), 5_000, 'its watch hears');
  await Promise.all([store.close(), other.close()]);
  const may = async (verb: string, namespace: string) =>
    kubectl(
      'auth',
      'can-i',
      verb,
      'secrets',
      '-n',
      namespace,
      '--as',
      'system:serviceaccount:sallyport-system:sallyport',
    );
  for (const verb of ['get', 'list', 'watch', 'create', 'update', 'delete']) {
    assert.equal(await may(verb, 'sallyport-sessions'), 'yes', verb);
    assert.equal(await may(verb, 'default'), 'no', verb);
  }
  for (const verb of ['patch', 'deletecollection']) assert.equal(await may(verb, 'sallyport-sessions'), 'no', verb);
});
