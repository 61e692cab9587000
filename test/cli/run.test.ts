// `sallyport run` as a process: its flags, its one-line failures, its `ready`, and how it stops.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { readRunSettings, runFlags, runHelp, variableOf } from '../../src/cli/settings.ts';

const root = join(import.meta.dirname, '../..');
const bin = join(root, 'bin/sallyport');
const flags = [
  '--manifests',
  'demo/manifests',
  '--http',
  '127.0.0.1:0',
  '--https',
  '',
  '--probes',
  '127.0.0.1:0',
  '--admin',
  '127.0.0.1:0',
];

test('every flag of the contract is there, with its environment variable and a line of help', () => {
  const contract = [
    'manifests',
    'kubeconfig',
    'namespaces',
    'class',
    'http',
    'https',
    'admin',
    'admin-token-file',
    'probes',
    'workers',
    'namespace',
    'role',
    'sockets',
    'log-level',
    'access-log',
    'decision-log',
    // Beyond the first plan.
    'namespace-selector',
    'publish-address',
    'publish-service',
    'zone',
  ];
  assert.deepEqual(Object.keys(runFlags).toSorted(), contract.toSorted());
  for (const flag of contract) assert.match(runHelp(), new RegExp(`--${flag} `));
  assert.equal(variableOf('admin-token-file'), 'SALLYPORT_ADMIN_TOKEN_FILE');
});

test('a flag beats its environment variable, and that its default', () => {
  const settings = readRunSettings(['--http', ':1'], {
    SALLYPORT_HTTP: ':2',
    SALLYPORT_HTTPS: '',
    SALLYPORT_CLASS: 'inner',
  });
  assert.deepEqual(
    [settings.http, settings.https, settings.className],
    [{ host: '0.0.0.0', port: 1 }, undefined, 'inner'],
  );
  assert.equal(readRunSettings([], {}).namespace, 'sallyport-system');
});

test('what cannot be meant is refused with the flag and what would be right', () => {
  const wrong: [string[], RegExp][] = [
    [['--http', '8080'], /--http: "8080" is not an address/],
    [['--http', 'localhost:99999'], /--http/],
    [['--log-level', 'loud'], /--log-level: "loud" is not one of trace, debug/],
    [['--access-log', 'some'], /--access-log/],
    [['--decision-log', 'some'], /--decision-log: "some" is not one of all, denied, none/],
    [['--workers', 'many'], /--workers/],
    [['--role', 'proxy'], /--role: this version runs all three roles/],
    [['--manifests', 'a', '--kubeconfig', 'b'], /--manifests and --kubeconfig/],
    [['--http', '', '--https', ''], /nothing would be served/],
    [['--unknown'], /unknown/],
  ];
  for (const [args, message] of wrong) assert.throws(() => readRunSettings(args, {}), { name: 'UsageError', message });
});

test('it says ready with its addresses, answers its probes, keeps its token to itself, and SIGTERM ends it with 0', async () => {
  const child = spawn(bin, ['run', ...flags], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  interface Ready {
    readonly msg: string;
    readonly adminPort: number;
    readonly probesPort: number;
    readonly tokenFile: string;
  }
  let ready: Ready | undefined;
  for await (const line of lines) {
    const entry = JSON.parse(line) as Ready;
    if (entry.msg !== 'ready') continue;
    ready = entry;
    break;
  }
  assert.ok(ready);
  const status = async (url: string, headers = {}) => (await fetch(url, { headers })).status;
  const [admin, probes] = [`http://127.0.0.1:${ready.adminPort}`, `http://127.0.0.1:${ready.probesPort}`];
  for (const base of [admin, probes])
    for (const path of ['/livez', '/readyz', '/metrics']) assert.equal(await status(base + path), 200);
  assert.equal(await status(`${probes}/routes`), 404);
  assert.equal(await status(`${admin}/routes`), 401);
  assert.equal(statSync(ready.tokenFile).mode & 0o777, 0o600);
  const authorization = `Bearer ${readFileSync(ready.tokenFile, 'utf8').trim()}`;
  assert.equal(await status(`${admin}/routes`, { authorization }), 200);
  assert.equal(await status(`${admin}/routes`, { authorization: `${authorization}x` }), 401);
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  assert.equal(existsSync(ready.tokenFile), false);
});

test('a taken port is one line and exit code 1', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  const taken = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const flag of ['--http', '--admin', '--probes']) {
    const args = flags.with(flags.indexOf(flag) + 1, taken);
    const { status, stderr } = spawnSync(bin, ['run', ...args, '--log-level', 'silent'], {
      cwd: root,
      encoding: 'utf8',
    });
    assert.equal(status, 1, flag);
    assert.match(stderr, new RegExp(`^sallyport: (?=.*${flag})(?=.*${taken} is taken).*\\n$`), flag);
  }
  server.close();
});

test('a cluster that is not there is one line and exit code 1', () => {
  const { status, stderr } = spawnSync(bin, ['run', '--kubeconfig', 'absent.yaml'], { cwd: root, encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /^sallyport: .*absent\.yaml.*\n$/);
});
