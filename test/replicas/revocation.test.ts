// A session that ends on one process ends on the other within a second, with whatever it holds open there.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../integration/rig.ts';
import { startRedis } from '../redis/server.ts';
import type { RedisServer } from '../redis/server.ts';
import { lent, startInSecrets } from './in-secrets.ts';
import { startReplicas } from './replicas.ts';
import type { Replicas } from './replicas.ts';
import { cookieOf, openStreams, signIn, signOut, statusOf } from './visitor.ts';

const withinMs = 1_000;

describe('sessions in Redis', { timeout: 120_000 }, () => {
  let redis: RedisServer;
  let replicas: Replicas;
  before(async () => {
    redis = await startRedis();
    replicas = await startReplicas({ sessions: `{store: {type: Redis, redis: {url: "${redis.url}"}}}` });
  });
  after(async () => {
    await replicas?.stop();
    await redis?.stop();
  });

  test('a sign-out at one closes streams and refuses requests at the other', () => endsElsewhere(replicas));
});

describe('sessions in Secrets', { timeout: 180_000, skip: lent }, () => {
  let replicas: Replicas;
  before(async () => {
    replicas = await startInSecrets();
  });
  after(() => replicas?.stop());

  test('a sign-out at one closes streams and refuses requests at the other', () => endsElsewhere(replicas));
});

async function endsElsewhere({ first, second }: Replicas): Promise<void> {
  const client = await signIn(first.port);
  const cookie = cookieOf(client);
  assert.equal(await statusOf(second.port, cookie), 200);
  const streams = await openStreams(second.port, cookie);
  const began = performance.now();
  assert.equal((await signOut(client, first.port)).status, 303);
  const answeredMs = performance.now() - began;
  const refusedMs = await until(async () => (await statusOf(second.port, cookie)) === 401, withinMs, 'it is refused');
  const told: string[] = [];
  for (const { what, closed } of streams) {
    const closedMs = (await Promise.race([closed, delay(3 * withinMs, Infinity, { ref: false })])) - began;
    told.push(`${what} closed after ${closedMs.toFixed(1)} ms`);
    assert.ok(closedMs < withinMs + answeredMs, `${what}: ${closedMs} ms`);
  }
  console.log(
    `the sign-out was answered after ${answeredMs.toFixed(1)} ms, the other refused ${refusedMs.toFixed(1)} ms later; ${told.join(', ')}`,
  );
}
