// `sallyport sessions` at one of two processes: what is revoked ends at both within a second, and both say so.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Outcome } from '../../src/cli/revoke.ts';
import type { ListedSession } from '../../src/auth/revocation/roster.ts';
import { createRedisStore } from '../../src/sessions/redis.ts';
import { createLogger } from '../../src/telemetry.ts';
import { root } from '../docs/pages.ts';
import { startRedis } from '../redis/server.ts';
import type { RedisServer } from '../redis/server.ts';
import { startInSecrets } from './in-secrets.ts';
import type { Replica } from './replica.ts';
import { startReplicas } from './replicas.ts';
import type { Replicas } from './replicas.ts';
import { cookieOf, openStreams, signIn, statusOf } from './visitor.ts';

const withinMs = 1_000;

describe('sessions in Redis', { timeout: 240_000 }, () => {
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

  test('a person is signed out of both, with all that is open', () => revokedAtBoth(replicas));
  test('a replica that stands still confirms nothing', () => silentReplica(replicas));

  test('ten thousand end, and both confirm it', async () => {
    const cookie = cookieOf(await signIn(replicas.first.port));
    assert.equal(await statusOf(replicas.second.port, cookie), 200);
    await fill(redis, 10_000);
    const began = performance.now();
    const { code, outcome, notes } = await revoke(replicas.first, ['--all', '--replicas', '2']);
    console.log(
      `${outcome.ended} of ${outcome.found} sessions ended in ${outcome.tookMs} ms, the whole command ` +
        `${Math.round(performance.now() - began)} ms; confirmed after ${outcome.confirmed.map(({ afterMs }) => afterMs).join(' and ')} ms`,
    );
    assert.deepEqual([code, outcome.found, outcome.ended, outcome.confirmed.length], [0, 10_001, 10_001, 2]);
    assert.match(notes, /^10001 of 10001$/m);
    assert.equal(await statusOf(replicas.second.port, cookie), 401);
    assert.deepEqual((await sessions(replicas.second, ['list', '--all', '-o', 'json'])).output.trim(), '[]');
  });
});

describe('sessions in Secrets', { timeout: 240_000 }, () => {
  let replicas: Replicas;
  before(async () => {
    replicas = await startInSecrets();
  });
  after(() => replicas?.stop());

  test('a person is signed out of both, with all that is open', () => revokedAtBoth(replicas));
  test('a replica that stands still confirms nothing', () => silentReplica(replicas));
});

async function revokedAtBoth({ first, second }: Replicas): Promise<void> {
  const cookies = [cookieOf(await signIn(first.port)), cookieOf(await signIn(first.port))];
  const open = await Promise.all([
    ...cookies.map((cookie) => openStreams(first.port, cookie)),
    ...cookies.map((cookie) => openStreams(second.port, cookie)),
  ]);
  const listed = JSON.parse((await sessions(second, ['list', '--person', 'ana@EXAMPLE.com', '-o', 'json'])).output);
  assert.deepEqual(
    (listed as ListedSession[]).map(({ person, provider }) => [person, provider]),
    [
      ['ana@example.com', 'counting'],
      ['ana@example.com', 'counting'],
    ],
  );
  const { code, outcome, endedAt } = await revoke(first, ['--person', 'ana@example.com', '--replicas', '2']);
  assert.deepEqual([code, outcome.ended, outcome.confirmed.length], [0, 2, 2]);
  const closed = await Promise.all(
    open.flat().map(async ({ what, closed: at }) => {
      const late = delay(3 * withinMs, Infinity, { ref: false });
      return { what, afterMs: (await Promise.race([at, late])) - endedAt };
    }),
  );
  for (const { what, afterMs } of closed) assert.ok(afterMs < withinMs, `${what}: ${afterMs} ms`);
  for (const port of [first.port, second.port])
    for (const cookie of cookies) assert.equal(await statusOf(port, cookie), 401);
  const last = Math.max(...closed.map(({ afterMs }) => afterMs));
  console.log(
    `2 sessions ended in ${outcome.tookMs} ms; ${closed.length} streams closed, the last ${(-last).toFixed(0)} ms before the command had ended; ` +
      outcome.confirmed.map(({ replica, afterMs }) => `${replica} confirmed after ${afterMs} ms`).join(', '),
  );
}

async function silentReplica({ first, second }: Replicas): Promise<void> {
  const cookie = cookieOf(await signIn(first.port));
  assert.equal(await statusOf(second.port, cookie), 200);
  second.signal('SIGSTOP');
  try {
    const { code, outcome } = await revoke(first, ['--all', '--replicas', '2']);
    assert.deepEqual([code, outcome.ended, outcome.confirmed.length], [1, 1, 1]);
  } finally {
    second.signal('SIGCONT');
  }
  const stop = Date.now() + 10_000;
  while ((await statusOf(second.port, cookie)) !== 401 && Date.now() < stop) await delay(20);
  assert.equal(await statusOf(second.port, cookie), 401, 'once it goes on, it has heard');
}

async function sessions({ adminPort, tokenFile }: Replica, args: readonly string[]) {
  const to = ['--admin', `127.0.0.1:${adminPort}`, '--admin-token-file', tokenFile];
  const child = spawn(join(root, 'bin/sallyport'), ['sessions', ...args, ...to], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => void child.once('close', resolve));
  const [output, notes] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, output, notes };
}

async function revoke(replica: Replica, args: readonly string[]) {
  const { code, output, notes } = await sessions(replica, ['revoke', '--yes', '-o', 'json', ...args]);
  assert.ok(output.startsWith('{'), notes);
  const outcome = JSON.parse(output) as Outcome;
  return { code, notes, outcome, endedAt: performance.now() };
}

/** With sessions that a key sealed which nobody holds any more. */
async function fill(redis: RedisServer, count: number): Promise<void> {
  const store = createRedisStore({ urls: [redis.url], cluster: false }, { log: createLogger('silent') });
  const expiresAt = Date.now() + 600_000;
  const create = () => {
    const id = randomBytes(16).toString('base64url');
    return store.create({ type: 'session', id, index: {}, listing: 'x.y', body: 'z'.repeat(3_000), expiresAt });
  };
  for (let done = 0; done < count; done += 200) await Promise.all(Array.from({ length: 200 }, create));
  await store.close();
}
