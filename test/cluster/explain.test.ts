// `explain` and `access` against a real API server: the same answers as for the same objects in a folder, and nothing written.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { access } from '../../src/cli/access.ts';
import { explain } from '../../src/cli/explain.ts';
import type { ExplainAnswer } from '../../src/review/answer.ts';
import { manifests, printed, root } from '../cli/golden.ts';
import type { Command } from '../cli/golden.ts';
import { startApiServer } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';
import { installCrds } from './install.ts';

let api: ApiServer;
before(async () => {
  api = await startApiServer();
  await installCrds(api);
  await api.apply(readFileSync(join(root, manifests, 'monitoring.yaml'), 'utf8'));
});
after(() => api?.stop());

async function both(command: Command, ...args: string[]): Promise<[string, string]> {
  const inCluster = await printed(command, [...args, '--kubeconfig', api.kubeconfigPath]);
  return [inCluster, await printed(command, [...args, '--manifests', manifests])];
}

const ana = ['--as', 'ana@example.com', '--group', 'engineering', '--at', '2026-12-24T20:30:00Z'];

for (const [method, path] of [
  ['GET', '/api'],
  ['DELETE', '/api'],
  ['GET', '/healthz'],
] as const) {
  test(`${method} ${path} is explained as it is from a folder`, async () => {
    const url = `https://grafana.example.com${path}`;
    const [inCluster, inFolder] = await both(explain, url, '--method', method, ...ana, '-o', 'json');
    const [one, other] = [inCluster, inFolder].map((text) => JSON.parse(text) as ExplainAnswer);
    assert.deepEqual(one?.policies, other?.policies);
    assert.deepEqual([one?.verdict, one?.why, one?.route], [other?.verdict, other?.why, other?.route]);
    // Who comes first is told by age there, and by name here.
    assert.equal(one?.neighbours.length, other?.neighbours.length);
  });
}

test('who may open what is the same as from a folder', async () => {
  const sorted = (text: string) => text.split('\n').toSorted().join('\n');
  const person = await both(access, '--person', 'carl@example.com', '--group', 'on-call');
  assert.equal(sorted(person[0]), sorted(person[1]));
  const route = await both(access, '--route', 'grafana.example.com');
  assert.equal(route[0], route[1]);
});

test('nothing is written: no key ring, no status, no Event', async () => {
  const { stdout: secrets } = await api.kubectl(['get', 'secrets', '-A', '-o', 'name']);
  assert.doesNotMatch(secrets, /sallyport-keys/);
  const { stdout: policy } = await api.kubectl(['get', 'policy', 'engineers', '-n', 'monitoring', '-o', 'json']);
  assert.equal((JSON.parse(policy) as { status?: unknown }).status, undefined);
  const { stdout: events } = await api.kubectl(['get', 'events', '-n', 'monitoring', '-o', 'name']);
  assert.equal(events.trim(), '');
});

test('one of the namespaces is enough where nothing else is served', async () => {
  const args = ['https://grafana.example.com/api', ...ana, '--kubeconfig', api.kubeconfigPath];
  const text = await printed(explain, [...args, '--namespaces', 'monitoring']);
  assert.match(text, /^Verdict {3}Allow$/m);
});
