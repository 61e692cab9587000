// `sallyport demo` as a process: it greets with the addresses, follows an edited manifest, and Ctrl-C leaves nothing running.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { send } from './client.ts';
import { until } from './rig.ts';

const root = join(import.meta.dirname, '../..');
const ports = [8080, 9090, 9400, 9501, 9502, 9503];

function start(): { child: ChildProcess; output: () => string } {
  // A group of its own, so that the signal reaches all of it as Ctrl-C in a terminal does.
  const child = spawn(join(root, 'bin/sallyport'), ['demo'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, output: () => text };
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  const result = await free;
  if (result) await new Promise((resolve) => void server.close(resolve));
  return result;
}

test('it prints addresses, accounts and a curl line that shows 401; Ctrl-C ends it and leaves nothing', async () => {
  const { child, output } = start();
  await until(async () => output().includes('Ctrl-C ends everything'), 20_000, 'the greeting');
  for (const wanted of [
    'http://app.localhost:8080',
    'ana@example.com',
    'eve@example.org',
    'curl -i http://app.localhost:8080/',
  ]) {
    assert.ok(output().includes(wanted), wanted);
  }
  const answer = await send(new URL('http://app.localhost:8080/'), { headers: { accept: '*/*' } });
  assert.equal(answer.status, 401);
  process.kill(-(child.pid ?? 0), 'SIGINT');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  for (const port of ports) assert.ok(await isFree(port), `port ${port} is free again`);
});

test('killed without a word, it leaves nothing either', async () => {
  const { child, output } = start();
  await until(async () => output().includes('Ctrl-C ends everything'), 20_000, 'the greeting');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await until(async () => (await Promise.all(ports.map(isFree))).every(Boolean), 5_000, 'every port is free again');
});

test('a taken port is one clear line, and nothing is left', async () => {
  for (const port of [8080, 9400]) {
    const server = createServer().unref();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const { status, stderr } = spawnSync(join(root, 'bin/sallyport'), ['demo'], { cwd: root, encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`^sallyport: .*${port} is taken.*\\n$`));
    await new Promise((resolve) => void server.close(resolve));
  }
});
