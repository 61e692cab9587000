// What an Ingress controller does beside routing, on a real API server: addresses, classes, two installations, namespaces by name and by label, Events.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSallyport } from '../../src/cli/run.ts';
import type { RunningSallyport } from '../../src/cli/run.ts';
import { readRunSettings } from '../../src/cli/settings.ts';
import { createLogger } from '../../src/telemetry.ts';
import { send } from '../integration/client.ts';
import { freePort, until } from '../integration/rig.ts';
import { application, flagsFor, ingress, red, startClusterRig } from './rig.ts';
import type { ClusterRig } from './rig.ts';

let rig: ClusterRig;
let other: RunningSallyport & { readonly port: number };

const frontService = `
apiVersion: v1
kind: Namespace
metadata: {name: sallyport-system}
---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: sallyport-system}
spec: {type: LoadBalancer, ports: [{port: 443}]}
`;
const otherClass = `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: other}
spec:
  controller: sallyport.dev/ingress-controller
  parameters: {apiGroup: sallyport.dev, kind: Sallyport, name: other}
---
apiVersion: sallyport.dev/v1alpha1
kind: Sallyport
metadata: {name: other}
spec: {sessions: {store: {type: Memory}}}
`;

/** A second Sallyport in this process, with its own flags. */
async function start(...flags: string[]): Promise<RunningSallyport & { readonly port: number }> {
  const port = await freePort();
  const settings = readRunSettings([...flagsFor(rig.api, port), ...flags], {});
  return { ...(await startSallyport(settings, createLogger('silent'))), port };
}

before(async () => {
  rig = await startClusterRig({ objects: frontService, flags: ['--publish-service', 'sallyport-system/front'] });
  await rig.api.apply(otherClass);
  other = await start('--class', 'other', '--publish-address', '198.51.100.7,lb.example');
});
after(async () => {
  await other?.stop();
  await rig?.stop();
});

async function read(kind: string, name: string, namespace = 'shop') {
  const stdout = await rig.kubectl('get', kind, name, '-n', namespace, '--show-managed-fields', '-o', 'json');
  return JSON.parse(stdout) as {
    metadata: {
      resourceVersion: string;
      generation: number;
      managedFields: { manager: string; subresource?: string }[];
    };
    status?: {
      loadBalancer?: { ingress?: unknown[] };
      routes?: number;
      conditions?: { type: string; status: string; observedGeneration: number }[];
    };
  };
}

const addressesOf = async (name: string) => (await read('ingress', name)).status?.loadBalancer?.ingress ?? [];
const say = (what: unknown) => JSON.stringify(what);
const shows = (name: string, wanted: unknown[]) =>
  until(async () => say(await addressesOf(name)) === say(wanted), 5_000, `${name} shows ${say(wanted)}`);
const patchStatus = (kind: string, name: string, namespace: string, ingress: readonly unknown[]) => {
  const patch = JSON.stringify({ status: { loadBalancer: { ingress } } });
  return rig.kubectl('patch', kind, name, '-n', namespace, '--subresource', 'status', '--type', 'merge', '-p', patch);
};
const balance = (...ingress: unknown[]) => patchStatus('service', 'front', 'sallyport-system', ingress);
const ofClass = (name: string, className: string, service = 'red') =>
  ingress(name, service, 'sallyport.dev/access: public').replace(
    'ingressClassName: sallyport',
    `ingressClassName: ${className}`,
  );

async function servedBy({ port }: { readonly port: number }, host: string): Promise<number> {
  return (await send(new URL(`http://${host}.localhost:${port}/`), { headers: { accept: '*/*' } })).status;
}

test('the addresses of a Service are written into our Ingresses, followed, and taken back', async () => {
  await rig.api.apply(ofClass('addressed', 'sallyport'));
  await rig.becomes('addressed', 'red');
  assert.deepEqual(await addressesOf('addressed'), []);
  await balance({ ip: '192.0.2.10', ipMode: 'VIP' });
  await shows('addressed', [{ ip: '192.0.2.10' }]);
  await balance({ ip: '192.0.2.11', ipMode: 'VIP' }, { hostname: 'front.example' });
  await shows('addressed', [{ ip: '192.0.2.11' }, { hostname: 'front.example' }]);
  // At rest nothing is written, however often there is a round.
  const { resourceVersion } = (await read('ingress', 'addressed')).metadata;
  await rig.api.apply(ofClass('passing', 'sallyport'));
  await shows('passing', [{ ip: '192.0.2.11' }, { hostname: 'front.example' }]);
  await sleep(500);
  assert.equal((await read('ingress', 'addressed')).metadata.resourceVersion, resourceVersion);
  // Out of the class: to another of ours, which writes its own, and to one that is nobody's here.
  await rig.api.apply(ofClass('addressed', 'other'));
  await shows('addressed', [{ ip: '198.51.100.7' }, { hostname: 'lb.example' }]);
  await rig.api.apply(ofClass('addressed', 'stranger'));
  await shows('addressed', []);
});

test('an Ingress of a class that is not ours keeps what others wrote, whatever it is', async () => {
  await rig.api.apply(ofClass('foreign', 'stranger'));
  await patchStatus('ingress', 'foreign', 'shop', [{ ip: '192.0.2.11' }]);
  const { resourceVersion } = (await read('ingress', 'foreign')).metadata;
  await rig.api.apply(ofClass('passing', 'sallyport', 'blue'));
  await sleep(1_000);
  assert.equal((await read('ingress', 'foreign')).metadata.resourceVersion, resourceVersion);
});

test('two classes, two installations: each serves and speaks of its own', async () => {
  await rig.api.apply(ofClass('mine', 'sallyport'));
  await rig.api.apply(
    ingress('theirs', 'red', 'sallyport.dev/policy: theirs').replace('Name: sallyport', 'Name: other'),
  );
  await rig.api.apply(`
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: theirs, namespace: shop}
spec: {rules: [{name: all, allow: {and: [{accept: true}]}}]}
`);
  await rig.becomes('mine', 'red');
  await until(async () => (await servedBy(other, 'theirs')) === 200, 5_000, 'the other serves its own');
  assert.deepEqual([await rig.served('theirs'), await servedBy(other, 'mine')], ['404', 404]);
  await until(async () => (await read('policy', 'theirs')).status?.routes === 1, 15_000, 'it is governed by the other');
  const conditions = async (kind: string, name: string) => (await read(kind, name)).status?.conditions ?? [];
  for (const name of ['default', 'other']) {
    const programmed = async () => (await conditions('sallyport', name)).find(({ type }) => type === 'Programmed');
    await until(async () => (await programmed())?.status === 'True', 5_000, `Sallyport ${name} is used`);
  }
  // Rounds of both, and neither says anything anew.
  await sleep(1_000);
  const objects = [
    ['policy', 'theirs'],
    ['sallyport', 'default'],
    ['sallyport', 'other'],
    ['ingress', 'mine'],
    ['ingress', 'theirs'],
  ] as const;
  const versions = () =>
    Promise.all(objects.map(async ([kind, name]) => (await read(kind, name)).metadata.resourceVersion));
  const before = await versions();
  for (const service of ['blue', 'red', 'blue']) {
    await rig.api.apply(ofClass('passing', 'sallyport', service));
    await rig.api.apply(ofClass('passing-too', 'other', service));
    await sleep(400);
  }
  assert.deepEqual(await versions(), before);
  const { metadata, status } = await read('policy', 'theirs');
  assert.ok(status?.conditions?.every(({ observedGeneration }) => observedGeneration === metadata.generation));
});

test('a class that is deleted, changed hands or is made the default, live', async () => {
  const ofNoClass = ofClass('classless', 'x').replace(/ *ingressClassName: x\n/, '');
  const ofOld = ofNoClass
    .replaceAll('classless', 'of-old')
    .replace('annotations: {', 'annotations: {kubernetes.io/ingress.class: sallyport, ');
  const kept = ofClass('kept', 'sallyport');
  for (const yaml of [ofNoClass, ofOld, kept]) await rig.api.apply(yaml);
  await rig.becomes('kept', 'red');
  await rig.becomes('of-old', 'red');
  assert.equal(await rig.served('classless'), '404');
  const make = (controller: string, annotations = '') => `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: sallyport, annotations: {${annotations}}}
spec: {controller: ${controller}, parameters: {apiGroup: sallyport.dev, kind: Sallyport, name: default}}
`;
  const ours = 'sallyport.dev/ingress-controller';
  await rig.api.apply(make(ours, 'ingressclass.kubernetes.io/is-default-class: "true"'));
  await rig.becomes('classless', 'red');
  await rig.api.apply(make(ours, 'ingressclass.kubernetes.io/is-default-class: "false"'));
  await rig.becomes('classless', '404');
  await rig.becomes('kept', 'red');
  await rig.api.delete('ingressclass', 'sallyport');
  for (const host of ['kept', 'of-old']) await rig.becomes(host, '404');
  await shows('kept', []);
  // The controller of a class cannot be changed: it is deleted, and another's comes under its name.
  await rig.api.apply(make('example.com/another'));
  await sleep(300);
  assert.equal(await rig.served('kept'), '404');
  await rig.api.delete('ingressclass', 'sallyport');
  await rig.api.apply(make(ours));
  for (const host of ['kept', 'of-old']) await rig.becomes(host, 'red');
});

describe('namespaces', () => {
  const into = (namespace: string, name: string) =>
    [application('red', red), ofClass(name, 'sallyport')]
      .join('\n---')
      .replaceAll('namespace: shop', `namespace: ${namespace}`);
  const namespaced = (name: string, labels: string) => `
apiVersion: v1
kind: Namespace
metadata: {name: ${name}, labels: {${labels}}}
`;

  test('by label: one that gets it is served within a second, one that loses it no more', async () => {
    await rig.api.apply(namespaced('labelled', ''));
    await rig.api.apply(into('labelled', 'by-label'));
    const third = await start('--namespace-selector', 'exposed=yes,env!=test');
    try {
      const becomes = (host: string, status: number) =>
        until(async () => (await servedBy(third, host)) === status, 1_000, `${host} is ${status}`);
      await rig.becomes('by-label', 'red');
      assert.equal(await servedBy(third, 'by-label'), 404);
      const label = (text: string) => rig.kubectl('label', '--overwrite', 'namespace', 'labelled', text);
      const times: number[] = [];
      for (const [text, status] of [
        ['exposed=yes', 200],
        ['env=test', 404],
        ['env-', 200],
        ['exposed-', 404],
        ['exposed=yes', 200],
      ] as const) {
        await label(text);
        times.push(Math.round(await becomes('by-label', status)));
      }
      console.log(`a label of a namespace counts after ${times.join(', ')} ms`);
    } finally {
      await third.stop();
    }
  });

  test('by name: one that is made later is served, and of others nothing is asked', async () => {
    const third = await start('--namespaces', 'labelled,later');
    try {
      const becomes = (host: string, status: number) =>
        until(async () => (await servedBy(third, host)) === status, 1_000, `${host} is ${status}`);
      await becomes('by-label', 200);
      assert.equal(await servedBy(third, 'mine'), 404);
      await rig.api.apply(namespaced('later', ''));
      await rig.api.apply(into('later', 'by-name'));
      await becomes('by-name', 200);
    } finally {
      await third.stop();
    }
  });
});
