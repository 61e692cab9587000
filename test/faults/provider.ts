// The faults of an identity provider, one by one, each with two replicas of its own that keep sessions in Redis.
import { startRedis } from '../redis/server.ts';
import type { CountingProvider } from '../replicas/provider.ts';
import { startReplicas } from '../replicas/replicas.ts';
import type { Fault, Trouble } from './stage.ts';

function fault(name: string, trouble: (provider: CountingProvider) => Trouble): Fault {
  return {
    name,
    async open() {
      const redis = await startRedis();
      const replicas = await startReplicas({ sessions: `{store: {type: Redis, redis: {url: "${redis.url}"}}}` });
      return {
        replicas,
        ...trouble(replicas.provider),
        async stop() {
          await replicas.stop();
          await redis.stop();
        },
      };
    },
  };
}

const doing =
  (...how: Parameters<CountingProvider['trouble']>) =>
  (provider: CountingProvider) => ({
    begin: async () => provider.trouble(...how),
    end: async () => provider.trouble(undefined),
  });

export const providerFaults: readonly Fault[] = [
  fault('down', (provider) => ({ begin: () => provider.down(), end: () => provider.up() })),
  fault('hangs', doing('Hangs')),
  fault('answers 500', doing('Answers500')),
  fault('answers 429', doing('Answers429')),
  fault('its token endpoint hangs', doing('Hangs', 'TokenEndpoint')),
  fault('its token endpoint answers 500', doing('Answers500', 'TokenEndpoint')),
  fault('its token endpoint answers 429', doing('Answers429', 'TokenEndpoint')),
];
