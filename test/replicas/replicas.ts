// Two processes of Sallyport or more, with one store, one key ring, one provider and one application.
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../integration/rig.ts';
import { startEchoApplication } from './application.ts';
import { objects } from './objects.ts';
import { startCountingProvider } from './provider.ts';
import type { CountingProvider } from './provider.ts';
import { startReplica } from './replica.ts';
import type { Replica } from './replica.ts';

export interface Replicas {
  readonly provider: CountingProvider;
  readonly first: Replica;
  readonly second: Replica;
  readonly all: readonly Replica[];
  stop(): Promise<void>;
}

export interface ReplicasOptions {
  /** The Sallyport's `sessions`, in YAML's flow style. */
  readonly sessions: string;
  /** Takes the objects, and says where they are. By default a folder of manifests. */
  readonly publish?: (yaml: string) => Promise<readonly [string, string]>;
  /** Where the application listens: in a cluster no route may lead to the loopback (promise 15). */
  readonly address?: string;
}

export async function startReplicas({ sessions, publish, address }: ReplicasOptions): Promise<Replicas> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-replicas-'));
  const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const started = async <T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T> => {
    const one = await starting;
    stops.push(() => one.stop());
    return one;
  };
  const stop = async () => {
    for (const end of stops.splice(0).toReversed()) await end();
  };
  const intoFolder = async (yaml: string) => {
    await writeFile(join(folder, 'objects.yaml'), yaml);
    return ['--manifests', folder] as const;
  };
  try {
    const provider = await started(startCountingProvider());
    const application = await started(startEchoApplication(address));
    const ports = [await freePort(), await freePort()] as const;
    const yaml = objects({ issuer: provider.issuer, application, port: ports[0], sessions });
    const source = await (publish ?? intoFolder)(yaml);
    const run = (port: number) =>
      started(startReplica({ port, source, tokenFile: join(tmpdir(), `sallyport-replica-${port}.token`) }));
    const [first, second] = await Promise.all([run(ports[0]), run(ports[1])]);
    return { provider, first, second, all: [first, second], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** An address that is not loopback, on the loopback device and for this process alone. It needs root. */
export function borrowAddress(): { readonly address: string; stop(): Promise<void> } {
  const address = `10.231.${128 + ((process.pid >> 8) % 128)}.${process.pid % 256}`;
  const ip = (verb: string) => execFileSync('ip', ['addr', verb, `${address}/32`, 'dev', 'lo'], { stdio: 'pipe' });
  ip('replace');
  return { address, stop: async () => void ip('del') };
}
