// Whoever has nothing but `kubectl describe ingress` learns why it is not served: for each error about an Ingress an Event with its words.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../integration/rig.ts';
import { ingress, startClusterRig } from './rig.ts';
import type { ClusterRig } from './rig.ts';

const surroundings = `
apiVersion: v1
kind: Namespace
metadata: {name: rival}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
${ingress('owned', 'red', 'sallyport.dev/access: public').replace('namespace: shop', 'namespace: rival')}
---
apiVersion: v1
kind: Service
metadata: {name: idle, namespace: shop}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Secret
metadata: {name: broken, namespace: shop}
stringData: {tls.crt: none, tls.key: none}
`;

let rig: ClusterRig;
before(async () => {
  rig = await startClusterRig({ objects: surroundings });
});
after(() => rig?.stop());

const open = 'sallyport.dev/access: public';
const withTls = (name: string, secret: string) =>
  `${ingress(name, 'red', open)}  tls: [{hosts: [${name}.localhost], secretName: ${secret}}]\n`;
const withPath = (name: string, path: string) => ingress(name, 'red', open).replace('path: /,', `path: ${path},`);

/** What is wrong, by the code that says so, and the name of the Ingress. */
const table: readonly (readonly [code: string, name: string, yaml: string])[] = [
  ['AnnotationInvalid', 'invalid', ingress('invalid', 'red', 'sallyport.dev/access: everybody')],
  ['AnnotationUnknown', 'unknown', ingress('unknown', 'red', 'sallyport.dev/polcy: members')],
  ['AuthenticationHostReserved', 'auth', ingress('auth', 'red', open)],
  [
    'BackendUnsupported',
    'bucket',
    ingress('bucket', 'red', open).replace(
      'service: {name: red, port: {name: http}}',
      'resource: {apiGroup: example.com, kind: Bucket, name: b}',
    ),
  ],
  ['ConflictingRoute', 'later', ingress('later', 'red', open).replace('host: later', 'host: first')],
  ['HostInvalid', 'far', ingress('far', 'red', open).replace('host: far.localhost', 'host: "*.com"')],
  ['HostOwnedElsewhere', 'owned', ingress('owned', 'red', open)],
  ['NoEndpoints', 'idle', ingress('idle', 'idle', open)],
  ['NoGrant', 'closed', ingress('closed', 'red', 'sallyport.dev/policy: denies')],
  [
    'PathInvalid',
    'pattern',
    withPath('pattern', '"/a/(.*)"').replace('pathType: Prefix', 'pathType: ImplementationSpecific'),
  ],
  ['PolicyBroken', 'broken', ingress('broken', 'red', 'sallyport.dev/policy: broken')],
  ['PolicyNotFound', 'missing', ingress('missing', 'red', 'sallyport.dev/policy: missing')],
  ['SecretNotFound', 'secret', withTls('secret', 'missing')],
  ['CertificateInvalid', 'certificate', withTls('certificate', 'broken')],
  ['ServiceNotFound', 'service', ingress('service', 'missing', open)],
  ['ServicePortNotFound', 'port', ingress('port', 'red', open).replace('port: {name: http}', 'port: {number: 81}')],
];

test(
  'kubectl describe ingress says each error about it, in the words of the diagnostic',
  { timeout: 120_000 },
  async () => {
    await rig.api.apply(ingress('first', 'red', open));
    await rig.api.apply(`
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: denies, namespace: shop}
spec: {rules: [{name: none, deny: {and: [{accept: true}]}}]}
---
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: broken, namespace: shop}
spec: {rules: [{name: all, allow: {and: [{httpPath: {matches: "("}}]}}]}
`);
    for (const [, , yaml] of table) await rig.api.apply(yaml);
    const described = async (name: string) =>
      (await rig.kubectl('describe', 'ingress', name, '-n', 'shop')).replaceAll(/\s+/g, ' ');
    const missing: string[] = [];
    for (const [code, name] of table) {
      const isSaid = async () => (await described(name)).includes(`Warning ${code} `);
      await until(isSaid, 8_000, code).catch(() => missing.push(`${code} on ${name}`));
    }
    assert.deepEqual(missing, []);
    // Every error about an Ingress that was logged, whether the table has it or not.
    const errors = rig.log.filter(
      ({ level, object }) => level === 'error' && String(object).startsWith('Ingress shop/'),
    );
    assert.ok(errors.length >= 12, `${errors.length} errors`);
    for (const { msg, object, code } of errors) {
      const name = String(object).slice('Ingress shop/'.length);
      const words = String(msg)
        .slice(`error: ${String(object)}: `.length, -` (${String(code)})`.length)
        .replaceAll(/\s+/g, ' ');
      assert.ok((await described(name)).includes(words), `${name}: ${words}`);
    }
  },
);

test('an Ingress whose class is not there says so', async () => {
  await rig.api.delete('ingressclass', 'sallyport');
  const described = async () =>
    (await rig.kubectl('describe', 'ingress', 'first', '-n', 'shop')).replaceAll(/\s+/g, ' ');
  await until(async () => (await described()).includes('there is no IngressClass sallyport'), 8_000, 'it says so');
});

test('a fault that comes again is the same Event, seen twice', async () => {
  const events = async () => {
    const stdout = await rig.kubectl('get', 'events.events.k8s.io', '-n', 'shop', '-o', 'json');
    const { items } = JSON.parse(stdout) as {
      items: { reason: string; regarding: { name: string }; series?: { count: number } }[];
    };
    return items.filter(({ reason, regarding }) => reason === 'NothingServed' && regarding.name === 'first');
  };
  assert.equal((await events()).length, 1);
  await rig.api.apply(`
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: sallyport}
spec: {controller: sallyport.dev/ingress-controller}
`);
  await rig.becomes('first', 'red');
  await rig.api.delete('ingressclass', 'sallyport');
  await until(async () => (await events())[0]?.series?.count === 2, 8_000, 'it is a series');
  assert.equal((await events()).length, 1);
});
