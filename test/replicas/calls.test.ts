// What requests cost others: with a session that is there, none of them makes a call to the provider or the store.
import assert from 'node:assert/strict';
import { Agent, request as httpRequest } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startRedis } from '../redis/server.ts';
import type { RedisServer } from '../redis/server.ts';
import { startApiProxy } from './api-proxy.ts';
import type { ApiProxy } from './api-proxy.ts';
import { lent, startInSecrets } from './in-secrets.ts';
import { startReplicas } from './replicas.ts';
import type { Replicas } from './replicas.ts';
import { cookieOf, signIn, statusOf } from './visitor.ts';

const requests = 10_000;
const connections = 50;
/** So long the proxy uses an opened session before it asks `auth` again (auth/local.ts). */
const renewAfterMs = 60_000;

/** Beats keep the connection alive, whether or not anybody asks for anything; the others are the test's own. */
const beats = new Set(['ping', 'info', 'config|resetstat', 'hello', 'client|setinfo']);

describe('sessions in Redis', { timeout: 180_000 }, () => {
  let redis: RedisServer;
  let replicas: Replicas;
  const start = async (idleTimeout: string) => {
    redis = await startRedis();
    const store = `{type: Redis, redis: {url: "${redis.url}"}}`;
    replicas = await startReplicas({ sessions: `{store: ${store}, idleTimeout: ${idleTimeout}}` });
  };
  const stop = async () => {
    await replicas?.stop();
    await redis?.stop();
  };

  /** Commands by name, since the last time, without beats. */
  async function commands(): Promise<Record<string, number>> {
    const stats = String(await redis.command('INFO', 'commandstats'));
    await redis.command('CONFIG', 'RESETSTAT');
    const all = [...stats.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)].map(([, name = '', calls]) => [
      name,
      Number(calls),
    ]);
    const beaten = all.find(([name]) => name === 'ping')?.[1] ?? 0;
    const counted = Object.fromEntries(all.filter(([name]) => !beats.has(String(name)))) as Record<string, number>;
    console.log(`Redis: ${JSON.stringify(counted)}, and ${beaten} PINGs of two connections`);
    return counted;
  }

  describe('used within a quarter of the idle timeout', () => {
    before(() => start('1h'));
    after(stop);

    test(`${requests} requests make no call, nor do those after a minute, when the proxy asks auth anew`, async () => {
      const cookie = await freshSession(replicas);
      const openedAt = performance.now();
      await commands();
      await sendMany(replicas, cookie);
      await delay(Math.max(0, openedAt + renewAfterMs + 1_000 - performance.now()));
      await sendMany(replicas, cookie, 1_000);
      assert.deepEqual(await commands(), {});
    });
  });

  describe('with an idle timeout so short that the time of use must be noted meanwhile', () => {
    before(() => start('8s'));
    after(stop);

    test('a session costs one write in a quarter of it, whatever the number of requests', async () => {
      const cookie = await freshSession(replicas);
      await commands();
      const tookMs = await sendMany(replicas, cookie);
      const { set = 0, evalsha = 0, eval: evaluated = 0 } = await commands();
      const quarters = Math.ceil(tookMs / 2_000) + 1;
      console.log(`${set} writes in ${quarters} quarters of the idle timeout at the most`);
      assert.ok(set >= 1, 'its use is noted');
      assert.ok(set <= quarters, 'once in a quarter, by one of both');
      // Each replica tries, with a script for the record and one for each of its three names in the index.
      assert.ok(evalsha + evaluated <= 2 * 4 * quarters, 'and nobody tries for each request');
    });
  });
});

describe('sessions in Secrets', { timeout: 240_000, skip: lent }, () => {
  let replicas: Replicas;
  let proxy: ApiProxy;
  before(async () => {
    replicas = await startInSecrets({
      more: ', idleTimeout: 1h',
      kubeconfig: async (api) => {
        proxy = await startApiProxy(api);
        return proxy.kubeconfigPath;
      },
    });
  });
  after(async () => {
    await replicas?.stop();
    await proxy?.stop();
  });

  test(`${requests} requests make no call`, async () => {
    const cookie = await freshSession(replicas);
    assert.ok(
      proxy.asked.some((one) => one.startsWith('POST')),
      'what is asked about sessions is seen',
    );
    const before = proxy.asked.length;
    await sendMany(replicas, cookie);
    const asked = proxy.asked.slice(before);
    console.log(`API server: ${asked.length} requests about sessions`);
    // A watch ends by itself after some minutes, and is opened again: nobody's request does that.
    assert.deepEqual(
      asked.filter((one) => !one.includes('watch=')),
      [],
    );
  });
});

/** Signed in, and used once at each replica, which reads it there for the first time. */
async function freshSession({ first, second }: Replicas): Promise<string> {
  const cookie = cookieOf(await signIn(first.port));
  for (const { port } of [first, second]) assert.equal(await statusOf(port, cookie), 200);
  return cookie;
}

/** Half of them to each; how long it took. The provider is not asked anything. */
async function sendMany({ first, second, provider }: Replicas, cookie: string, count = requests): Promise<number> {
  const before = provider.counts().calls;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const began = performance.now();
  let left = count;
  const statuses = new Map<number, number>();
  const worker = async (port: number) => {
    while (left > 0) {
      left -= 1;
      const status = await getOver(agent, port, cookie);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: connections }, (_, index) => worker((index % 2 ? first : second).port)));
  agent.destroy();
  const tookMs = performance.now() - began;
  assert.deepEqual(Object.fromEntries(statuses), { 200: count });
  const calls = provider.counts().calls - before;
  console.log(`${count} requests in ${(tookMs / 1_000).toFixed(1)} s; provider: ${calls} calls`);
  assert.equal(calls, 0);
  return tookMs;
}

function getOver(agent: Agent, port: number, cookie: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { host: `app.localhost:${port}`, accept: '*/*', cookie };
    const outgoing = httpRequest({ host: '127.0.0.1', port, agent, headers }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    outgoing.once('error', reject);
    outgoing.end();
  });
}
