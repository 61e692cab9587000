// The commands of SECURITY.md that rotate the key ring, as they stand there, against a real API server.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { blocksOf, root } from '../docs/pages.ts';
import { binaries, startApiServer } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';

let api: ApiServer;
before(async () => {
  api = await startApiServer();
  await api.apply('apiVersion: v1\nkind: Namespace\nmetadata: {name: sallyport-system}\n');
  const made = spawnSync(join(root, 'bin/sallyport'), ['keys', 'new'], { encoding: 'utf8' });
  await api.apply(made.stdout);
});
after(() => api?.stop());

const marker = '# Needs a cluster.\n';
const block =
  blocksOf('SECURITY.md')
    .find(({ text }) => text.startsWith(marker))
    ?.text.slice(marker.length) ?? '';
const commands = block.trimEnd().split('\n');

async function run(command: string) {
  const env = {
    ...process.env,
    PATH: `${await binaries()}:${process.env['PATH']}`,
    KUBECONFIG: api.kubeconfigPath,
  };
  return spawnSync('bash', ['-euo', 'pipefail', '-c', command], { cwd: root, encoding: 'utf8', env });
}

async function ids(): Promise<readonly string[]> {
  const { stdout } = await api.kubectl(['-n', 'sallyport-system', 'get', 'secret', 'sallyport-keys', '-o', 'json']);
  const { data } = JSON.parse(stdout) as { data: Record<string, string> };
  const ring = JSON.parse(Buffer.from(data['keys.json'] ?? '', 'base64').toString()) as { id: string }[];
  return ring.map(({ id }) => id);
}

test('the ring is rotated by the three commands, each of which waits for its time', async () => {
  assert.equal(commands.length, 3);
  const [add = '', promote = '', retire = ''] = commands;
  const [old] = await ids();
  assert.equal((await run(add)).status, 0);
  const [first, fresh] = await ids();
  assert.equal(first, old);
  const early = await run(promote);
  assert.notEqual(early.status, 0);
  assert.match(early.stderr, /may not know key/);
  assert.deepEqual(await ids(), [old, fresh], 'a step that comes too early changes nothing');
  for (const [command, expected] of [
    [promote, [fresh, old]],
    [retire, [fresh]],
  ] as const) {
    const ran = await run(command.replace(/keys \w+/, '$& --now'));
    assert.equal(ran.status, 0, ran.stderr);
    assert.deepEqual(await ids(), expected);
  }
});

test('what somebody else has changed meanwhile is not written over', async () => {
  const [add = ''] = commands;
  const [get = '', ...rest] = add.split(' | ');
  const count = (await ids()).length;
  const changedBetween = `"$(${get})"; ${add}; printf %s "$before" | ${rest.join(' | ')}`;
  const ran = await run(`before=${changedBetween}`);
  assert.notEqual(ran.status, 0);
  assert.match(ran.stderr, /the object has been modified/);
  assert.equal((await ids()).length, count + 1);
});
