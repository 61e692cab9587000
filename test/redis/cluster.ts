// A real Redis Cluster for tests: masters that share the slots, each with as many replicas as are asked for.
import { startRedis, eventually } from './server.ts';
import type { RedisServer } from './server.ts';

export interface RedisCluster {
  readonly masters: readonly RedisServer[];
  readonly replicas: readonly RedisServer[];
  readonly urls: readonly [string, ...string[]];
  stop(): Promise<void>;
}

const slots = 16_384;
const nodeArgs = [
  '--cluster-enabled',
  'yes',
  '--cluster-node-timeout',
  '1000',
  '--cluster-replica-validity-factor',
  '0',
];

export async function startCluster(masterCount = 3, replicasEach = 0): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  for (let count = 0; count < masterCount * (1 + replicasEach); count += 1)
    nodes.push(await startRedis({ args: nodeArgs }));
  const [first, ...others] = nodes;
  if (first === undefined) throw new Error('a Cluster has at least one node');
  const masters = nodes.slice(0, masterCount);
  const replicas = nodes.slice(masterCount);
  const edge = (index: number) => Math.floor((slots * index) / masterCount);
  for (const [index, master] of masters.entries())
    await master.command('CLUSTER', 'ADDSLOTSRANGE', String(edge(index)), String(edge(index + 1) - 1));
  for (const { port } of others) await first.command('CLUSTER', 'MEET', '127.0.0.1', String(port));
  const knowsAll = async (node: RedisServer) =>
    String(await node.command('CLUSTER', 'INFO')).includes(`cluster_known_nodes:${nodes.length}`);
  for (const node of nodes) await eventually(() => knowsAll(node));
  for (const [index, replica] of replicas.entries()) {
    const id = String(await masters[index % masterCount]?.command('CLUSTER', 'MYID'));
    await eventually(() => replica.command('CLUSTER', 'REPLICATE', id));
  }
  for (const node of nodes)
    await eventually(async () => String(await node.command('CLUSTER', 'INFO')).includes('cluster_state:ok'));
  for (const replica of replicas)
    await eventually(async () =>
      String(await replica.command('INFO', 'replication')).includes('master_link_status:up'),
    );
  return {
    masters,
    replicas,
    urls: [first.url, ...others.map(({ url }) => url)],
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}
