// The folder under a running Sallyport is edited: what is served follows at once, and a broken file harms nothing else.
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { send } from './client.ts';
import { startRig, until } from './rig.ts';
import type { Rig } from './rig.ts';

let rig: Rig;
before(async () => {
  rig = await startRig();
});
after(() => rig.stop());

const status = async (host: string, path = '/') =>
  (await send(new URL(rig.url(host, path)), { headers: { accept: '*/*' } })).status;
const becomes = (host: string, wanted: number) =>
  until(async () => (await status(host)) === wanted, 1_000, `${host} answers ${wanted}`);

test('an Ingress that becomes public is public within a second, and closed again within a second', async () => {
  assert.equal(await status('app'), 401);
  await rig.edit('app.yaml', (text) => text.replace('access: authenticated', 'access: public'));
  await becomes('app', 200);
  await rig.edit('app.yaml', (text) => text.replace('access: public', 'access: authenticated'));
  await becomes('app', 401);
  assert.ok(
    rig.log.some(({ msg, files }) => `${String(msg)} ${String(files)}`.includes('app.yaml')),
    'a line says so',
  );
});

test('a new host is served within a second, and gone within a second', async () => {
  assert.equal(await status('new'), 404);
  const text = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: new, namespace: demo, annotations: {sallyport.dev/access: public}}
spec:
  ingressClassName: sallyport
  rules:
    - host: new.localhost
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: welcome, port: {number: 80}}}}]}
`;
  await writeFile(join(rig.folder, 'new.yaml'), text);
  await becomes('new', 200);
  await rm(join(rig.folder, 'new.yaml'));
  await becomes('new', 404);
});

test('a file that stops being YAML changes nothing, and the log says where it is wrong', async () => {
  await rig.edit('engineering.yaml', (text) => `${text}\n  nonsense: [\n`);
  await until(
    async () =>
      rig.log.some(
        ({ level, file, line }) => level === 'error' && String(file).endsWith('engineering.yaml') && Number(line) > 40,
      ),
    2_000,
    'the log names the file',
  );
  assert.equal(await status('engineering'), 401);
  assert.equal(await status('welcome'), 200);
  await rig.edit('engineering.yaml', (text) => text.replace('\n  nonsense: [\n', ''));
});

test('a policy with a misspelt criterion closes its own routes and no others', async () => {
  await rig.edit('engineering.yaml', (text) => text.replace('groups: {has: engineering}', 'grops: {has: engineering}'));
  await becomes('engineering', 403);
  assert.equal(await status('welcome'), 200);
  assert.equal(await status('app'), 401);
  const said = rig.log.map(({ msg }) => String(msg)).find((line) => line.includes('grops'));
  assert.match(said ?? '', /engineering\.yaml:\d+: error: Policy demo\/engineers: .*did you mean groups/);
  await rig.edit('engineering.yaml', (text) => text.replace('grops', 'groups'));
  await becomes('engineering', 401);
});

test('a ConfigMap that a policy looks up is edited: it decides within a second, and past its age it decides nothing', async () => {
  const list = (people: string, refreshed: number) => `
apiVersion: v1
kind: ConfigMap
metadata: {name: clients, namespace: demo, annotations: {sallyport.dev/refreshed-at: "${new Date(refreshed).toISOString()}"}}
data: {known: "${people}"}
`;
  const policy = `
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: clients, namespace: demo}
spec:
  targetRefs: [{name: welcome}]
  dataSets: [{name: known, configMapRef: {name: clients, key: known}, staleAfter: 2s}]
  rules: [{deny: {or: [{header: {name: X-Client, notInDataSet: known}}]}}]
`;
  const later = Date.now() + 600_000;
  const answered = async () =>
    (await send(new URL(rig.url('welcome')), { headers: { accept: '*/*', 'x-client': 'till' } })).status;
  const decides = (wanted: number, what: string) => until(async () => (await answered()) === wanted, 1_000, what);
  await writeFile(join(rig.folder, 'clients.yaml'), list('[till]', later));
  await writeFile(join(rig.folder, 'clients-policy.yaml'), policy);
  await until(async () => (await status('welcome')) === 403, 1_000, 'nobody without the header');
  await decides(200, 'a known client');
  await writeFile(join(rig.folder, 'clients.yaml'), list('[scanner]', later));
  await decides(403, 'unknown since');
  await writeFile(join(rig.folder, 'clients.yaml'), list('{till: {shop: 1}}', Date.now()));
  await decides(200, 'known again, as a key of a map');
  await until(async () => (await answered()) === 403, 3_000, 'stale');
  await writeFile(join(rig.folder, 'clients.yaml'), list('[till]', Date.now()));
  await decides(200, 'refreshed');
  await rm(join(rig.folder, 'clients.yaml'));
  await decides(403, 'gone');
  await rm(join(rig.folder, 'clients-policy.yaml'));
  await becomes('welcome', 200);
});
