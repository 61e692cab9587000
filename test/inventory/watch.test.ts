// The watch against an API server that misbehaves in every way that informers have died of: it always catches up.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { nextStep } from '../../src/inventory/steps.ts';
import { systemClock, watchKind } from '../../src/inventory/watch.ts';
import type { Watch, WatchOptions } from '../../src/inventory/watch.ts';
import { ApiError, createKubernetesClient } from '../../src/kubernetes/client.ts';
import { collections } from '../../src/model/objects.ts';
import { createMetrics } from '../../src/telemetry.ts';
import { fail, startFakeApi, status } from './fake-api.ts';
import type { FakeApi } from './fake-api.ts';
import { lines, until } from './log.ts';

const path = '/apis/networking.k8s.io/v1/ingresses';
const ingress = (name: string, host = name) => ({ metadata: { name, namespace: 'default' }, spec: { host } });

describe('a watch', () => {
  let api: FakeApi;
  let watch: Watch | undefined;
  let log: ReturnType<typeof lines>;
  let metrics: ReturnType<typeof createMetrics>;
  /** What the sink knows, by name; and what it was told. */
  let known: Map<string, unknown>;
  let listed: number;
  let forbidden: number;
  let hearing: boolean[];
  let delays: number[];

  beforeEach(async () => {
    api = await startFakeApi();
    log = lines();
    metrics = createMetrics();
    known = new Map();
    listed = 0;
    forbidden = 0;
    hearing = [];
    delays = [];
    api.put(path, ingress('a'));
    api.put(path, ingress('b'));
  });
  afterEach(async () => {
    await watch?.stop();
    watch = undefined;
    await api.stop();
  });

  function start(options: Partial<WatchOptions> = {}): Watch {
    const client = createKubernetesClient({ server: api.url, credentials: async () => ({}) });
    watch = watchKind({
      client,
      type: collections.ingresses,
      log: log.logger,
      metrics,
      idleMs: 2000,
      // Waits are counted, and cut short.
      clock: {
        ...systemClock,
        random: () => 0.5,
        sleep: (ms, signal) => {
          delays.push(ms);
          return systemClock.sleep(Math.min(ms, 10), signal);
        },
      },
      sink: {
        listed(objects) {
          listed += 1;
          known = new Map(objects.map((object) => [object.metadata.name, object['spec']]));
        },
        changed: (object) => void known.set(object.metadata.name, object['spec']),
        deleted: (object) => void known.delete(object.metadata.name),
        forbidden: () => void (forbidden += 1),
        hearing: (is) => void hearing.push(is),
      },
      ...options,
    });
    return watch;
  }
  const lists = () => api.seen.filter(({ query }) => !query.has('watch'));
  const watches = () => api.seen.filter(({ query }) => query.has('watch'));
  const watching = () => until(() => api.watchers.size === 1);
  const names = () => [...known.keys()].toSorted();
  const restarts = async () => (await metrics.watchRestarts.get()).values[0]?.value ?? 0;

  test('lists from the cache, then watches from that version with bookmarks and a time limit', async () => {
    await start().synced;
    await watching();
    assert.deepEqual(names(), ['a', 'b']);
    assert.equal(lists()[0]?.query.toString(), 'resourceVersion=0');
    const { query } = watches()[0]!;
    assert.equal(query.get('resourceVersion'), '102');
    assert.equal(query.get('allowWatchBookmarks'), 'true');
    assert.equal(query.get('timeoutSeconds'), '330');
    api.put(path, ingress('c'));
    api.put(path, ingress('a', 'changed'));
    api.remove(path, 'b');
    await until(() => names().join() === 'a,c');
    assert.deepEqual(known.get('a'), { host: 'changed' });
    assert.equal(listed, 1);
  });

  test('resumes where it was after a reset, without listing again', async () => {
    await start().synced;
    await watching();
    api.put(path, ingress('c'));
    await until(() => known.has('c'));
    for (const response of api.watchers) response.socket?.resetAndDestroy();
    api.put(path, ingress('d'));
    await until(() => known.has('d'));
    assert.equal(listed, 1);
    assert.equal(watches()[1]?.query.get('resourceVersion'), '103');
    assert.equal(await restarts(), 1);
    assert.deepEqual(delays, [375]);
  });

  test('says that it hears before there is anything to hear, and when it no longer does', async () => {
    start();
    await until(() => hearing.at(-1) === true);
    assert.deepEqual(hearing, [true]);
    for (const watcher of api.watchers) watcher.destroy();
    await until(() => hearing.length === 3);
    assert.deepEqual(hearing, [true, false, true]);
    await watch?.stop();
    assert.deepEqual(hearing, [true, false, true, false]);
  });

  test('resumes from a bookmark', async () => {
    await start().synced;
    await watching();
    const heard = watch!.lastHeardAt();
    api.bookmark();
    await until(() => watch!.lastHeardAt() > heard);
    for (const response of api.watchers) response.socket?.resetAndDestroy();
    await until(() => watches().length === 2);
    assert.equal(watches()[1]?.query.get('resourceVersion'), '103');
  });

  test('reopens at once when the server closes a watch in its time', async () => {
    let now = 0;
    await start({
      clock: { now: () => now, random: () => 0, sleep: async (ms) => void delays.push(ms) },
    }).synced;
    await watching();
    now = 300_000;
    for (const response of api.watchers) response.end();
    await until(() => watches().length === 2);
    assert.deepEqual(delays, []);
    assert.equal(await restarts(), 0);
  });

  test('backs off when the server closes every watch at once, and lists anew in the end', async () => {
    for (let time = 0; time < 6; time++) api.onWatch((_request, response) => void response.end());
    await start().synced;
    await until(() => api.watchers.size === 1);
    assert.equal(watches().length, 7);
    assert.deepEqual(delays, [1200, 2000, 3600, 6800, 13_200, 15_400]);
    assert.ok(listed > 1);
  });

  test('lists anew on 410 in the stream, and notices what was deleted during the gap', async () => {
    await start().synced;
    await watching();
    api.remove(path, 'a', true);
    for (const response of api.watchers) {
      response.write(`${JSON.stringify({ type: 'ERROR', object: status(410, 'Expired') })}\n`);
    }
    await until(() => listed === 2);
    assert.deepEqual(names(), ['b']);
    assert.equal(lists()[1]?.query.toString(), 'limit=500');
  });

  test('lists anew on 410 as the status of a watch', async () => {
    api.onWatch(fail(410));
    await start().synced;
    await until(() => listed === 2);
    assert.equal(lists()[1]?.query.toString(), 'limit=500');
  });

  test('survives an ERROR event other than 410, and waits as long as it asks', async () => {
    api.onWatch((_request, response) => {
      const error = status(429, 'TooManyRequests', { details: { retryAfterSeconds: 7 } });
      response.write(`${JSON.stringify({ type: 'ERROR', object: error })}\n`);
    });
    await start().synced;
    await watching();
    assert.deepEqual(delays, [7000]);
    assert.equal(listed, 1);
  });

  test('retries a list that fails, from etcd, and honours Retry-After', async () => {
    api.onList(fail(500));
    api.onList(fail(429, { 'retry-after': '3' }));
    api.onList(fail(503, { 'retry-after': '86400' }));
    await start().synced;
    assert.deepEqual(names(), ['a', 'b']);
    assert.deepEqual(delays, [1200, 3000, 120_000]);
    assert.deepEqual(
      lists().map(({ query }) => query.toString()),
      ['resourceVersion=0', 'limit=500', 'limit=500', 'limit=500'],
    );
  });

  test('follows the pages of a list', async () => {
    api.onList(fail(500));
    api.onList((_request, response) => {
      const metadata = { resourceVersion: '102', continue: 'more' };
      response.end(JSON.stringify({ metadata, items: [ingress('p1')] }));
    });
    api.onList((request, response) => {
      assert.equal(request.query.toString(), 'limit=500&continue=more');
      response.end(JSON.stringify({ metadata: { resourceVersion: '102' }, items: [ingress('p2')] }));
    });
    await start().synced;
    assert.deepEqual(names(), ['p1', 'p2']);
    assert.equal(listed, 1);
  });

  test('an empty list may say null, as a list of metadata does', async () => {
    api.onList((_request, response) => {
      response.end(JSON.stringify({ metadata: { resourceVersion: '102' }, items: null }));
    });
    await start().synced;
    assert.equal(known.size, 0);
    assert.deepEqual(delays, []);
  });

  test('begins again, in one answer, when the second page is gone', async () => {
    api.onList(fail(500));
    api.onList((_request, response) => {
      response.end(JSON.stringify({ metadata: { resourceVersion: '102', continue: 'more' }, items: [ingress('p1')] }));
    });
    api.onList(fail(410));
    await start().synced;
    assert.deepEqual(names(), ['a', 'b']);
    assert.equal(lists()[3]?.query.toString(), '');
    assert.equal(listed, 1);
  });

  test('survives garbage, half a line, an event without a version, and an unknown type', async () => {
    api.onWatch((_request, response) => void response.end('{"type": oops}\n'));
    api.onWatch((_request, response) => void response.end('{"type":"ADDED"'));
    api.onWatch((_request, response) => void response.end('{"type":"ADDED","object":{"metadata":{"name":"x"}}}\n'));
    api.onWatch(
      (_request, response) =>
        void response.end('{"type":"WHAT","object":{"metadata":{"name":"x","resourceVersion":"1"}}}\n'),
    );
    await start().synced;
    await watching();
    api.put(path, ingress('c'));
    await until(() => known.has('c'));
    assert.equal(await restarts(), 4);
    assert.match(String(log.of('watch failed')[1]?.['reason']), /ended within a line/);
    assert.deepEqual(names(), ['a', 'b', 'c']);
  });

  test('a line without an end is cut off at 4 MiB', async () => {
    api.onWatch((_request, response) => void response.write('x'.repeat(5 * 2 ** 20)));
    await start().synced;
    await watching();
    assert.match(String(log.of('watch failed')[0]?.['reason']), /longer than 4194304 bytes/);
  });

  test('gives a silent server up, and finds what it missed', async () => {
    await start({ idleMs: 100 }).synced;
    await watching();
    api.put(path, ingress('c'), true);
    await until(() => known.has('c'));
    assert.ok(watches().length >= 2);
    assert.match(String(log.of('watch failed')[0]?.['reason']), /said nothing for 100 ms/);
    assert.equal(listed, 1);
  });

  test('events keep a watch alive beyond its idle time', async () => {
    await start({ idleMs: 150 }).synced;
    await watching();
    for (let time = 0; time < 8; time++) {
      await new Promise((done) => setTimeout(done, 50));
      api.bookmark();
    }
    assert.equal(watches().length, 1);
  });

  test('a refused connection and one that never answers are no end either', async () => {
    await start().synced;
    await watching();
    await api.stop();
    await until(() => delays.length >= 3);
    assert.equal(log.of('watch failed').filter((line) => line['level'] === 40).length, 1);
    api = await startFakeApi();
  });

  test('metadata only: the content is not asked for', async () => {
    await start({ type: collections.secrets, metadataOnly: true }).synced;
    await watching();
    assert.equal(lists()[0]?.accept, 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1');
    assert.equal(watches()[0]?.accept, 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1');
  });

  test('an optional kind that is forbidden is waited for by nobody, said once, asked for again rarely', async () => {
    api.onList(fail(403));
    api.onList(fail(403));
    const { synced, lastHeardAt } = start({ optional: true });
    const startedAt = lastHeardAt();
    await synced;
    assert.deepEqual([listed, forbidden], [0, 1]);
    // A refusal is an answer: the metric of silence must not grow for ever.
    assert.ok(lastHeardAt() > startedAt);
    await until(() => names().length === 2);
    assert.equal(forbidden, 2);
    assert.deepEqual(delays, [60_000, 60_000]);
    assert.equal(
      log.of('not permitted to read this kind: nothing is known of it').filter((line) => line['level'] === 40).length,
      1,
    );
  });

  test('a kind that is needed and forbidden never counts as empty', async () => {
    api.onList(fail(403));
    let synced = false;
    void start().synced.then(() => (synced = true));
    await until(() => delays.length === 1);
    assert.deepEqual([listed, forbidden], [0, 0]);
    await until(() => synced);
    assert.equal(known.size, 2);
  });

  test('stops at once, wherever it is', async () => {
    await start().synced;
    await watching();
    await watch!.stop();
    await until(() => api.watchers.size === 0);
  });
});

test('the wait grows from 0.8 to 30 s and is spread over all of it', () => {
  const error = new ApiError({ code: 'Unreachable', status: 0, message: '' });
  const delay = (failures: number, random: number) =>
    nextStep({ at: 'List', how: 'Paged' }, { kind: 'Failed', error }, failures, {
      optional: false,
      random: () => random,
    }).delayMs;
  assert.equal(delay(0, 0), 800);
  assert.equal(delay(0, 1), 1600);
  assert.equal(delay(3, 1), 12_800);
  assert.equal(delay(50, 0), 800);
  assert.equal(delay(50, 1), 30_000);
});

test('a watch that was cut off asks again soon, and where nobody answers at all, soon again each time', () => {
  const failed = (code?: string) => {
    const cause = code === undefined ? undefined : Object.assign(new Error(code), { code });
    return { kind: 'Failed' as const, error: new ApiError({ code: 'Unreachable', status: 0, message: '', cause }) };
  };
  const next = (code: string | undefined, failures: number) =>
    nextStep({ at: 'Watch', resourceVersion: '7' }, { ...failed(code), resourceVersion: '7' }, failures, {
      optional: false,
      random: () => 0.999,
    });
  const again = { at: 'Watch', resourceVersion: '7' };
  assert.deepEqual(next('ECONNRESET', 0).step, again);
  assert.ok(next('ECONNRESET', 0).delayMs < 500);
  assert.ok(next('ECONNRESET', 2).delayMs > 1_000, 'somebody is there, and resets');
  assert.deepEqual(next('ECONNREFUSED', 1).step, again);
  assert.equal(next('ECONNREFUSED', 1).failures, 1);
  assert.ok(next('ECONNREFUSED', 1).delayMs < 500);
});
