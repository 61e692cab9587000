// `sallyport run` as a process of its own, with what it logs, whether it is ready, and what it counts.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const command = join(import.meta.dirname, '../../bin/sallyport');

export interface Line {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Replica {
  readonly port: number;
  readonly adminPort: number;
  readonly tokenFile: string;
  /** Everything logged, in order. */
  readonly log: readonly Line[];
  /** The status of `/readyz`; 0 where nothing answers. */
  readyz(): Promise<number>;
  /** The page of its metrics. */
  metrics(): Promise<string>;
  /** The value of a metric without labels. */
  metric(name: string): Promise<number | undefined>;
  signal(signal: NodeJS.Signals): void;
  /** With SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export interface ReplicaOptions {
  readonly port: number;
  /** Where objects come from: `--manifests DIR` or `--kubeconfig FILE`. */
  readonly source: readonly [string, string];
  /** Where the token of its admin port is laid down. */
  readonly tokenFile: string;
  readonly flags?: readonly string[];
}

const startMs = 180_000;

/** Resolves when it is ready. @throws {Error} with what it logged where it is not. */
export async function startReplica({ port, source, tokenFile, flags: more = [] }: ReplicaOptions): Promise<Replica> {
  const flags = ['--http', `127.0.0.1:${port}`, '--https', '', '--probes', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
  const quiet = ['--admin-token-file', tokenFile, '--access-log', 'none', '--decision-log', 'none'];
  const child = spawn(command, ['run', ...source, ...flags, ...quiet, ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const endWithUs = () => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const gone = once(child, 'exit');
  const log: Line[] = [];
  const ready = Promise.withResolvers<Line>();
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Line;
    log.push(line);
    if (line.msg === 'ready') ready.resolve(line);
  });
  const fail = (why: string) => ready.reject(new Error(`${why}: ${JSON.stringify(log.slice(-5))}`));
  const timer = setTimeout(fail, startMs, 'sallyport run is not ready');
  void gone.then(() => fail('sallyport run has ended'));
  const end = async (signal: NodeJS.Signals) => {
    process.removeListener('exit', endWithUs);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGCONT');
    child.kill(signal);
    await gone;
  };
  const { probesPort, adminPort } = await ready.promise.catch(async (error: unknown) => {
    await end('SIGKILL');
    throw error;
  });
  clearTimeout(timer);
  const probe = (path: string) =>
    fetch(`http://127.0.0.1:${String(probesPort)}${path}`, { signal: AbortSignal.timeout(5_000) });
  const metrics = async () => (await probe('/metrics')).text();
  return {
    port,
    adminPort: Number(adminPort),
    tokenFile,
    log,
    readyz: () =>
      probe('/readyz').then(
        async (response) => {
          await response.text();
          return response.status;
        },
        () => 0,
      ),
    metrics,
    async metric(name) {
      const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(await metrics())?.[1];
      return value === undefined ? undefined : Number(value);
    },
    signal: (signal) => void child.kill(signal),
    kill: () => end('SIGKILL'),
    stop: () => end('SIGKILL'),
  };
}
