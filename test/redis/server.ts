// Real redis-servers for tests: on free ports of the loopback, in folders of their own, stopped by their process id.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '@redis/client';

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  readonly directory: string;
  /** Speaks to it as its administrator would, on a connection of its own. */
  command(...command: readonly string[]): Promise<unknown>;
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
  readonly sentinel?: boolean;
  /** How an administrator connects; by default over TCP without a password. */
  readonly admin?: Parameters<typeof createClient>[0];
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

  const command = async (...words: readonly string[]) => {
    const client = createClient({
      socket: { host: '127.0.0.1', port, reconnectStrategy: false, connectTimeout: 2_000 },
      disableClientInfo: true,
      ...options.admin,
    });
    client.on('error', () => {});
    try {
      await client.connect();
      return await client.sendCommand([...words]);
    } finally {
      if (client.isOpen) client.destroy();
    }
  };
  const start = async () => {
    const args = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      directory,
      '--save',
      '',
      ...(options.args ?? []),
    ];
    child = spawn('redis-server', args, { cwd: directory, stdio: 'ignore' });
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
    url: `redis://127.0.0.1:${port}`,
    directory,
    command,
    signal: (signal) => void child?.kill(signal),
    kill: () => end('SIGKILL'),
    start,
    async stop() {
      await end('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
  };
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
