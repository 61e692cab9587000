// The API server out of reach while objects are deleted: they are served until it is back, and then no more.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSallyport } from '../../src/cli/run.ts';
import type { RunningSallyport } from '../../src/cli/run.ts';
import { readRunSettings } from '../../src/cli/settings.ts';
import { createLogger } from '../../src/telemetry.ts';
import { send } from '../integration/client.ts';
import { freePort, until } from '../integration/rig.ts';
import { flagsFor, ingress, startClusterRig } from './rig.ts';
import type { ClusterRig } from './rig.ts';

let rig: ClusterRig;
let way: Awaited<ReturnType<typeof startWay>>;
let sallyport: RunningSallyport;
let port: number;

/** A way to the API server that can be cut: what is open breaks, and what is new is refused. */
async function startWay(target: URL) {
  const open = new Set<Socket>();
  let server: Server | undefined;
  const connectBoth = (near: Socket) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [one, another] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.pipe(another);
      one.on('error', () => another.destroy());
      one.on('close', () => open.delete(one));
    }
  };
  async function listen(at: number): Promise<number> {
    server = createServer(connectBoth).listen(at, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }
  const at = await listen(0);
  return {
    port: at,
    cut() {
      server?.close();
      for (const socket of open) socket.destroy();
    },
    restore: () => listen(at),
  };
}

before(async () => {
  rig = await startClusterRig();
  way = await startWay(new URL(rig.api.url));
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-stale-'));
  const kubeconfigPath = join(folder, 'kubeconfig');
  const kubeconfig = await readFile(rig.api.kubeconfigPath, 'utf8');
  await writeFile(kubeconfigPath, kubeconfig.replace(rig.api.url, `https://127.0.0.1:${way.port}`), { mode: 0o600 });
  port = await freePort();
  const flags = flagsFor({ ...rig.api, kubeconfigPath }, port);
  sallyport = await startSallyport(readRunSettings(flags, {}), createLogger('silent'));
  await rm(folder, { recursive: true });
});
after(async () => {
  await sallyport?.stop();
  way?.cut();
  await rig?.stop();
});

const served = async (host: string) =>
  (await send(new URL(`http://${host}.localhost:${port}/`), { headers: { accept: '*/*' } })).status;

test('20 times out of reach for up to five seconds, and nothing deleted meanwhile is served when it is back', async () => {
  const backMs: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    const host = `gone-${round}`;
    await rig.api.apply(ingress(host, 'red', 'sallyport.dev/access: public'));
    await until(async () => (await served(host)) === 200, 5_000, `${host} is served`);
    way.cut();
    await rig.api.delete('ingress', host, 'shop');
    await sleep(round % 4 === 0 ? 5_000 : 200);
    assert.equal(await served(host), 200, 'what was known is served on');
    await way.restore();
    backMs.push(await until(async () => (await served(host)) === 404, 20_000, `${host} is gone`));
  }
  console.log(
    `a stale route was gone ${Math.round(Math.max(...backMs))} ms after the API server was back, at the longest`,
  );
});
