// A certificate by ACME from nothing, and renewed under traffic, with the objects that cert-manager makes, on a real API server.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { startSallyport } from '../../src/cli/run.ts';
import { readRunSettings } from '../../src/cli/settings.ts';
import { createLogger } from '../../src/telemetry.ts';
import { tlsSecret } from '../integration/certificates.ts';
import { send } from '../integration/client.ts';
import { freePort, until } from '../integration/rig.ts';
import { startApiServer } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';
import { farAddress, startFarHost } from './far-host.ts';
import { installCrds } from './install.ts';
import { createAccount } from './pebble/acme.ts';
import type { AcmeAccount } from './pebble/acme.ts';
import { startPebble } from './pebble/pebble.ts';
import type { Pebble } from './pebble/pebble.ts';
import { application } from './rig.ts';

const host = 'store.example.com';
const stops: (() => Promise<unknown>)[] = [];
let [httpPort, httpsPort] = [0, 0];
let api: ApiServer;
let pebble: Pebble;
let account: AcmeAccount;

// cert-manager's solver: it answers with the token and the account's thumbprint, which is the program's name here.
const solver = `
  const [thumbprint, address] = process.argv.slice(1);
  require('node:http').createServer((request, response) => {
    response.end(request.url.slice('/.well-known/acme-challenge/'.length) + '.' + thumbprint);
  }).listen(9000, address, () => console.log('ready'));
`;

const world = `
apiVersion: v1
kind: Namespace
metadata: {name: sallyport-system}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: sallyport}
spec: {controller: sallyport.dev/ingress-controller}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: store, namespace: shop, annotations: {sallyport.dev/access: authenticated}}
spec:
  ingressClassName: sallyport
  tls: [{hosts: [${host}], secretName: store-tls}]
  rules: [{host: ${host}, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: store, port: {name: http}}}}]}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: store-open, namespace: shop, annotations: {sallyport.dev/access: public}}
spec:
  ingressClassName: sallyport
  rules: [{host: ${host}, http: {paths: [{path: /open, pathType: Prefix, backend: {service: {name: store, port: {name: http}}}}]}}]
${application('store', farAddress(5))}`;

const solverName = 'cm-acme-http-solver-x7k2p';
const labels =
  '{acme.cert-manager.io/http-domain: "1193269873", acme.cert-manager.io/http-token: "1016410862", acme.cert-manager.io/http01-solver: "true"}';

/** As cert-manager makes them; there is no controller here that would make the EndpointSlice. */
const solverObjects = (token: string, address: string) => `
apiVersion: v1
kind: Service
metadata: {name: ${solverName}, namespace: shop, labels: ${labels}}
spec: {type: NodePort, selector: ${labels}, ports: [{name: http, port: 8089, targetPort: 8089}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${solverName}-1, namespace: shop, labels: {kubernetes.io/service-name: ${solverName}}}
addressType: IPv4
ports: [{name: http, port: 9000}]
endpoints: [{addresses: [${address}]}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: ${solverName}
  namespace: shop
  labels: ${labels}
  annotations: {nginx.ingress.kubernetes.io/whitelist-source-range: "0.0.0.0/0,::/0"}
spec:
  ingressClassName: sallyport
  rules:
    - host: ${host}
      http:
        paths:
          - path: /.well-known/acme-challenge/${token}
            pathType: ImplementationSpecific
            backend: {service: {name: ${solverName}, port: {number: 8089}}}
`;

before(async () => {
  [httpPort, httpsPort] = [await freePort(), await freePort()];
  const started = async <T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T> => {
    const one = await starting;
    stops.push(() => one.stop());
    return one;
  };
  pebble = await started(startPebble(httpPort));
  account = await createAccount(pebble.directory, pebble.ca);
  api = await started(startApiServer());
  await started(startFarHost('store', 5));
  await started(startFarHost(account.thumbprint, 6, solver));
  await installCrds(api);
  await api.apply(world);
  const listen = ['--http', `127.0.0.1:${httpPort}`, '--https', `127.0.0.1:${httpsPort}`];
  const flags = ['--kubeconfig', api.kubeconfigPath, ...listen, '--probes', '', '--admin', '127.0.0.1:0'];
  await started(startSallyport(readRunSettings(flags, {}), createLogger('silent')));
});
after(async () => {
  for (const stop of stops.toReversed()) await stop();
});

const plain = (path: string) => send(new URL(`http://${host}:${httpPort}${path}`), { headers: { accept: '*/*' } });

/** Proves a host to Pebble, as cert-manager does: objects, a look of its own, then the server's; and takes the objects away. */
async function issue() {
  let token = '';
  const pair = await account.issue(host, async (given) => {
    token = given;
    await api.apply(solverObjects(given, farAddress(6)));
    const path = `/.well-known/acme-challenge/${given}`;
    await until(
      async () => (await plain(path)).body === `${given}.${account.thumbprint}`,
      10_000,
      'the solver answers',
    );
  });
  for (const kind of ['ingress', 'endpointslice', 'service']) {
    await api.delete(kind, kind === 'endpointslice' ? `${solverName}-1` : solverName, 'shop');
  }
  return { pair, token };
}

/** The serial number of the certificate that a client is shown who trusts Pebble's root alone; or why it shows none. */
function shown(): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port: httpsPort, host: '127.0.0.1', servername: host, ca: pebble.root }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on('error', ({ message }) => resolve(message));
  });
}

const serial = (pem: string) => new X509Certificate(pem).serialNumber;

test('a host without a certificate proves itself, and shows the one issued at the next handshake', async () => {
  assert.match(await shown(), /handshake failure/);
  const { pair, token } = await issue();
  assert.equal((await plain(`/.well-known/acme-challenge/${token}`)).status, 403, 'closed again with its objects');
  await api.apply(tlsSecret('shop', 'store-tls', pair));
  await until(async () => (await shown()) === serial(pair.certificate), 5_000, 'the certificate is shown');
  assert.equal((await plain('/')).status, 308, 'and plain http leads to https');
});

test('it is renewed over plain http that leads to https, and no request fails', async () => {
  const outcomes = new Map<string, number>();
  let isOver = false;
  const ask = async () => {
    while (!isOver) {
      const outcome = await send(new URL(`https://${host}:${httpsPort}/open`), { ca: pebble.root }).then(
        ({ status }) => String(status),
        (error: Error) => error.message,
      );
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  };
  const asking = [ask(), ask()];
  const before = await shown();
  let ms = 0;
  try {
    const { pair } = await issue();
    assert.notEqual(before, serial(pair.certificate));
    await api.apply(tlsSecret('shop', 'store-tls', pair));
    ms = await until(async () => (await shown()) === serial(pair.certificate), 5_000, 'the new one is shown');
  } finally {
    isOver = true;
    await Promise.all(asking);
  }
  assert.deepEqual([...outcomes.keys()], ['200']);
  console.log(`renewed: shown ${Math.round(ms)} ms after the Secret, ${outcomes.get('200')} requests, none failed`);
});

test('a solver in another namespace proves nothing', async () => {
  await assert.rejects(
    account.issue(host, async (token) => {
      await api.apply('apiVersion: v1\nkind: Namespace\nmetadata: {name: thief}');
      await api.apply(solverObjects(token, farAddress(6)).replaceAll('namespace: shop', 'namespace: thief'));
      const events = () => api.kubectl(['get', 'events.events.k8s.io', '-n', 'thief', '-o', 'json']);
      await until(async () => (await events()).stdout.includes('HostOwnedElsewhere'), 10_000, 'the Event is there');
    }),
    /not valid: .*(308|unauthorized|Invalid)/s,
  );
});
