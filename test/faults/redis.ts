// The faults of a Redis, one by one, each with a Redis and two replicas of its own.
import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startReplicas } from '../replicas/replicas.ts';
import { startCluster } from '../redis/cluster.ts';
import { masterName, startWatched } from '../redis/sentinel.ts';
import { eventually, startRedis } from '../redis/server.ts';
import type { RedisServer } from '../redis/server.ts';
import type { Fault, Stage, Trouble } from './stage.ts';
import { startTcpProxy } from './tcp-proxy.ts';
import type { TcpProxy } from './tcp-proxy.ts';

/** Short enough to be lived through in a test. */
const outageGraceMs = 12_000;
const inRedis = (redis: string) =>
  startReplicas({ sessions: `{store: {type: Redis, redis: ${redis}}, outageGrace: ${outageGraceMs / 1_000}s}` });

type Single = (server: RedisServer, network: TcpProxy) => Trouble;

/** A single server, behind a network that can fail, too. */
function single(name: string, trouble: Single, lastsMs?: number): Fault {
  return {
    name,
    ...(lastsMs !== undefined && { lastsMs }),
    async open(): Promise<Stage> {
      const server = await startRedis();
      const network = await startTcpProxy(server.port);
      const replicas = await inRedis(`{url: "redis://127.0.0.1:${network.port}"}`);
      return {
        replicas,
        ...trouble(server, network),
        async stop() {
          await replicas.stop();
          await network.stop();
          await server.stop();
        },
      };
    },
  };
}

const killed: Single = (server) => ({ begin: () => server.kill(), end: () => server.start() });
const slow =
  (ms: number): Single =>
  (_, network) => ({ begin: async () => network.delay(ms), end: async () => network.delay(0) });

const sentinel: Fault = {
  name: 'Sentinel: the master is killed, and a replica takes over',
  lastsMs: 10_000,
  async open() {
    const { master, sentinelUrls, stop } = await startWatched();
    const replicas = await inRedis(`{url: "${sentinelUrls.join()}", sentinel: ${masterName}}`);
    return {
      replicas,
      begin: () => master.kill(),
      end: async () => undefined,
      async stop() {
        await replicas.stop();
        await stop();
      },
    };
  },
};

const cluster: Fault = {
  name: 'Cluster: one of three nodes is killed',
  async open() {
    const { masters, urls, stop } = await startCluster();
    const replicas = await inRedis(`{url: "${urls.join()}", cluster: true}`);
    const [lost, ...left] = masters;
    return {
      replicas,
      async begin() {
        await lost?.kill();
        // Until then, some sessions are on nodes that answer.
        for (const node of left)
          await eventually(async () => String(await node.command('CLUSTER', 'INFO')).includes('cluster_state:fail'));
      },
      end: async () => lost?.start(),
      async stop() {
        await replicas.stop();
        await stop();
      },
    };
  },
};

export const redisFaults: readonly Fault[] = [
  single('killed', killed),
  single('killed, for longer than `outageGrace`', killed, outageGraceMs + 3_000),
  single('hangs (SIGSTOP)', (server) => ({
    begin: async () => server.signal('SIGSTOP'),
    end: async () => server.signal('SIGCONT'),
  })),
  single('its disk is full (MISCONF)', diskFull),
  single('its memory is full (OOM)', (server) => ({
    begin: () => server.command('CONFIG', 'SET', 'maxmemory', '1'),
    end: () => server.command('CONFIG', 'SET', 'maxmemory', '0'),
  })),
  single('wants another password (NOAUTH)', (server) => ({
    async begin() {
      await server.command('CONFIG', 'SET', 'requirepass', 'another');
      // Who has said the old one may stay until their connections break.
      for (const type of ['normal', 'pubsub']) await server.commandAs('another', 'CLIENT', 'KILL', 'TYPE', type);
    },
    end: () => server.commandAs('another', 'CONFIG', 'SET', 'requirepass', ''),
  })),
  single('answers after 0.5 s', slow(500)),
  single('answers after 2 s', slow(2_000), 6_000),
  single(
    'is cut off by the network',
    (_, network) => ({ begin: async () => network.swallow(true), end: async () => network.swallow(false) }),
    6_000,
  ),
  sentinel,
  cluster,
];

function diskFull(server: RedisServer): Trouble {
  const dump = join(server.directory, 'dump.rdb');
  return {
    async begin() {
      await server.command('CONFIG', 'SET', 'save', '3600 1');
      await mkdir(dump);
      await server.command('BGSAVE');
      await eventually(async () =>
        String(await server.command('INFO', 'persistence')).includes('rdb_last_bgsave_status:err'),
      );
    },
    async end() {
      await rmdir(dump);
      await server.command('BGSAVE');
    },
  };
}
