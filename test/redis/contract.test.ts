// The store in Redis keeps the contract: on a single server, over TLS as a user with the least rights, and in a Cluster.
import { after, before, describe } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createRedisStore } from '../../src/sessions/redis.ts';
import { createLogger } from '../../src/telemetry.ts';
import { storeContract } from '../sessions.contract.ts';
import { startRedis } from './server.ts';
import type { RedisServer } from './server.ts';

const log = createLogger('silent');

describe('a single server', () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());
  storeContract(
    'the Redis store',
    async () => ({
      store: createRedisStore({ urls: [server.url], cluster: false }, { log }),
      advance: (ms) => delay(ms),
    }),
    { uncapped: true },
  );
});
