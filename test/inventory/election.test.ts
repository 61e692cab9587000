// The election: one leader at a time by everybody's own clock, a Lease given back is taken at once, and nothing is written after a term.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, createKubernetesClient } from '../../src/kubernetes/client.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import { startElection } from '../../src/kubernetes/election.ts';
import type { Election } from '../../src/kubernetes/election.ts';
import { startTerm, systemClocks, withinTerm } from '../../src/kubernetes/term.ts';
import type { Moment, Term } from '../../src/kubernetes/term.ts';
import { createMetrics } from '../../src/telemetry.ts';
import { lines, until } from './log.ts';

const timings = { leaseMs: 1_000, renewDeadlineMs: 600, retryMs: 50 };

interface LeaseSpec {
  readonly holderIdentity: string;
  readonly leaseTransitions: number;
  readonly leaseDurationSeconds: number;
}

/** One Lease, with the API server's compare-and-swap. */
function leaseServer() {
  let version = 0;
  let stored: { metadata: { resourceVersion: string }; spec: LeaseSpec } | undefined;
  const failure = (code: 'NotFound' | 'Conflict') => new ApiError({ code, status: 0, message: code });
  const answer = (method: string, body: unknown) => {
    if (method === 'GET' && stored === undefined) throw failure('NotFound');
    if (method === 'GET') return stored;
    const given = body as NonNullable<typeof stored>;
    const isStale = method === 'PUT' && given.metadata.resourceVersion !== stored?.metadata.resourceVersion;
    if (isStale || (method === 'POST' && stored !== undefined)) throw failure('Conflict');
    version += 1;
    stored = { metadata: { ...given.metadata, resourceVersion: String(version) }, spec: given.spec };
    return stored;
  };
  return {
    get spec() {
      return stored?.spec;
    },
    /** A replica's way to it, which can be cut. */
    client(): KubernetesClient & { fault: ApiError | undefined; requests: string[] } {
      const client = {
        fault: undefined as ApiError | undefined,
        requests: [] as string[],
        async request(method: string, _path: string, options: { body?: unknown } = {}) {
          client.requests.push(method);
          await sleep(1);
          if (client.fault !== undefined) throw client.fault;
          return { status: 200, body: structuredClone(answer(method, options.body)) };
        },
        stream: async function* () {
          yield* [];
        },
      };
      return client;
    },
  };
}

const running: Election[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

function candidate(client: KubernetesClient) {
  const log = lines();
  const common = { namespace: 'sallyport-system', name: 'sallyport', metrics: createMetrics(), log: log.logger };
  const election = startElection({ client, timings, ...common });
  const terms: Term[] = [];
  election.onTerm((term) => terms.push(term));
  running.push(election);
  return { election, terms, log };
}

const unreachable = new ApiError({ code: 'Unreachable', status: 0, message: 'cut off' });

test('of several that start together one leads, and renews without looking', async () => {
  const server = leaseServer();
  const clients = [server.client(), server.client(), server.client()];
  const all = clients.map(candidate);
  await until(() => all.some(({ election }) => election.standing() === 'Leading'));
  await sleep(400);
  const leading = all.filter(({ election }) => election.standing() === 'Leading');
  assert.equal(leading.length, 1);
  const index = all.indexOf(leading[0]!);
  assert.deepEqual([...new Set(clients[index]!.requests.slice(4))], ['PUT']);
  assert.equal(all.flatMap(({ terms }) => terms).length, 1);
  assert.equal(server.spec?.leaseTransitions, 0);
});

test('a Lease that is given back is taken at once, and counts as a transition', async () => {
  const server = leaseServer();
  const first = candidate(server.client());
  await until(() => first.terms.length === 1);
  const second = candidate(server.client());
  await until(() => second.log.of('another replica leads').length === 1);
  const startedAt = performance.now();
  await first.election.stop();
  assert.equal(first.terms[0]!.signal.aborted, true);
  await until(() => second.terms.length === 1);
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs < timings.leaseMs - 200, `${tookMs} ms`);
  assert.equal(server.spec?.leaseTransitions, 1);
});

test('a leader that is cut off ends its term before anybody else begins one, and follows when it is back', async () => {
  const server = leaseServer();
  const client = server.client();
  const first = candidate(client);
  await until(() => first.terms.length === 1);
  const second = candidate(server.client());
  await until(() => second.log.of('another replica leads').length === 1);
  let endedAt = Infinity;
  first.terms[0]!.signal.addEventListener('abort', () => (endedAt = performance.now()));
  client.fault = unreachable;
  const cutAt = performance.now();
  await until(() => second.terms.length === 1);
  const begunAt = performance.now();
  assert.ok(endedAt < begunAt, 'the first had ended');
  assert.ok(begunAt - cutAt >= timings.leaseMs - timings.retryMs - 50, `${begunAt - cutAt} ms`);
  assert.throws(() => first.terms[0]!.check());
  client.fault = undefined;
  await until(() => first.log.of('another replica leads').length === 1);
  assert.equal(first.election.standing(), 'Following');
});

test('an answer that was lost costs no term', async () => {
  const server = leaseServer();
  const client = server.client();
  const { election, terms } = candidate(client);
  await until(() => terms.length === 1);
  const { request } = client;
  let lost = 0;
  // Done, and nobody hears of it: our next renewal is over an older version.
  client.request = async (...args) => {
    const done = await request(...args);
    if (args[0] !== 'PUT' || lost > 0) return done;
    lost += 1;
    throw unreachable;
  };
  await until(() => lost === 1);
  await sleep(timings.renewDeadlineMs + 100);
  assert.equal(election.standing(), 'Leading');
  assert.equal(terms.length, 1);
});

test('without the right to Leases nobody leads, and one line says so', async () => {
  const client = leaseServer().client();
  client.fault = new ApiError({ code: 'Forbidden', status: 403, message: 'leases is forbidden' });
  const { election, terms, log } = candidate(client);
  await until(() => election.standing() === 'Forbidden');
  await sleep(200);
  assert.equal(terms.length, 0);
  const said = log.of('not permitted to use the Lease: this replica writes no statuses and no Events');
  assert.equal(said.length, 1);
});

test('a term is over by the clocks before its timer has run, and whichever clock says more is believed', () => {
  for (const passed of [
    { monotonicMs: 600, wallMs: 0 },
    { monotonicMs: 0, wallMs: 600 },
  ]) {
    let now: Moment = { monotonicMs: 5_000, wallMs: 1e12 };
    const term = startTerm({ read: () => now });
    term.extend(now, 600);
    now = { monotonicMs: now.monotonicMs + passed.monotonicMs - 1, wallMs: now.wallMs + passed.wallMs - 1 };
    term.check();
    now = { monotonicMs: now.monotonicMs + 1, wallMs: now.wallMs + 1 };
    assert.throws(() => term.check(), /could not be renewed in time/);
    assert.equal(term.signal.aborted, true);
  }
});

test('what waits for a connection when the term ends never leaves, and what is under way is cut off', async (t) => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (request.url !== '/slow') response.setHeader('content-type', 'application/json').end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  let asked: (() => void) | undefined;
  const credentials = async () => {
    asked?.();
    return {};
  };
  const client = createKubernetesClient({ server: `http://127.0.0.1:${port}`, credentials });
  let now = systemClocks.read();
  const term = startTerm({ read: () => now });
  term.extend(now, 60_000);
  const fenced = withinTerm(client, term);
  await fenced.request('PATCH', '/first', { body: {} });
  const slow = assert.rejects(fenced.request('PATCH', '/slow', { body: {} }), ApiError);
  await until(() => seen.includes('PATCH /slow'));
  // The process stands still while the request is on its way to a connection; the timer has not run.
  const late = createKubernetesClient({ server: `http://127.0.0.1:${port}`, credentials });
  asked = () => (now = { ...now, monotonicMs: now.monotonicMs + 60_000 });
  await assert.rejects(withinTerm(late, term).request('PATCH', '/late', { body: {} }), /renewed in time/);
  await slow;
  assert.deepEqual(seen, ['PATCH /first', 'PATCH /slow']);
});
