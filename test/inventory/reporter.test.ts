// The reporter: writes what differs and nothing else, keeps trying, and never holds anybody up.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, createKubernetesClient } from '../../src/kubernetes/client.ts';
import { createWriteQueue } from '../../src/kubernetes/queue.ts';
import { createReporter } from '../../src/kubernetes/reporter.ts';
import type { Findings } from '../../src/kubernetes/reporter.ts';
import type { Writer } from '../../src/kubernetes/statuses.ts';
import { startTerm, systemClocks } from '../../src/kubernetes/term.ts';
import type { RunningTerm, Term } from '../../src/kubernetes/term.ts';
import type { IngressAddress, PublishedStatus } from '../../src/model/addresses.ts';
import type { Diagnostic } from '../../src/model/diagnostic.ts';
import type { Condition, Status } from '../../src/model/kinds.ts';
import { emptyInventory } from '../../src/model/objects.ts';
import type { Inventory, KubernetesObject } from '../../src/model/objects.ts';
import { fail, startFakeApi } from './fake-api.ts';
import type { FakeApi } from './fake-api.ts';
import { lines, until } from './log.ts';

const object = (kind: string, name: string, uid = 'u1'): KubernetesObject => ({
  apiVersion: kind === 'Ingress' ? 'networking.k8s.io/v1' : 'sallyport.dev/v1alpha1',
  kind,
  metadata: { name, namespace: 'default', uid },
});
const condition = (status: 'True' | 'False', lastTransitionTime = '2030-01-01T00:00:00Z'): Condition => ({
  type: 'Programmed',
  status,
  observedGeneration: 1,
  lastTransitionTime,
  reason: status === 'True' ? 'Programmed' : 'PolicyBroken',
  message: 'x',
});

describe('the reporter', () => {
  let api: FakeApi;
  let reporter: Writer<Findings>;
  let begin: (term: Term) => void;
  let term: RunningTerm;
  let refreshed: number;
  let addresses: readonly IngressAddress[] | undefined;
  let log: ReturnType<typeof lines>;
  let now: number;

  beforeEach(async () => {
    api = await startFakeApi();
    log = lines();
    now = Date.parse('2026-05-01T10:00:00.123Z');
    const client = createKubernetesClient({ server: api.url, credentials: async () => ({}) });
    refreshed = 0;
    addresses = undefined;
    reporter = createReporter({
      client,
      election: { onTerm: (listener) => (begin = listener) },
      className: 'sallyport',
      addresses: () => addresses,
      refresh: () => (refreshed += 1),
      log: log.logger,
      now: () => now,
    });
    newTerm();
  });
  afterEach(async () => {
    await reporter.stop();
    term.end('the test is over');
    await api.stop();
  });

  function newTerm(): void {
    term = startTerm(systemClocks);
    term.extend(systemClocks.read(), 60_000);
    begin(term);
  }
  const inventory = (status?: Status, uid?: string): Inventory => ({
    ...emptyInventory(),
    policies: new Map([['default/p', object('Policy', 'p', uid)]]),
    ingresses: new Map([['default/i', object('Ingress', 'i', uid)]]),
    statuses: new Map(status === undefined ? [] : [['Policy/default/p', status]]),
  });
  const wanting = (status: Status, diagnostics: Diagnostic[] = []): Findings => ({
    statuses: [{ collection: 'policies', object: { kind: 'Policy', namespace: 'default', name: 'p' }, status }],
    diagnostics,
    ingresses: [],
  });
  const about = (message: string, kind = 'Ingress', name = 'i'): Diagnostic => ({
    code: 'PathInvalid',
    severity: 'warning',
    object: { kind, namespace: 'default', name },
    path: 'spec.rules[0]',
    message,
  });
  const saying = (...diagnostics: Diagnostic[]): Findings => ({ statuses: [], diagnostics, ingresses: [] });
  const patches = () => api.seen.filter(({ method }) => method === 'PATCH');
  const events = () => api.seen.filter(({ method }) => method === 'POST');
  const statusOf = (index: number) => (patches()[index]?.body as { status: Status } | undefined)?.status;

  test('applies a status that differs, as our field manager, to that very object', async () => {
    reporter.report(wanting({ conditions: [condition('True')], routes: 2 }), inventory());
    await until(() => patches().length === 1);
    const { path, query, body } = patches()[0]!;
    assert.equal(path, '/apis/sallyport.dev/v1alpha1/namespaces/default/policies/p/status');
    assert.equal(query.toString(), 'fieldManager=sallyport%2Fsallyport&force=true');
    assert.deepEqual(body, {
      apiVersion: 'sallyport.dev/v1alpha1',
      kind: 'Policy',
      metadata: { name: 'p', namespace: 'default', uid: 'u1' },
      status: { conditions: [condition('True', '2026-05-01T10:00:00Z')], routes: 2 },
    });
  });

  test('writes nothing where only the time differs, and nothing twice before the watch has shown it', async () => {
    const seen = inventory({ conditions: [condition('True', '2020-01-01T00:00:00Z')], routes: 2 });
    reporter.report(wanting({ conditions: [condition('True')], routes: 2 }), seen);
    await sleep(30);
    assert.equal(patches().length, 0);
    reporter.report(wanting({ conditions: [condition('False')], routes: 2 }), seen);
    await until(() => patches().length === 1);
    await sleep(10);
    reporter.report(wanting({ conditions: [condition('False')], routes: 2 }), seen);
    await sleep(30);
    assert.equal(patches().length, 1);
    // And back: what we wrote counts, not what the watch last showed.
    reporter.report(wanting({ conditions: [condition('True')], routes: 2 }), seen);
    await until(() => patches().length === 2);
  });

  test('keeps lastTransitionTime where the status did not flip', async () => {
    const seen = inventory({ conditions: [condition('True', '2020-01-01T00:00:00Z')], routes: 2 });
    reporter.report(wanting({ conditions: [{ ...condition('True'), message: 'new' }], routes: 2 }), seen);
    await until(() => patches().length === 1);
    assert.equal(statusOf(0)?.conditions?.[0]?.lastTransitionTime, '2020-01-01T00:00:00Z');
  });

  test('writes again what somebody else has overwritten', async () => {
    reporter.report(wanting({ routes: 2 }), inventory());
    await until(() => patches().length === 1);
    await sleep(10);
    reporter.report(wanting({ routes: 2 }), inventory({ routes: 9 }));
    await until(() => patches().length === 2);
  });

  test('tries again after an outage, with what is wanted by then', async () => {
    let outage = true;
    api.onOther((request, response) => (outage ? void fail(503)(request, response) : false));
    reporter.report(wanting({ routes: 1 }), inventory());
    await until(() => log.of('write delayed').length === 1);
    outage = false;
    await until(() => patches().length === 2);
    outage = true;
    reporter.report(wanting({ routes: 4 }), inventory());
    await until(() => log.of('write delayed').length === 2);
    reporter.report(wanting({ routes: 5 }), inventory());
    outage = false;
    await until(() => patches().length === 4);
    assert.equal(statusOf(3)?.routes, 5);
  });

  test('lets go of an object that is gone or was replaced, and of what is refused', async () => {
    for (const [index, code] of [404, 409, 422, 403].entries()) {
      api.onOther(fail(code));
      reporter.report(wanting({ routes: index }), inventory());
      await until(() => patches().length === index + 1);
      await sleep(10);
    }
    assert.deepEqual(log.of('write delayed'), []);
    assert.equal(log.of('write refused').length, 2);
  });

  test('an Event says what is wrong, on the object at fault, once for as long as it is', async () => {
    reporter.report(saying(about('bad path.'), about('of a Service', 'Service')), inventory());
    await until(() => events().length === 1);
    reporter.report(saying(about('bad path.')), inventory());
    await sleep(30);
    assert.equal(events().length, 1);
    const { path, body } = events()[0]!;
    assert.equal(path, '/apis/events.k8s.io/v1/namespaces/default/events');
    const event = body as Record<string, unknown>;
    assert.equal(event['eventTime'], '2026-05-01T10:00:00.123000Z');
    assert.equal(event['type'], 'Warning');
    assert.equal(event['reason'], 'PathInvalid');
    assert.equal(event['note'], 'spec.rules[0]: bad path.');
    assert.equal((event['regarding'] as { uid: string }).uid, 'u1');
    reporter.report(saying(), inventory());
    reporter.report(saying(about('bad path.')), inventory());
    await until(() => events().length === 2);
  });

  test('an Event that is there already, told by who led before, becomes a series', async () => {
    const name = () => (events()[0]!.body as { metadata: { name: string } }).metadata.name;
    const exists = { code: 409, reason: 'AlreadyExists', message: 'it exists' };
    api.onOther((request, response) => {
      if (request.method === 'POST') response.writeHead(409).end(JSON.stringify(exists));
      return request.method === 'POST';
    });
    api.put('/apis/events.k8s.io/v1/namespaces/default/events', { metadata: { name: 'unknown' } });
    reporter.report(saying(about('bad path.')), inventory());
    await until(() => events().length === 1);
    const first = name();
    // The same fault again, by another: under the same name.
    term.end('over');
    newTerm();
    api.put('/apis/events.k8s.io/v1/namespaces/default/events', { metadata: { name: first }, series: { count: 4 } });
    reporter.report(saying(about('bad path.')), inventory());
    // The one under the first name was patched, too, whenever that came.
    const counted = () => patches().find(({ body }) => (body as { series: { count: number } }).series.count === 5);
    await until(() => counted() !== undefined);
    assert.equal((events()[1]!.body as { metadata: { name: string } }).metadata.name, first);
    assert.deepEqual(counted()?.body, { series: { count: 5, lastObservedTime: '2026-05-01T10:00:00.123000Z' } });
  });

  test('what lasts is told again before the API server forgets it', async () => {
    reporter.report(saying(about('bad path.')), inventory());
    await until(() => events().length === 1);
    now += 29 * 60_000;
    reporter.report(saying(about('bad path.')), inventory());
    await sleep(30);
    assert.equal(events().length, 1);
    now += 60_000;
    reporter.report(saying(about('bad path.')), inventory());
    await until(() => events().length === 2);
  });

  test('nothing is written outside a term, and each begins with a look of its own', async () => {
    assert.equal(refreshed, 1);
    term.end('over');
    reporter.report(wanting({ routes: 2 }, [about('bad path.')]), inventory());
    await sleep(30);
    assert.equal(api.seen.length, 0);
    newTerm();
    assert.equal(refreshed, 2);
    reporter.report(wanting({ routes: 2 }, [about('bad path.')]), inventory());
    await until(() => patches().length === 1 && events().length === 1);
  });

  test('another class that uses a policy has the word, until its status is of an older generation', async () => {
    const unused = { ...condition('False'), reason: 'Unused' };
    const theirs = (generation: number, status: 'True' | 'False' = 'True') =>
      inventory({
        conditions: [{ ...condition(status), observedGeneration: generation }],
        routes: 7,
        writers: ['sallyport/other'],
      } as Status);
    reporter.report(wanting({ conditions: [unused], routes: 0 }), theirs(1));
    reporter.report(wanting({ conditions: [condition('True')], routes: 2 }), theirs(1));
    await sleep(30);
    assert.equal(patches().length, 0);
    reporter.report(wanting({ conditions: [condition('True')], routes: 2 }), theirs(1, 'False'));
    await until(() => patches().length === 1);
    await sleep(10);
    reporter.report(wanting({ conditions: [unused], routes: 0 }), theirs(0));
    await until(() => patches().length === 2);
  });

  describe('addresses', () => {
    const served: PublishedStatus = { addresses: [{ ip: '192.0.2.1' }], writers: ['sallyport/sallyport'] };
    const withStatus = (status?: PublishedStatus): Inventory => ({
      ...inventory(),
      statuses: new Map(status === undefined ? [] : [['Ingress/default/i', status]]),
    });
    const report = (isOurs: boolean, seen: Inventory) =>
      reporter.report({ ...saying(), ingresses: isOurs ? [...seen.ingresses.values()] : [] }, seen);
    const pauseMs = 320;

    test('are applied where they differ, once, and not before they are known', async () => {
      const seen = withStatus();
      report(true, seen);
      await sleep(pauseMs);
      assert.equal(patches().length, 0);
      addresses = [{ ip: '192.0.2.1' }, { hostname: 'lb.example' }];
      report(true, seen);
      await until(() => patches().length === 1);
      const { path, query, body } = patches()[0]!;
      assert.equal(path, '/apis/networking.k8s.io/v1/namespaces/default/ingresses/i/status');
      assert.equal(query.get('fieldManager'), 'sallyport/sallyport');
      assert.deepEqual((body as { status: unknown }).status, { loadBalancer: { ingress: addresses } });
      report(true, seen);
      await sleep(pauseMs);
      assert.equal(patches().length, 1);
      addresses = [{ ip: '192.0.2.1' }];
      report(true, withStatus(served));
      await sleep(pauseMs);
      assert.equal(patches().length, 1);
    });

    test('are taken out of an Ingress that left the class where we wrote them, and out of no other', async () => {
      addresses = [{ ip: '192.0.2.1' }];
      report(false, withStatus({ addresses: [{ ip: '192.0.2.1' }] }));
      await sleep(pauseMs);
      report(false, withStatus({ addresses: [{ ip: '192.0.2.1' }], writers: ['sallyport/other'] }));
      await sleep(pauseMs);
      assert.equal(patches().length, 0);
      report(false, withStatus(served));
      await until(() => patches().length === 1);
      assert.deepEqual((patches()[0]!.body as { status: unknown }).status, {});
    });
  });

  test('at most three hundred Events a minute', async () => {
    reporter.report(saying(...Array.from({ length: 320 }, (_, index) => about(`wrong ${index}`))), inventory());
    await until(() => events().length === 300, 30_000);
    await sleep(50);
    assert.equal(events().length, 300);
  });
});

test('a queue over its rate sends the rest a minute later, and nothing that was dropped meanwhile', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const sent: string[] = [];
  const limits = { waiting: 4, concurrent: 1, perMinute: 2 };
  const queue = createWriteQueue(limits, lines().logger, Date.now);
  const add = (key: string) => queue.add(key, { what: key, send: async () => void sent.push(key) });
  const settle = () => new Promise((done) => setImmediate(done));
  assert.deepEqual(['a', 'b', 'c', 'd', 'e', 'f'].map(add), [true, true, true, true, true, false]);
  await settle();
  assert.deepEqual(sent, ['a', 'b']);
  queue.drop('c');
  t.mock.timers.tick(59_999);
  await settle();
  assert.deepEqual(sent, ['a', 'b']);
  t.mock.timers.tick(1);
  await settle();
  assert.deepEqual(sent, ['a', 'b', 'd', 'e']);
  await queue.stop();
});

test('a job that failed does not displace the newer one of its key', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const sent: string[] = [];
  const queue = createWriteQueue({ waiting: 4, concurrent: 2, perMinute: 9 }, lines().logger, () => 0);
  const first = async () => {
    sent.push('first');
    queue.add('key', { what: '', send: async () => void sent.push('second') });
    throw new ApiError({ code: 'Unavailable', status: 503, message: '' });
  };
  queue.add('key', { what: '', send: first });
  await new Promise((done) => setImmediate(done));
  t.mock.timers.tick(5000);
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(sent, ['first', 'second']);
  await queue.stop();
});
