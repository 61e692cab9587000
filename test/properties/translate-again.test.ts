// A translation that takes over what an earlier one found says what one says that begins anew, whatever has changed between them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { KubernetesObject } from '../../src/model/objects.ts';
import { translate } from '../../src/translate/translate.ts';
import type { Translation } from '../../src/translate/translate.ts';
import { inventoryFrom, objectsOf } from '../translate/inventory.ts';
import { mutate, mutations } from './translate.mutate.ts';

const namespaces = ['shop', 'blog', 'wiki'];
const hosts = ['app.example.com', '*.example.com', 'a.example.com', 'b.example.com', 'login.example.com', ''];

const application = (namespace: string, name: string, host: string, age: number) => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: ${name}
  namespace: ${namespace}
  creationTimestamp: "2026-0${age}-01T00:00:00Z"
  labels: {app: ${name}}
  annotations: {sallyport.dev/policy: staff}
spec:
  ingressClassName: sallyport
  ${name === 'two' ? `tls: [{hosts: ['${host}'], secretName: app-tls}]` : ''}
  rules:
    - ${host === '' ? '' : `host: '${host}'\n      `}http: {paths: [{path: /${name}, pathType: Prefix, backend: {service: {name: ${name}, port: {number: 80}}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${namespace}}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}-1, namespace: ${namespace}, labels: {kubernetes.io/service-name: ${name}}}
addressType: IPv4
ports: [{port: 8080}]
endpoints: [{addresses: [10.1.0.${age}]}]
`;

const team = (namespace: string, index: number) => `
apiVersion: v1
kind: Namespace
metadata: {name: ${namespace}, labels: {tier: t${index}}}
---
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: staff, namespace: ${namespace}}
spec:
  targetRefs: [{selector: {matchLabels: {app: one}}}]
  dataSets: [{name: people, configMapRef: {name: people}, staleAfter: 24h}]
  rules: [{name: staff, allow: {and: [{groups: {has: staff}}]}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: people, namespace: ${namespace}, annotations: {sallyport.dev/refreshed-at: "2027-01-0${index + 1}T00:00:00Z"}}
data: {ana: "1"}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: solver, namespace: ${namespace}, labels: {acme.cert-manager.io/http01-solver: "true"}}
spec:
  ingressClassName: sallyport
  rules:
    - host: ${hosts[index + 1] === '*.example.com' ? 'new.example.com' : (hosts[index + 1] ?? '')}
      http: {paths: [{path: /.well-known/acme-challenge/t${index}, pathType: Exact, backend: {service: {name: one, port: {number: 80}}}}]}
---
${['one', 'two']
  .map((name, at) =>
    application(namespace, name, hosts[(index * 2 + at) % hosts.length] ?? '', 1 + ((index + 3 * at) % 5)),
  )
  .join('---')}`;

const surroundings = readFileSync(join(import.meta.dirname, '../translate/cluster.yaml'), 'utf8');
const world = [
  ...objectsOf(`${surroundings}
---
apiVersion: sallyport.dev/v1alpha1
kind: ClusterPolicy
metadata: {name: company}
spec:
  enforcement: Mandatory
  namespaceSelector: {matchLabels: {tier: t1}}
  rules: [{deny: {not: [{email: {endsWith: "@example.com"}}]}}]
---${namespaces.map(team).join('---')}`),
];
const certificate = world.find(({ kind, metadata }) => kind === 'Secret' && metadata.name === 'app-tls');
assert.ok(certificate);
world.push({ ...certificate, metadata: { namespace: 'blog', name: 'app-tls' } });

const options = { className: 'sallyport', installationNamespace: 'sallyport-system', fromFolder: false };
// As a watch leaves it: how far we see stays the same object, or everything would be read anew.
const { reach } = inventoryFrom([]);
const inventoryOf = (objects: readonly KubernetesObject[]) => ({ ...inventoryFrom(objects), reach });
const begun = Date.parse('2027-01-01T12:00:00Z');
const hourMs = 3_600_000;

/** What stands at a place of the world: another object, none, or what stood there at first. */
const change = fc.record({
  place: fc.nat(world.length - 1),
  what: fc.oneof(
    { weight: 1, arbitrary: fc.constant('Gone' as const) },
    { weight: 2, arbitrary: fc.constant('Back' as const) },
    { weight: 4, arbitrary: mutations },
    { weight: 2, arbitrary: fc.nat(world.length - 1) },
  ),
});
type Change = typeof change extends fc.Arbitrary<infer One> ? One : never;

function changed(objects: readonly (KubernetesObject | undefined)[], { place, what }: Change) {
  const first = world[place];
  assert.ok(first);
  if (what === 'Gone') return objects.with(place, undefined);
  if (what === 'Back') return objects.with(place, first);
  if (typeof what !== 'number') return objects.with(place, mutate(objects[place] ?? first, what));
  // The spec of another of its kind: hosts, policies and Services are named by others than before.
  const other = world.filter(({ kind }) => kind === first.kind);
  return objects.with(place, { ...first, spec: other[what % other.length]?.spec });
}

/** Statuses are dated when they are found. */
function said({ memory: _memory, translatedIngresses: _translated, ...translation }: Translation) {
  const { hosts, references, statuses, ingresses, ...rest } = translation;
  return {
    ...rest,
    hosts: new Map(hosts),
    secrets: new Set(references.secrets),
    configMaps: new Set(references.configMaps),
    ingresses: new Set(ingresses),
    statuses: new Map(
      statuses.map(({ collection, object, status }) => [
        `${collection} ${object.namespace ?? ''}/${object.name}`,
        { ...status, conditions: status.conditions?.map((condition) => ({ ...condition, lastTransitionTime: '' })) },
      ]),
    ),
    diagnostics: new Set(rest.diagnostics.map((one) => JSON.stringify(one))),
  };
}

test('a translation says the same with an earlier one as without', () => {
  const rounds = fc.array(
    fc.record({ changes: fc.array(change, { maxLength: 3 }), hours: fc.oneof(fc.constant(0), fc.nat(40)) }),
    { minLength: 1, maxLength: 8 },
  );
  fc.assert(
    fc.property(rounds, (all) => {
      let objects: readonly (KubernetesObject | undefined)[] = world;
      let now = begun;
      let before = translate(inventoryOf(world), options, now);
      for (const { changes, hours } of all) {
        for (const one of changes) objects = changed(objects, one);
        now += hours * hourMs;
        const inventory = inventoryOf(objects.filter((object) => object !== undefined));
        before = translate(inventory, options, now, before);
        assert.deepEqual(said(before), said(translate(inventory, options, now)));
      }
    }),
    { numRuns: 200, interruptAfterTimeLimit: 10_000, markInterruptAsFailure: false },
  );
});

test('whatever goes alone, and comes back; and when time passes', () => {
  for (const place of world.keys()) {
    const without = inventoryOf(world.toSpliced(place, 1));
    const first = translate(inventoryOf(world), options, begun);
    const second = translate(without, options, begun, first);
    assert.deepEqual(said(second), said(translate(without, options, begun)), JSON.stringify(world[place]));
    const third = translate(inventoryOf(world), options, begun, second);
    assert.deepEqual(said(third), said(first), JSON.stringify(world[place]));
  }
  let before = translate(inventoryOf(world), options, begun);
  for (const hours of [1, 11, 12, 13, 36, 48, 60, 400_000]) {
    const now = begun + hours * hourMs;
    before = translate(inventoryOf(world), options, now, before);
    assert.deepEqual(said(before), said(translate(inventoryOf(world), options, now)), `after ${hours} hours`);
  }
});

test('and translates only what a change touches', () => {
  // Of nothing that is remembered: by now, there is somewhere what was made from the objects themselves.
  const anew = structuredClone(world);
  const first = translate(inventoryOf(anew), options, begun);
  assert.equal(first.translatedIngresses, 6);
  const slice = world.findIndex(
    ({ kind, metadata }) => kind === 'EndpointSlice' && metadata.namespace === 'blog' && metadata.name === 'one-1',
  );
  const moved = { ...world[slice], endpoints: [{ addresses: ['10.9.0.1'] }] } as unknown as KubernetesObject;
  const second = translate(inventoryOf(anew.with(slice, moved)), options, begun, first);
  assert.equal(second.translatedIngresses, 1);
  assert.equal(second.references, first.references);
  assert.equal(second.memory.namespaces.get('shop'), first.memory.namespaces.get('shop'));
});
