// Proves the API server that the cluster tests stand on: its data outlives it, and its processes do not outlive us.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { binaries, startApiServer } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';

const configMap = (value: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: { name: kept, namespace: default }
data: { key: ${value} }
`;
const readConfigMap = ['get', 'configmap', 'kept', '-n', 'default', '-o', 'jsonpath={.data.key}'];

/** The command lines that name this folder, whosever children they are. */
function processesOf(folder: string): string[] {
  const all = execFileSync('ps', ['-A', '-ww', '-o', 'args='], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return all.split('\n').filter((line) => line.includes(folder));
}

describe('our own API server', { skip: Boolean(process.env['KUBECONFIG_TEST']) }, () => {
  let server: ApiServer;
  before(async () => {
    server = await startApiServer();
  });
  after(() => server?.stop());

  test('keeps what kubectl applies, and takes over the fields of another manager', async () => {
    await server.apply(configMap('first'));
    assert.equal((await server.kubectl(['patch', 'cm', 'kept', '-p', '{"data":{"key":"other"}}'])).code, 0);
    await server.apply(configMap('second'));
    assert.deepEqual(await server.kubectl(readConfigMap), { code: 0, stdout: 'second', stderr: '' });
  });

  test('says what is wrong with an object', async () => {
    await assert.rejects(
      server.apply('{ apiVersion: v1, kind: ConfigMap, metadata: { name: Not_A_Name } }'),
      /RFC 1123/,
    );
    await assert.rejects(server.delete('configmap', 'absent'), /NotFound/);
  });

  test('tells its version, enforces RBAC and issues ServiceAccount tokens', async () => {
    const version = JSON.parse((await server.kubectl(['get', '--raw', '/version'])).stdout) as { gitVersion: string };
    assert.match(version.gitVersion, /^v1\.\d+\.\d+/);
    const forbidden = await server.kubectl(['get', 'secrets', '--as=nobody']);
    assert.match(forbidden.stderr, /Forbidden/);
    await server.kubectl(['create', 'serviceaccount', 'someone', '-n', 'default']);
    const token = await server.kubectl(['create', 'token', 'someone', '-n', 'default']);
    assert.match(token.stdout, /^ey/);
    await server.delete('serviceaccount', 'someone', 'default');
  });

  test('answers nothing while paused, and goes on when resumed', async () => {
    server.pause();
    const paused = await server.kubectl(['get', '--raw', '/version', '--request-timeout=1s']);
    server.resume();
    assert.notEqual(paused.code, 0);
    assert.equal((await server.kubectl(['get', '--raw', '/version'])).code, 0);
  });

  test('refuses connections once killed, and has the same data at the same address when started again', async () => {
    const url = server.url;
    await server.kill();
    assert.match((await server.kubectl(readConfigMap)).stderr, /refused/);
    assert.throws(() => server.pause(), /not running/);
    await server.restart();
    assert.equal(server.url, url);
    assert.equal((await server.kubectl(readConfigMap)).stdout, 'second');
  });

  test('with KUBECONFIG_TEST starts nothing, and refuses outages', async () => {
    const { PATH } = process.env;
    process.env['PATH'] = `${await binaries()}${delimiter}${PATH ?? ''}`;
    process.env['KUBECONFIG_TEST'] = server.kubeconfigPath;
    try {
      const guest = await startApiServer();
      assert.equal(guest.url, server.url);
      assert.equal((await guest.kubectl(readConfigMap)).stdout, 'second');
      await assert.rejects(guest.kill(), /our own API server/);
      await assert.rejects(guest.restart(), /our own API server/);
      assert.throws(() => guest.pause(), /our own API server/);
      await guest.stop();
      assert.equal((await server.kubectl(readConfigMap)).code, 0);
    } finally {
      delete process.env['KUBECONFIG_TEST'];
      process.env['PATH'] = PATH;
    }
  });

  test('leaves no process and no file when stopped, even twice', async () => {
    const folder = dirname(server.kubeconfigPath);
    assert.notDeepEqual(processesOf(folder), []);
    await server.stop();
    assert.deepEqual(processesOf(folder), []);
    assert.equal(existsSync(folder), false);
    await server.stop();
  });

  test('leaves no process and no file when the test process is killed', async () => {
    const program = `
      import { startApiServer } from ${JSON.stringify(import.meta.resolve('./apiserver.ts'))};
      console.log((await startApiServer()).kubeconfigPath);
      setInterval(() => {}, 1000);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = (await once(child.stdout, 'data')) as [Buffer];
    const folder = dirname(printed.toString().trim());
    assert.notDeepEqual(processesOf(folder), []);
    child.kill('SIGKILL');
    for (let waits = 0; waits < 100 && (processesOf(folder).length > 0 || existsSync(folder)); waits++)
      await sleep(100);
    assert.deepEqual(processesOf(folder), []);
    assert.equal(existsSync(folder), false);
  });
});
