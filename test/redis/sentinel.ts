// A master with a replica, and three real Sentinels that watch them.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, freePort, startRedis } from './server.ts';
import type { RedisServer } from './server.ts';

export interface Watched {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly sentinelUrls: readonly [string, ...string[]];
  stop(): Promise<void>;
}

export const masterName = 'sessions';

export async function startWatched(): Promise<Watched> {
  const master = await startRedis();
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(master.port)] });
  await eventually(async () => String(await replica.command('INFO', 'replication')).includes('master_link_status:up'));
  const sentinels: RedisServer[] = [];
  for (let count = 0; count < 3; count += 1) sentinels.push(await startSentinel(master.port));
  const [first, ...others] = sentinels;
  if (first === undefined) throw new Error('there are three');
  for (const sentinel of sentinels)
    await eventually(async () => {
      const said = (await sentinel.command('SENTINEL', 'CKQUORUM', masterName)) as string;
      const replicas = (await sentinel.command('SENTINEL', 'REPLICAS', masterName)) as unknown[];
      return said.includes('3 usable') && replicas.length === 1;
    }, 20_000);
  return {
    master,
    replica,
    sentinelUrls: [first.url, ...others.map(({ url }) => url)],
    async stop() {
      await Promise.all([...sentinels, replica, master].map((server) => server.stop()));
    },
  };
}

async function startSentinel(masterPort: number): Promise<RedisServer> {
  return startRedis({
    port: await freePort(),
    // A Sentinel rewrites its configuration, and takes no other from the command line.
    configure: async (directory, port) => {
      const file = join(directory, 'sentinel.conf');
      const lines = [
        `port ${port}`,
        'bind 127.0.0.1',
        `dir ${directory}`,
        `sentinel monitor ${masterName} 127.0.0.1 ${masterPort} 2`,
        `sentinel down-after-milliseconds ${masterName} 500`,
        `sentinel failover-timeout ${masterName} 3000`,
      ];
      await writeFile(file, lines.join('\n'));
      return [file, '--sentinel'];
    },
  });
}
