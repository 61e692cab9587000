// The way to applications as a real API server's objects say it: endpoints that roll under traffic, HTTP/2, and external names.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { until } from '../integration/rig.ts';
import { startFarHost } from './far-host.ts';
import type { FarHost } from './far-host.ts';
import { blue, ingress, red, startClusterRig } from './rig.ts';
import type { ClusterRig } from './rig.ts';

// Answers in HTTP/2 without TLS alone.
const h2c = `
  const [name, address] = process.argv.slice(1);
  require('node:http2').createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ name, version: request.httpVersion, authority: request.headers[':authority'] }));
  }).listen(9000, address, () => console.log('ready'));
`;

const files = join(import.meta.dirname, '../proxy/certificates');
const pem = (name: string) => ({
  cert: readFileSync(join(files, `${name}.pem`), 'utf8'),
  key: readFileSync(join(files, `${name}.key.pem`), 'utf8'),
});
const own = pem('app.example.com');

// Answers with the name in the certificate that it was shown; `/ticks` goes on for ever.
const secure = `
  const [, address] = process.argv.slice(1);
  const options = ${JSON.stringify({ ...own, requestCert: true, rejectUnauthorized: false })};
  require('node:https').createServer(options, (request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.url === '/ticks') setInterval(() => response.write('tick '), 50);
    else response.end(JSON.stringify({ name: request.socket.getPeerCertificate().subject?.CN ?? 'nobody' }));
  }).listen(9000, address, () => console.log('ready'));
`;

let rig: ClusterRig;
let modern: FarHost;
let proving: FarHost;
before(async () => {
  modern = await startFarHost('modern', 3, h2c);
  proving = await startFarHost('proving', 4, secure);
  rig = await startClusterRig();
});
after(async () => {
  await rig?.stop();
  await modern?.stop();
  await proving?.stop();
});

const service = (name: string, spec: string) => `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: ${spec}
`;

const slice = (name: string, of: string, endpoints: readonly string[]) => `
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}, namespace: shop, labels: {kubernetes.io/service-name: ${of}}}
addressType: IPv4
ports: [{name: http, port: 9000}]
endpoints: [${endpoints.join(', ')}]
`;

const ready = (address: string) =>
  `{addresses: [${address}], conditions: {ready: true, serving: true, terminating: false}}`;
const draining = (address: string) =>
  `{addresses: [${address}], conditions: {ready: false, serving: true, terminating: true}}`;
const starting = (address: string) =>
  `{addresses: [${address}], conditions: {ready: false, serving: false, terminating: false}}`;

test('a rollout under traffic loses nothing, and what has gone for a second gets no request', async () => {
  await rig.api.apply(service('rolling', '{ports: [{name: http, port: 80, targetPort: 9000}]}'));
  await rig.api.apply(slice('rolling-1', 'rolling', [ready(red)]));
  await rig.api.apply(ingress('rolling', 'rolling', 'sallyport.dev/access: public'));
  await rig.becomes('rolling', 'red');

  let isOver = false;
  const answers: { readonly name: string; readonly at: number }[] = [];
  const ask = async () => {
    while (!isOver) {
      const begun = performance.now();
      answers.push({ name: await rig.served('rolling'), at: begun });
    }
  };
  const clients = Array.from({ length: 8 }, ask);
  const gone: { readonly name: string; readonly from: number; to: number }[] = [];
  for (let round = 0; round < 4; round += 1) {
    const [leaving, coming] = round % 2 === 0 ? [red, blue] : [blue, red];
    const name = leaving === red ? 'red' : 'blue';
    await rig.api.apply(slice('rolling-1', 'rolling', [ready(leaving), starting(coming)]));
    await rig.api.apply(slice('rolling-1', 'rolling', [ready(leaving), ready(coming)]));
    await rig.api.apply(slice('rolling-1', 'rolling', [draining(leaving), ready(coming)]));
    // The new pod is told of in a slice of its own for a moment, too.
    await rig.api.apply(slice('rolling-2', 'rolling', [ready(coming)]));
    await rig.api.apply(slice('rolling-1', 'rolling', [ready(coming)]));
    await rig.api.delete('endpointslice', 'rolling-2', 'shop');
    const absence = { name, from: performance.now() + 1_000, to: 0 };
    await delay(1_500);
    absence.to = performance.now();
    gone.push(absence);
  }
  isOver = true;
  await Promise.all(clients);
  const failed = answers.filter(({ name }) => name !== 'red' && name !== 'blue');
  const late = answers.filter((one) =>
    gone.some(({ name, from, to }) => one.name === name && one.at > from && one.at < to),
  );
  console.log(
    `${answers.length} requests over ${gone.length} rollouts: ${failed.length} failed, ${late.length} to what had gone`,
  );
  assert.ok(answers.length > 200, 'there was traffic');
  assert.deepEqual(failed, []);
  assert.deepEqual(late, []);
});

test('where every pod is going away, those that still serve are asked', async () => {
  await rig.api.apply(slice('rolling-1', 'rolling', [draining(red), draining(blue)]));
  const names = new Set<string>();
  await until(
    async () => names.add(await rig.served('rolling')).has('red') && names.has('blue'),
    3_000,
    'both are asked',
  );
  assert.deepEqual(names, new Set(['red', 'blue']));
  await rig.api.apply(slice('rolling-1', 'rolling', [starting(red)]));
  await rig.becomes('rolling', '503');
});

test('an application is spoken to in HTTP/2 where its port or its Ingress says so', async () => {
  await rig.api.apply(service('modern', '{ports: [{name: http, port: 80, appProtocol: kubernetes.io/h2c}]}'));
  await rig.api.apply(slice('modern-1', 'modern', [ready(modern.address)]));
  await rig.api.apply(ingress('modern', 'modern', 'sallyport.dev/access: public'));
  await rig.becomes('modern', 'modern');
  const { body } = await rig.get('modern');
  assert.deepEqual(JSON.parse(body), { name: 'modern', version: '2.0', authority: `modern.localhost:${rig.port}` });

  await rig.api.apply(service('modern', '{ports: [{name: http, port: 80}]}'));
  await rig.becomes('modern', '502');
  await rig.api.apply(
    ingress('modern', 'modern', 'sallyport.dev/access: public, sallyport.dev/upstream-protocol: h2c'),
  );
  await rig.becomes('modern', 'modern');
});

test('a client certificate is changed without a dropped connection, and nothing is sent without it', async () => {
  const secret = (name: string, content: Readonly<Record<string, string>>) =>
    rig.api.apply(
      `---\n${stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'shop' }, stringData: content })}`,
    );
  const client = ({ cert, key }: typeof own) => secret('client', { 'tls.crt': cert, 'tls.key': key });
  await secret('authority', { 'ca.crt': own.cert });
  await rig.api.apply(service('proving', '{ports: [{name: http, port: 443}]}'));
  await rig.api.apply(slice('proving-1', 'proving', [ready(proving.address)]));
  const says = ['access: public', 'upstream-protocol: https', 'upstream-tls-server-name: app.example.com'];
  const names = ['upstream-ca-secret: authority', 'upstream-client-certificate-secret: client'];
  const annotations = [...says, ...names].map((one) => `sallyport.dev/${one}`).join(', ');
  await rig.api.apply(ingress('proving', 'proving', annotations));
  await rig.becomes('proving', '503');
  await client(pem('wildcard.example.org'));
  await rig.becomes('proving', '*.example.org');

  let ticks = 0;
  let isCut = false;
  const headers = { host: `proving.localhost:${rig.port}` };
  const streaming = request({ host: '127.0.0.1', port: rig.port, path: '/ticks', headers }, (response) => {
    response.on('data', () => (ticks += 1)).on('error', () => undefined);
    response.on('close', () => (isCut = true));
  });
  streaming.on('error', () => undefined).end();
  await until(async () => ticks > 2, 3_000, 'the stream flows');
  await client(pem('fallback.example.net'));
  await rig.becomes('proving', 'fallback.example.net');
  const before = ticks;
  await until(async () => ticks > before + 5, 3_000, 'the stream of the old certificate flows on');
  assert.equal(isCut, false);
  streaming.destroy();

  await rig.api.delete('secret', 'client', 'shop');
  await rig.becomes('proving', '503');
});

test('an external name is followed where the class lists it, and never to our own ports', async () => {
  const external = '{type: ExternalName, externalName: localhost, ports: [{name: http, port: 9000}]}';
  await rig.api.apply(service('outside', external));
  await rig.api.apply(ingress('outside', 'outside', 'sallyport.dev/access: public'));
  await rig.becomes('outside', '503');
  const patch = (upstream: unknown) =>
    rig.kubectl('patch', 'sallyport', 'default', '--type', 'merge', '-p', JSON.stringify({ spec: { upstream } }));
  await patch({ externalNames: ['localhost'] });
  await rig.becomes('outside', '502');
  assert.ok(rig.log.some(({ outcome }) => outcome === 'AddressRefused'));
  await patch(null);
  await rig.becomes('outside', '503');
});

test('a class that asks for TLS takes plain text away, live', async () => {
  await rig.api.apply(ingress('plain', 'red', 'sallyport.dev/access: public'));
  await rig.becomes('plain', 'red');
  const patch = (tls: string) =>
    rig.kubectl(
      'patch',
      'sallyport',
      'default',
      '--type',
      'merge',
      '-p',
      JSON.stringify({ spec: { upstream: { tls } } }),
    );
  await patch('Required');
  await rig.becomes('plain', '503');
  await patch('Optional');
  await rig.becomes('plain', 'red');
});
