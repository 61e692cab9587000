// Two processes refresh a session once, whatever happens to one of them, with a provider that ends whoever sends a token twice.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../integration/rig.ts';
import { startRedis } from '../redis/server.ts';
import { lent, sessionsNamespace, startInSecrets } from './in-secrets.ts';
import { startReplicas } from './replicas.ts';
import type { Replicas } from './replicas.ts';
import { cookieOf, signIn, signOut, statusOf } from './visitor.ts';

interface Rig extends Replicas {
  /** Sessions that the store holds. */
  sessions(): Promise<number>;
}

/** Due for a refresh after this, though the token may live for long. */
const dueMs = 8_000;
const more = `, refreshInterval: ${dueMs / 1_000}s, idleTimeout: 20s`;
const parallel = 200;
const stoppedMs = 20_000;

// Each waits, for the most part: the two stores need not wait for each other.
describe('refreshing', { concurrency: 2 }, () => {
  suite('sessions in Redis', async () => {
    const redis = await startRedis();
    const replicas = await startReplicas({ sessions: `{store: {type: Redis, redis: {url: "${redis.url}"}}${more}}` });
    return {
      ...replicas,
      sessions: async () => ((await redis.command('KEYS', 'sallyport:session:*')) as unknown[]).length,
      async stop() {
        await replicas.stop();
        await redis.stop();
      },
    };
  });
  suite(
    'sessions in Secrets',
    async () => {
      const replicas = await startInSecrets({ more });
      return {
        ...replicas,
        async sessions() {
          const { stdout } = await replicas.api.kubectl(['get', 'secrets', '-n', sessionsNamespace, '-o', 'name']);
          return stdout.split('\n').filter((name) => name !== '').length;
        },
      };
    },
    lent,
  );
});

function suite(name: string, start: () => Promise<Rig>, skip: string | false = false): void {
  describe(name, { skip, timeout: 240_000, concurrency: 1 }, () => {
    let rig: Rig;
    before(async () => {
      rig = await start();
    });
    after(() => rig?.stop());
    const say = (words: string) => console.log(`${name}: ${words}`);

    test(`${parallel} requests at once over both processes, before the access token has expired`, async () => {
      rig.provider.tokensLive(4);
      const cookie = await freshSession(rig);
      rig.provider.tokensLive(3_600);
      // A quarter of its life is left.
      await delay(3_000);
      say(await refreshedOnce(rig, cookie));
    });

    test(`${parallel} requests at once over both processes, after it has`, async () => {
      rig.provider.tokensLive(2);
      const cookie = await freshSession(rig);
      rig.provider.tokensLive(3_600);
      await delay(2_500);
      say(await refreshedOnce(rig, cookie));
    });

    test('one is stopped in the middle, and goes on when the session was revoked: it stays ended', async () => {
      const { first, second, provider } = rig;
      const { client, cookie, refresh, counts } = await heldInTheMiddle(rig);
      first.signal('SIGSTOP');
      refresh.letGo();
      await delay(500);
      assert.equal(await statusOf(second.port, cookie), 200);
      assert.equal((await signOut(client, second.port)).status, 303);
      assert.equal(await statusOf(second.port, cookie), 401);
      const left = await rig.sessions();
      await delay(stoppedMs - 500);
      first.signal('SIGCONT');
      const refusedMs = await until(async () => (await statusOf(first.port, cookie)) === 401, 2_000, 'it is refused');
      for (const stop = Date.now() + 3_000; Date.now() < stop; await delay(100))
        for (const { port } of rig.all) assert.equal(await statusOf(port, cookie), 401);
      assert.ok((await rig.sessions()) <= left, 'nothing was written back');
      assert.deepEqual(counts(), { refreshes: 1, reuses: 0 });
      say(
        `revoked while one stood still: that one refused ${refusedMs.toFixed()} ms after it went on; ${provider.counts().reuses} reuses`,
      );
    });

    const stopFor = async (ms: number) => {
      const { first, second } = rig;
      const held = await heldInTheMiddle(rig);
      first.signal('SIGSTOP');
      held.refresh.letGo();
      for (const stop = Date.now() + ms; Date.now() < stop; await delay(100))
        assert.equal(await statusOf(second.port, held.cookie), 200);
      assert.deepEqual(held.counts(), { refreshes: 1, reuses: 0 }, 'the token was not sent again meanwhile');
      first.signal('SIGCONT');
      const isServed = async () => {
        for (const { port } of rig.all) assert.equal(await statusOf(port, held.cookie), 200);
      };
      return { ...held, isServed };
    };

    test('one is stopped in the middle for less than a call may take: it writes what it got, and all goes on', async () => {
      const { isServed, counts } = await stopFor(2_000);
      const again = async () => {
        await isServed();
        return counts().refreshes >= 3;
      };
      const againMs = await until(again, 40_000, 'it is refreshed again, and again');
      assert.equal(counts().reuses, 0);
      say(`stopped for 2 s: refreshed twice more within ${againMs.toFixed()} ms, 0 reuses`);
    });

    test('one is stopped in the middle for longer: what it asked has no known end, and nobody asks again', async () => {
      const { isServed, counts } = await stopFor(stoppedMs);
      for (const stop = Date.now() + dueMs + 4_000; Date.now() < stop; await delay(200)) await isServed();
      assert.deepEqual(counts(), { refreshes: 1, reuses: 0 });
      say(`stopped for ${stoppedMs / 1_000} s: served by both until its known expiry, 1 token call, 0 reuses`);
    });

    test('one is killed between marker and answer: the token is not sent again, and the session lasts as long as is known', async () => {
      const { first, second, provider } = rig;
      provider.tokensLive(12);
      const { cookie, refresh, counts, signedInAt } = await heldInTheMiddle(rig);
      await first.kill();
      refresh.letGo();
      let served = 0;
      let status = 200;
      for (const stop = Date.now() + 40_000; status === 200 && Date.now() < stop; await delay(100)) {
        status = await statusOf(second.port, cookie);
        if (status === 200) served += 1;
      }
      const lastedMs = performance.now() - signedInAt;
      say(
        `killed in the middle: ${served} requests served, ${(lastedMs / 1_000).toFixed(1)} s after the sign-in it was ${status}`,
      );
      assert.ok(served > 0);
      assert.equal(status, 401, 'it ends by asking to sign in');
      assert.ok(lastedMs >= 11_500, 'and not before its known expiry');
      assert.deepEqual(counts(), { refreshes: 1, reuses: 0 });
    });
  });
}

/** Signed in, and used once at each. */
async function freshSession({ first, all }: Replicas): Promise<string> {
  const cookie = cookieOf(await signIn(first.port));
  for (const { port } of all) assert.equal(await statusOf(port, cookie), 200);
  return cookie;
}

async function refreshedOnce({ first, second, provider }: Rig, cookie: string): Promise<string> {
  const before = provider.counts();
  const began = performance.now();
  const statuses = await Promise.all(
    Array.from({ length: parallel }, (_, index) => statusOf((index % 2 ? first : second).port, cookie)),
  );
  const tookMs = performance.now() - began;
  // Nobody waited for it where the token had not expired yet.
  await until(async () => provider.counts().refreshes > before.refreshes, 5_000, 'it is refreshed');
  const { refreshes, reuses } = provider.counts();
  assert.deepEqual(
    statuses.filter((status) => status !== 200),
    [],
  );
  assert.deepEqual({ refreshes: refreshes - before.refreshes, reuses }, { refreshes: 1, reuses: 0 });
  return `${parallel} requests served in ${tookMs.toFixed()} ms: 1 token call, 0 reuses`;
}

/** A session whose refresh, begun by the first, has reached the provider; its answer is kept back. */
async function heldInTheMiddle({ first, provider }: Rig) {
  const client = await signIn(first.port);
  const signedInAt = performance.now();
  const cookie = cookieOf(client);
  const before = provider.counts();
  const refresh = provider.holdRefresh();
  let arrived = false;
  void refresh.arrived.then(() => (arrived = true));
  await delay(dueMs);
  const asked = async () => {
    await statusOf(first.port, cookie);
    return arrived;
  };
  await until(asked, 10_000, 'the first refreshes it');
  const counts = () => {
    const { refreshes, reuses } = provider.counts();
    return { refreshes: refreshes - before.refreshes, reuses: reuses - before.reuses };
  };
  return { client, cookie, refresh, counts, signedInAt };
}
