// Every command of the pages, run as it stands: in a copy where it may write, on free ports, against a real Sallyport.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { startFakeApi } from '../inventory/fake-api.ts';
import type { FakeApi } from '../inventory/fake-api.ts';
import { startRig } from '../integration/rig.ts';
import type { Rig } from '../integration/rig.ts';
import { blocksIn, blocksOf, root } from './pages.ts';
import { madeWhole, objectsOf } from './world.ts';

// Those of the second kind are run by test/cluster/keys.test.ts.
const needsCluster = /^# Needs a cluster(?:, so no test runs this)?\.\n/;
const folder = mkdtempSync(join(tmpdir(), 'sallyport-commands-'));
let rig: Rig;
let api: FakeApi;

/** `make` and `npm` would test the tests and install over them: of those it is seen that they know what they are asked for. */
const standIns: Readonly<Record<string, string>> = {
  make: `exec env PATH="$REAL_PATH" make -n -o node_modules/.package-lock.json "$@" >/dev/null`,
  npm: `[ "$*" = ci ]`,
};

before(async () => {
  for (const name of ['bin', 'src', 'scripts', 'node_modules', 'package.json', 'package-lock.json', 'Makefile', 'test'])
    symlinkSync(join(root, name), join(folder, name));
  for (const name of ['demo', 'crds']) cpSync(join(root, name), join(folder, name), { recursive: true });
  mkdirSync(join(folder, 'stand-ins'));
  for (const [name, script] of Object.entries(standIns))
    writeFileSync(join(folder, 'stand-ins', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  api = await startFakeApi();
  const cluster = {
    clusters: [{ name: 'c', cluster: { server: api.url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: {} }],
  };
  const contexts = [{ name: 'x', context: { cluster: 'c', user: 'u' } }];
  mkdirSync(join(folder, '.kube'));
  writeFileSync(join(folder, '.kube/config'), JSON.stringify({ ...cluster, contexts, 'current-context': 'x' }));
  rig = await startRig();
});
after(async () => {
  await rig.stop();
  await api.stop();
  rmSync(folder, { recursive: true });
});

const environment = () => ({
  ...process.env,
  HOME: folder,
  REAL_PATH: process.env['PATH'],
  PATH: `${join(folder, 'stand-ins')}:${process.env['PATH']}`,
  SALLYPORT_HTTP: '127.0.0.1:0',
  SALLYPORT_HTTPS: '',
  SALLYPORT_ADMIN: '',
  SALLYPORT_PROBES: '',
});

/** What stands for the reader's own: their folder, and the demo that they have started. */
function filledIn(text: string): string {
  return text
    .replaceAll(/\bDIR\b/g, 'demo/manifests')
    .replaceAll('8080', String(rig.port))
    .replaceAll('9090', String(rig.sallyport.adminPort));
}

/** Starts it, waits until it is ready, asks it to stop, and sees it end as it should. */
async function startAndStop(command: string): Promise<void> {
  const child = spawn('bash', ['-c', `exec ${command}`], { cwd: folder, env: environment() });
  const errors: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line.includes('"msg":"ready"')) child.kill('SIGTERM');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  clearTimeout(timer);
  assert.equal(child.exitCode, 0, `${command}: ${errors.join('')} ${lines.join('\n')}`);
  assert.ok(
    lines.some((line) => line.includes('"msg":"ready"')),
    command,
  );
}

async function runScript(script: string): Promise<string> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env: environment(), timeout: 60_000 });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const [status] = (await once(child, 'close')) as [number | null];
  assert.equal(status, 0, `${script}\n${output.join('')}`);
  return output.join('');
}

const blocks = blocksIn('sh', 'bash', 'shell', 'console');
const [forClusters, runnable] = [
  blocks.filter(({ text }) => needsCluster.test(text)),
  blocks.filter(({ text }) => !needsCluster.test(text)),
];

test('the pages have commands, and only kubectl is left out', () => {
  assert.ok(runnable.length >= 6, `${runnable.length} were found`);
  const lines = forClusters.flatMap(({ text }) => text.replace(needsCluster, '').trimEnd().split('\n'));
  assert.deepEqual(
    lines.filter((line) => !line.startsWith('kubectl ')),
    [],
  );
});

for (const { page, line, text } of runnable) {
  test(`the commands at ${page}:${line} do what they say`, async () => {
    const lines = filledIn(text).split('\n');
    const served = lines.filter((one) => one.startsWith('bin/sallyport run '));
    const script = lines.filter((one) => !one.startsWith('bin/sallyport run ')).join('\n');
    await runScript(script);
    for (const command of served) await startAndStop(command);
  });
}

test('a command that fails would be found', async () => {
  await assert.rejects(runScript('bin/sallyport check absent'), /absent/);
  await assert.rejects(runScript('make absent'));
  await assert.rejects(startAndStop('bin/sallyport run --absent'));
});

test('what a page shows of a command is what it prints', async () => {
  const shown = ['README.md', 'docs/explain.md', 'docs/troubleshooting.md']
    .flatMap(blocksOf)
    .filter(({ language, text }) => language === '' && text.startsWith('$ '));
  assert.ok(shown.length > 0, 'they were found');
  const examples = blocksOf('README.md').filter(({ language }) => language === 'yaml');
  mkdirSync(join(folder, 'manifests'));
  writeFileSync(join(folder, 'manifests/all.yaml'), madeWhole(examples.flatMap(({ text }) => objectsOf(text))));
  for (const { text } of shown) {
    const [command = '', ...expected] = text.trimEnd().split('\n');
    const printed = await runScript(command.replace(/^\$ sallyport /, 'bin/sallyport '));
    assert.equal(printed.trimEnd(), expected.join('\n'));
  }
});

// In a network of its own, where its ports are free whatever else runs on this computer.
test('make demo greets, serves, and ends with Ctrl-C', () => {
  const has = spawnSync('unshare', ['-rn', 'ip', 'link', 'set', 'lo', 'up']);
  assert.equal(has.status, 0, 'network namespaces are needed (unshare of util-linux, ip of iproute2)');
  const script = `
set -euo pipefail
ip link set lo up
setsid make --silent -o node_modules/.package-lock.json demo >"$1/demo.out" 2>&1 &
demo=$!
for _ in $(seq 200); do grep -q 'Ctrl-C ends everything' "$1/demo.out" && break; sleep 0.1; done
curl -s -o /dev/null -w '%{http_code} ' http://welcome.localhost:8080/
curl -s -o /dev/null -w '%{http_code} ' http://app.localhost:8080/
kill -INT -- -"$demo"
wait "$demo" || echo "exit $?"
`;
  const { stdout, stderr } = spawnSync('unshare', ['-rn', 'bash', '-c', script, 'bash', folder], {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
  });
  const said = readFileSync(join(folder, 'demo.out'), 'utf8');
  assert.equal(stdout.trim(), '200 401', `${stderr}${said}`);
  for (const host of ['welcome', 'app', 'clock', 'engineering'])
    assert.ok(said.includes(`http://${host}.localhost:8080`));
});
