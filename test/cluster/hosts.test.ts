// Who owns what on a real API server: ways in through the back that a tenant's objects could be, conflicts as kubectl tells them, and shared hosts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { send } from '../integration/client.ts';
import { until } from '../integration/rig.ts';
import { nearAddress } from './far-host.ts';
import { blue, ingress, startClusterRig } from './rig.ts';
import type { ClusterRig } from './rig.ts';

const ownAddress = nearAddress(1);
let rig: ClusterRig;
let podIp: string | undefined;

before(async () => {
  podIp = process.env['POD_IP'];
  // An address of this computer that is no loopback: what a pod's own is to it.
  process.env['POD_IP'] = ownAddress;
  rig = await startClusterRig();
});
after(async () => {
  if (podIp === undefined) delete process.env['POD_IP'];
  else process.env['POD_IP'] = podIp;
  await rig?.stop();
});

const service = (name: string, spec: string, namespace = 'shop') => `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${namespace}}
spec: ${spec}
`;
const slice = (of: string, addressType: string, addresses: string, port: number, namespace = 'shop') => `
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${of}-1, namespace: ${namespace}, labels: {kubernetes.io/service-name: ${of}}}
addressType: ${addressType}
ports: [{name: http, port: ${port}}]
endpoints: [{addresses: [${addresses}]}]
`;
/** As rig.becomes, with patience: what is told here is what comes, and serving.test.ts looks at the clock. */
const becomes = (host: string, wanted: string) =>
  until(async () => (await rig.served(host)) === wanted, 10_000, `${host} serves ${wanted}`);

const ports = '{ports: [{name: http, port: 80}]}';
const access = 'sallyport.dev/access: public';

/** What somebody sees who may do no more than describe an object. */
const describe = (kind: string, name: string, namespace = 'shop') =>
  rig.kubectl('describe', kind, name, '-n', namespace);
const says = (kind: string, name: string, words: RegExp, namespace = 'shop') =>
  until(async () => words.test(await describe(kind, name, namespace)), 10_000, `${kind} ${name} says ${String(words)}`);

for (const [name, addressType, address, port] of [
  ['alibaba', 'IPv4', '100.100.100.200', 80],
  ['ourselves', 'IPv4', ownAddress, 9000],
  ['wireserver', 'IPv4', '168.63.129.16', 80],
  ['mapped', 'IPv6', '"64:ff9b::a9fe:a9fe"', 80],
] as const) {
  test(`an endpoint at ${address} is never connected to, and the Service says why`, async () => {
    await rig.api.apply(service(name, ports) + slice(name, addressType, address, port));
    await rig.api.apply(ingress(name, name, access));
    await becomes(name, '503');
    await says('service', name, /EndpointAddressRefused[\s\S]*such endpoints are left out/);
  });
}

test('the API server is no application, where it really listens, and by its own Service', async () => {
  // As an API server keeps it by itself, save one of tests, which reconciles no endpoints.
  const own = slice('kubernetes', 'IPv4', '192.0.2.1', 6443, 'default').replace(
    'name: kubernetes-1',
    'name: kubernetes',
  );
  await rig.api.apply(own);
  await rig.api.apply(service('api', ports) + slice('api', 'IPv4', '192.0.2.1', 6443));
  await rig.api.apply(ingress('api', 'api', access));
  await becomes('api', '503');
  await says('service', 'api', /is the API server: such endpoints are left out/);
});

test('names are no endpoints, and no ExternalName is followed that the class does not list', async () => {
  await rig.api.apply(service('named', ports) + slice('named', 'FQDN', 'localhost.example.com', 80));
  await rig.api.apply(ingress('named', 'named', access));
  await becomes('named', '503');
  await says('endpointslice', 'named-1', /EndpointAddressRefused[\s\S]*a way into other networks/);
  for (const name of ['localhost', 'kubernetes.default.svc', 'metadata.google.internal']) {
    await rig.api.apply(
      service('elsewhere', `{type: ExternalName, externalName: ${name}, ports: [{name: http, port: 80}]}`),
    );
    await rig.api.apply(ingress('elsewhere', 'elsewhere', access));
    await becomes('elsewhere', '503');
  }
  await says('ingress', 'elsewhere', /ExternalNameRefused/);
});

test('the API server itself takes no loopback or link-local address into an EndpointSlice', async () => {
  for (const address of ['127.0.0.1', '169.254.169.254']) {
    await assert.rejects(
      rig.api.apply(service('loop', ports) + slice('loop', 'IPv4', address, 80)),
      /may not be in the/,
    );
  }
});

/** In namespace `blog`, made after whatever is in `shop`. */
const blogs = (name: string, host: string, path: string, more = '') => `
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ${name}, namespace: blog, annotations: {${access}}${more}}
spec:
  ingressClassName: sallyport
  rules:
    - host: ${host}.localhost
      http: {paths: [{path: ${path}, pathType: Prefix, backend: {service: {name: posts, port: {name: http}}}}]}
`;

/** So that ages differ: creationTimestamp has no fractions. */
const aSecond = () => new Promise((resolve) => void setTimeout(resolve, 1_100));

test('whoever loses a host, a path or a certificate learns it from kubectl describe', async () => {
  await rig.api.apply(ingress('contested', 'red', access));
  await becomes('contested', 'red');
  await aSecond();
  await rig.api.apply(ingress('contested', 'blue', access).replace('name: contested,', 'name: a-younger,'));
  await rig.api.apply('apiVersion: v1\nkind: Namespace\nmetadata: {name: blog}');
  await rig.api.apply(service('posts', ports, 'blog') + slice('posts', 'IPv4', blue, 9000, 'blog'));
  // Restoring a backup, or writing one's own age, makes nobody older: the API server sets it.
  await rig.api.apply(blogs('thief', 'contested', '/', ', creationTimestamp: "2001-01-01T00:00:00Z"'));
  await says('ingress', 'a-younger', /ConflictingRoute[\s\S]*served by Ingress shop\/contested, which is older/);
  await says('ingress', 'thief', /HostOwnedElsewhere[\s\S]*belongs to namespace shop/, 'blog');
  assert.equal(await rig.served('contested'), 'red');
});

test('a class shares a host with namespaces by their labels, and takes it back, live', async () => {
  const guest = async () => {
    const answer = await send(new URL(`http://shared.localhost:${rig.port}/blog`), {});
    return answer.status === 200 ? (JSON.parse(answer.body) as { name: string }).name : String(answer.status);
  };
  const leadsTo = (wanted: string) => until(async () => (await guest()) === wanted, 10_000, `/blog is ${wanted}`);
  const share = (spec: string) =>
    rig.kubectl(
      'patch',
      'sallyport',
      'default',
      '--type=merge',
      '-p',
      JSON.stringify({
        spec: {
          hostSharing:
            spec === '' ? [] : [{ hosts: [spec], namespaces: { selector: { matchLabels: { team: 'blog' } } } }],
        },
      }),
    );
  await rig.api.apply(ingress('shared', 'red', access));
  await aSecond();
  await rig.api.apply(blogs('guest', 'shared', '/blog'));
  await leadsTo('red');
  await share('shared.localhost');
  await says('ingress', 'guest', /HostOwnedElsewhere/, 'blog');
  assert.equal(await guest(), 'red');
  await rig.kubectl('label', 'namespace', 'blog', 'team=blog');
  await leadsTo('blue');
  await rig.kubectl('label', 'namespace', 'blog', 'team-');
  await leadsTo('red');
  await rig.kubectl('label', 'namespace', 'blog', 'team=blog');
  await leadsTo('blue');
  await share('');
  await leadsTo('red');
});

test('patterns of shared hosts are strict, and kubectl says what is wanted', async () => {
  for (const host of [
    '*',
    '*.com',
    'Shared.example.com',
    'shared.example.com:80',
    'a.*.example.com',
    'https://a.example.com',
    '',
  ]) {
    const patch = { spec: { hostSharing: [{ hosts: [host], namespaces: { selector: {} } }] } };
    await assert.rejects(
      rig.kubectl('patch', 'sallyport', 'default', '--type=merge', '-p', JSON.stringify(patch)),
      /a lower-case host name without a port is wanted|at least 1 chars/,
      host,
    );
  }
  for (const sharing of [
    [{ hosts: ['a.example.com'] }],
    [{ hosts: [], namespaces: { selector: {} } }],
    [{ namespaces: { selector: {} } }],
  ]) {
    await assert.rejects(
      rig.kubectl(
        'patch',
        'sallyport',
        'default',
        '--type=merge',
        '-p',
        JSON.stringify({ spec: { hostSharing: sharing } }),
      ),
    );
  }
});

test('the default backend of the class answers for hosts that nobody names, until it is taken back', async () => {
  const patch = (backend: unknown) =>
    rig.kubectl(
      'patch',
      'sallyport',
      'default',
      '--type=merge',
      '-p',
      JSON.stringify({ spec: { defaultBackend: backend } }),
    );
  assert.equal(await rig.served('nobodys'), '404');
  await patch({ namespace: 'shop', name: 'red', port: 80 });
  await becomes('nobodys', 'red');
  await patch({ namespace: 'shop', name: 'gone', port: 80 });
  await becomes('nobodys', '503');
  await until(
    async () => /ServiceNotFound/.test(await rig.kubectl('get', 'sallyport', 'default', '-o', 'yaml')),
    5_000,
    'the Sallyport says so',
  );
  await patch(null);
  await becomes('nobodys', '404');
});

test('an Ingress of a class that nobody serves gets no address', async () => {
  await rig.api.apply(
    ingress('unserved', 'red', access).replace(
      'ingressClassName: sallyport',
      'ingressClassName: some-invalid-class-name',
    ),
  );
  await rig.api.apply(ingress('served', 'red', access));
  await becomes('served', 'red');
  assert.equal(await rig.served('unserved'), '404');
  const addresses = await rig.kubectl(
    'get',
    'ingress',
    'unserved',
    '-n',
    'shop',
    '-o',
    'jsonpath={.status.loadBalancer.ingress}',
  );
  assert.equal(addresses, '');
});
