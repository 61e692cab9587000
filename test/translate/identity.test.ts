// What did not change is the very same object: that is how only changed hosts travel to the proxies.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { applyUpdate, emptyTable, tableUpdate } from '../../src/model/route.ts';
import type { RouteTable } from '../../src/model/route.ts';
import type { KubernetesObject } from '../../src/model/objects.ts';
import { translate } from '../../src/translate/translate.ts';
import { inventoryFrom, objectsOf } from './inventory.ts';

const options = { className: 'sallyport', installationNamespace: 'sallyport-system', fromFolder: false };
const now = Date.parse('2027-01-01T00:00:00Z');
const hostCount = 20;
const numbers = Array.from({ length: hostCount }, (_, index) => index);

const application = (number: number) => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: app-${number}, namespace: shop, annotations: {sallyport.dev/policy: staff-${number % 2}}}
spec:
  ingressClassName: sallyport
  rules:
    - host: app-${number}.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: app-${number}, port: {number: 80}}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: app-${number}, namespace: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: app-${number}-1, namespace: shop, labels: {kubernetes.io/service-name: app-${number}}}
addressType: IPv4
ports: [{port: 8080}]
endpoints: [{addresses: [10.1.0.${number + 1}]}]
`;

const policy = (name: string, group: string) => `
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: ${name}, namespace: shop}
spec: {rules: [{allow: {or: [{groups: {has: ${group}}}]}}]}
`;

const provider = (name: string, clientId: string) => `
apiVersion: sallyport.dev/v1alpha1
kind: IdentityProvider
metadata: {name: ${name}}
spec: {oidc: {issuer: https://${name}.example.com, clientID: ${clientId}}}
`;

const settings = (timeout: string) => `
apiVersion: sallyport.dev/v1alpha1
kind: Sallyport
metadata: {name: default}
spec: {defaultIdentityProviderRef: {name: okta}, sessions: {store: {type: Memory}}, timeouts: {idle: ${timeout}}}
`;

const before = objectsOf(
  [
    'apiVersion: networking.k8s.io/v1',
    'kind: IngressClass',
    'metadata: {name: sallyport}',
    'spec: {controller: sallyport.dev/ingress-controller, parameters: {apiGroup: sallyport.dev, kind: Sallyport, name: default}}',
    '---',
    [
      settings('5m'),
      provider('okta', 'a'),
      provider('spare', 'a'),
      policy('staff-0', 'a'),
      policy('staff-1', 'a'),
    ].join('---'),
    '---',
    numbers.map(application).join('---'),
  ].join('\n'),
);

function table(objects: readonly KubernetesObject[], generation: number): RouteTable {
  const { settings, hosts } = translate(inventoryFrom(objects), options, now);
  return { generation, settings, hosts };
}

/** The hosts that travel when these objects change, or, given as a name alone, go. */
function travelling(text: string, gone: readonly string[] = [], earlier = before): readonly string[] {
  const first = table(earlier, 1);
  assert.equal(first.hosts.size, hostCount);
  const kept = earlier.filter(({ kind, metadata }) => !gone.includes(`${kind} ${metadata.name}`));
  const second = table([...kept, ...objectsOf(text)], 2);
  const update = tableUpdate(first, second);
  const changed = new Set(update.changed.map(({ host }) => host));
  for (const [host, routes] of second.hosts) {
    if (!changed.has(host)) assert.ok(routes === first.hosts.get(host), `${host} is another object`);
  }
  assert.deepEqual(
    applyUpdate(applyUpdate(emptyTable(first.settings), tableUpdate(emptyTable(first.settings), first)), update),
    second,
  );
  return [...changed, ...update.removed.map((host) => `-${host}`)].toSorted();
}

describe('what travels to the proxies', () => {
  test('nothing, when the same objects are translated again', () => {
    assert.deepEqual(travelling(''), []);
  });

  test('one host, when its Ingress changes', () => {
    const changed = application(7).replace('path: /,', 'path: /new,').split('---')[0] ?? '';
    assert.deepEqual(travelling(changed), ['app-7.example.com']);
  });

  test('one host, when its EndpointSlice changes', () => {
    const changed = application(3).replace('10.1.0.4', '10.1.0.99').split('---')[2] ?? '';
    assert.deepEqual(travelling(changed), ['app-3.example.com']);
  });

  test('one host, when its Service goes', () => {
    assert.deepEqual(travelling('', ['Service app-3']), ['app-3.example.com']);
  });

  test('a name, when the last Ingress of a host goes', () => {
    assert.deepEqual(travelling('', ['Ingress app-5']), ['-app-5.example.com']);
  });

  test('the hosts that a Policy governs, when it changes', () => {
    const governed = numbers.filter((number) => number % 2 === 1).map((number) => `app-${number}.example.com`);
    assert.deepEqual(travelling(policy('staff-1', 'b')), governed.toSorted());
  });

  const named = numbers.map((number) => `app-${number}.example.com`).toSorted();
  const targeting = (targets: string, group = 'a') =>
    policy('guard', group).replace('spec: {', `spec: {targetRefs: [${targets}], `);

  test('the hosts of the Ingresses that a policy begins to target, and no other', () => {
    assert.deepEqual(travelling(targeting('{name: app-4}')), ['app-4.example.com']);
    assert.deepEqual(travelling(targeting('{selector: {matchLabels: {tier: web}}}')), []);
    assert.deepEqual(travelling(targeting('{selector: {}}')), named);
  });

  test('the hosts that a policy has targeted or targets now, when it changes or goes', () => {
    const earlier = [...before, ...objectsOf(targeting('{name: app-4}, {name: app-5}'))];
    assert.deepEqual(travelling(targeting('{name: app-4}, {name: app-6}'), [], earlier), [
      'app-4.example.com',
      'app-5.example.com',
      'app-6.example.com',
    ]);
    assert.deepEqual(travelling(targeting('{name: app-4}, {name: app-5}', 'b'), [], earlier), [
      'app-4.example.com',
      'app-5.example.com',
    ]);
    assert.deepEqual(travelling('', ['Policy guard'], earlier), ['app-4.example.com', 'app-5.example.com']);
  });

  test('one host, when a label of its Ingress changes so that a policy selects it', () => {
    const earlier = [...before, ...objectsOf(targeting('{selector: {matchLabels: {tier: web}}}'))];
    const labelled = application(8)
      .replace('namespace: shop,', 'namespace: shop, labels: {tier: web},')
      .split('---')[0];
    assert.deepEqual(travelling(labelled ?? '', [], earlier), ['app-8.example.com']);
  });

  test('the hosts of a policy whose data set changes, and nothing when another ConfigMap does', () => {
    const configMap = (name: string, text: string) =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: shop}\ndata: {people: "${text}"}`;
    const looking = targeting('{name: app-4}')
      .replace('spec: {', 'spec: {dataSets: [{name: people, configMapRef: {name: people, key: people}}], ')
      .replace('groups: {has: a}', 'email: {inDataSet: people}');
    const earlier = [
      ...before,
      ...objectsOf([looking, configMap('people', '[a]'), configMap('spare', '[a]')].join('\n---\n')),
    ];
    assert.deepEqual(travelling(configMap('people', '[b]'), [], earlier), ['app-4.example.com']);
    assert.deepEqual(travelling(configMap('spare', '[b]'), [], earlier), []);
  });

  test('nothing, when a provider that no policy names or a timeout changes', () => {
    assert.deepEqual(travelling(`${provider('okta', 'b')}---${provider('spare', 'b')}---${settings('1m')}`), []);
  });

  test('every host, when the class asks for TLS to applications, and none when something else of it changes', () => {
    const asking = (timeout: string, tls: string) =>
      settings(timeout).replace('spec: {', `spec: {upstream: {tls: ${tls}}, `);
    assert.deepEqual(travelling(asking('5m', 'Required')), named);
    const earlier = [...before, ...objectsOf(asking('5m', 'Required'))];
    assert.deepEqual(travelling(asking('1m', 'Required'), [], earlier), []);
    assert.deepEqual(travelling(asking('1m', 'Optional')), []);
    const broken = asking('5m', 'Required').replace('spec: {', 'spec: {typo: 1, ');
    assert.deepEqual(travelling(broken.replace('5m', '1m'), [], [...before, ...objectsOf(broken)]), []);
  });

  test('nothing, when a host is refused to an Ingress of another namespace', () => {
    const [thief = ''] = application(1).replace('namespace: shop', 'namespace: zoo').split('---');
    assert.deepEqual(travelling(thief), []);
  });

  test('nothing, when an Ingress of another class comes', () => {
    const other = application(1)
      .replace('name: app-1,', 'name: other,')
      .replace('ingressClassName: sallyport', 'ingressClassName: nginx');
    assert.deepEqual(travelling(other.split('---')[0] ?? ''), []);
  });
});
