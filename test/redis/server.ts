// Real redis-servers for tests: on free ports of the loopback, in folders of their own, stopped by their process id.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '@redis/client';
import type { Pair } from '../integration/certificates.ts';

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  readonly directory: string;
  /** Speaks to it as its administrator would, on a connection of its own. */
  command(...command: readonly string[]): Promise<unknown>;
  /** The same with the password of the default user. */
  commandAs(password: string, ...command: readonly string[]): Promise<unknown>;
  signal(signal: NodeJS.Signals): void;
  /** With SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** Again on its port, in its folder. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** As on the command line, without what every server of ours has. */
  readonly args?: readonly string[];
  readonly port?: number;
  /** Instead of everything else on the command line. */
  readonly configure?: (directory: string, port: number) => Promise<readonly string[]>;
  /** Of `localhost`: nothing is served without TLS then. */
  readonly tls?: { readonly ca: string; readonly pair: Pair };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  // A Cluster node listens on port + 10000 too.
  return port > 55_000 ? freePort() : port;
}

export async function startRedis(options: ServerOptions = {}): Promise<RedisServer> {
  const port = options.port ?? (await freePort());
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-redis-'));
  let child: ChildProcess | undefined;
  const { tls } = options;
  const socket = tls ? { host: 'localhost', tls: true as const, ca: tls.ca } : { host: '127.0.0.1' };
  const common = ['--bind', '127.0.0.1', '--dir', directory, '--save', ''];
  const own = (await options.configure?.(directory, port)) ?? [
    ...common,
    ...(tls ? await tlsArgs(directory, port, tls) : ['--port', String(port)]),
    ...(options.args ?? []),
  ];

  const speak = async (words: readonly string[], credentials: { readonly password?: string } = {}) => {
    const client = createClient({
      socket: { ...socket, port, reconnectStrategy: false, connectTimeout: 2_000 },
      disableClientInfo: true,
      ...credentials,
    });
    client.on('error', () => {});
    try {
      await client.connect();
      return await client.sendCommand([...words]);
    } finally {
      if (client.isOpen) client.destroy();
    }
  };
  const command = (...words: readonly string[]) => speak(words);
  const start = async () => {
    child = spawn('redis-server', own, { cwd: directory, stdio: 'ignore' });
    for (const deadline = Date.now() + 10_000; ; await delay(20)) {
      if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
      try {
        await command('PING');
        return;
      } catch (cause) {
        if (Date.now() > deadline) throw cause;
      }
    }
  };
  const end = async (signal: NodeJS.Signals) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(signal);
    await ended;
  };
  await start();
  return {
    port,
    url: `${tls ? 'rediss' : 'redis'}://${socket.host}:${port}`,
    directory,
    command,
    commandAs: (password, ...words) => speak(words, { password }),
    signal: (signal) => void child?.kill(signal),
    kill: () => end('SIGKILL'),
    start,
    async stop() {
      await end('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function tlsArgs(directory: string, port: number, { ca, pair }: NonNullable<ServerOptions['tls']>) {
  const files = { 'tls-cert-file': pair.certificate, 'tls-key-file': pair.key, 'tls-ca-cert-file': ca };
  const args = ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no'];
  for (const [name, content] of Object.entries(files)) {
    const file = join(directory, name);
    await writeFile(file, content);
    args.push(`--${name}`, file);
  }
  return args;
}

/** Tries until it is so. */
export async function eventually(check: () => Promise<unknown>, timeoutMs = 10_000): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; ; await delay(50)) {
    try {
      if ((await check()) !== false) return;
    } catch (cause) {
      if (Date.now() > deadline) throw cause;
      continue;
    }
    if (Date.now() > deadline) throw new Error(`not so within ${timeoutMs} ms`);
  }
}
