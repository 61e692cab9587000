// What the store in Secrets makes of an API server that asks to wait, refuses, or says nothing.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { ApiError, apiErrorOf } from '../../src/kubernetes/client.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import { createSecretRequests } from '../../src/sessions/secret-requests.ts';

const failure = (status: number, code: ApiError['code'], retryAfterMs?: number) =>
  new ApiError({ code, status, message: `said ${status}`, ...(retryAfterMs !== undefined && { retryAfterMs }) });

/** Answers with these, one after the other, then with an empty Secret. */
function makeRequests(answers: (ApiError | 'silence')[], timeoutMs = 500) {
  let asked = 0;
  const client = {
    async request(_method: string, _path: string, { signal }: { signal: AbortSignal }) {
      asked += 1;
      const answer = answers.shift();
      if (answer === undefined) return { status: 200, body: {} };
      if (answer !== 'silence') throw answer;
      await once(signal, 'abort');
      throw new ApiError({ code: 'Unreachable', status: 0, message: 'no answer' });
    },
  } as unknown as KubernetesClient;
  const requests = createSecretRequests({ client, namespace: 'n', timeoutMs });
  return { requests, asked: () => asked };
}
const unavailable = { name: 'StoreError', code: 'unavailable' };

test('a 429 is waited out, as long as it asks, within the deadline', async () => {
  const { requests, asked } = makeRequests([failure(429, 'TooManyRequests', 30), failure(429, 'TooManyRequests', 30)]);
  const began = performance.now();
  assert.deepEqual(await requests.get('x'), {});
  assert.ok(performance.now() - began >= 59, 'it waited');
  assert.equal(asked(), 3);
});

test('a 429 that asks for longer than there is time fails at once', async () => {
  const { requests, asked } = makeRequests([failure(429, 'TooManyRequests', 60_000)]);
  const began = performance.now();
  await assert.rejects(requests.get('x'), unavailable);
  assert.ok(performance.now() - began < 400);
  assert.equal(asked(), 1);
});

test('silence ends with the deadline, for those too that waited for a turn', async () => {
  const { requests } = makeRequests(
    Array.from({ length: 60 }, () => 'silence' as const),
    100,
  );
  const began = performance.now();
  const all = await Promise.allSettled(Array.from({ length: 60 }, () => requests.get('x')));
  assert.ok(all.every(({ status }) => status === 'rejected'));
  assert.ok(performance.now() - began < 1_000);
});

test('what is an answer to one question is a failure of another', async () => {
  const asked = (error: ApiError) => makeRequests([error]).requests;
  const metadata = { name: 'x', type: 'session', id: 'i', uid: 'u', resourceVersion: '1', expiresAt: 0 } as const;
  assert.equal(await asked(failure(404, 'NotFound')).get('x'), undefined);
  assert.equal(await asked(failure(409, 'Conflict')).post({}), undefined);
  assert.equal(await asked(failure(404, 'NotFound')).put('x', {}), undefined);
  assert.equal(await asked(failure(409, 'Conflict')).put('x', {}), undefined);
  assert.equal(await asked(failure(404, 'NotFound')).remove(metadata), false);
  await assert.rejects(asked(failure(404, 'NotFound')).post({}), unavailable, 'there is no such namespace');
  for (const error of [failure(403, 'Forbidden'), failure(500, 'Unavailable'), failure(401, 'Unauthorized')]) {
    await assert.rejects(asked(error).get('x'), unavailable);
  }
});

test('closed, it asks nothing, and ends what is under way', async () => {
  const { requests, asked } = makeRequests(['silence'], 60_000);
  const waiting = assert.rejects(requests.get('x'), unavailable);
  requests.close();
  await waiting;
  await assert.rejects(requests.get('x'), unavailable);
  assert.equal(asked(), 1);
});

test('a list that is too old to go on goes on as things are now, from where it ended', async () => {
  const asked: (string | undefined)[] = [];
  const client = {
    async request(_method: string, _path: string, { query }: { query: Record<string, string> }) {
      asked.push(query['continue']);
      if (query['continue'] === 'old') {
        throw apiErrorOf(410, { reason: 'Expired', metadata: { continue: 'anew' } }, 'list');
      }
      const metadata = { resourceVersion: '1', ...(asked.length === 1 && { continue: 'old' }) };
      return { status: 200, body: { metadata, items: [{ metadata: { name: `page-${asked.length}` } }] } };
    },
  } as unknown as KubernetesClient;
  const requests = createSecretRequests({ client, namespace: 'n', timeoutMs: 500 });
  const first = await requests.page('of=sessions');
  assert.equal(first.next, 'old');
  const second = await requests.page('of=sessions', first.next);
  assert.deepEqual(asked, [undefined, 'old', 'anew']);
  assert.equal(second.next, undefined);
  assert.equal(second.objects.length, 1);
});
