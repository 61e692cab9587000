// Each folder beside this file is a case: input.yaml, in the surroundings of cluster.yaml, translates to expected.yaml.
// `UPDATE=1 bin/node --test test/translate/translate.test.ts` writes what comes out: read every line before it is committed.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { translate } from '../../src/translate/translate.ts';
import type { Translation } from '../../src/translate/translate.ts';
import { inventoryOf } from './inventory.ts';
import { renderTranslation } from './render.ts';

const read = (...path: readonly string[]) => readFileSync(join(import.meta.dirname, ...path), 'utf8');
const surroundings = read('cluster.yaml');
const now = Date.parse('2027-01-01T00:00:00Z');

function translated(input: string): Translation {
  const options = { className: 'sallyport', installationNamespace: 'sallyport-system', fromFolder: false };
  return translate(inventoryOf(`${surroundings}\n---\n${input}`), options, now);
}

describe('a translation', () => {
  test('serves nothing without its class, and says so', () => {
    const options = { className: 'absent', installationNamespace: 'sallyport-system', fromFolder: false };
    const { hosts, diagnostics } = translate(inventoryOf(surroundings), options, now);
    assert.equal(hosts.size, 0);
    assert.deepEqual(
      diagnostics.map(({ code, message }) => `${code}: ${message}`),
      [
        'NothingServed: there is no IngressClass absent: nothing is served until there is one with spec.controller sallyport.dev/ingress-controller',
      ],
    );
  });

  test('tells an Ingress that names a class which is not there, and no other', () => {
    const options = { className: 'absent', installationNamespace: 'sallyport-system', fromFolder: false };
    const named = (name: string, className: string) => `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ${name}, namespace: shop}
spec: {ingressClassName: ${className}, rules: [{host: ${name}.example.com}]}`;
    const world = `${surroundings}\n---\n${named('ours', 'absent')}\n---\n${named('theirs', 'nginx')}`;
    const { diagnostics } = translate(inventoryOf(world), options, now);
    assert.deepEqual(
      diagnostics
        .filter(({ object }) => object.kind === 'Ingress')
        .map(({ code, object }) => `${code}: ${object.name}`),
      ['NothingServed: ours'],
    );
  });

  test('sees the Ingresses and Policies of chosen namespaces and its own alone, by their labels of now', () => {
    const options = {
      className: 'sallyport',
      installationNamespace: 'own',
      fromFolder: false,
      namespaceSelector: { matchExpressions: [{ key: 'exposed', operator: 'In' as const, values: ['yes'] }] },
    };
    const world = (label: string) =>
      ['chosen', 'other', 'own', 'unknown']
        .map(
          (name) => `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: app, namespace: ${name}, annotations: {sallyport.dev/access: public}}
spec:
  ingressClassName: sallyport
  rules: [{host: ${name}.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}]}}]
---
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: p, namespace: ${name}}
spec: {rules: []}
---
${name === 'unknown' ? '' : `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}, labels: {${name === 'chosen' ? label : ''}}}`}`,
        )
        .join('\n---\n');
    const seen = (label: string) => {
      const { hosts, statuses } = translate(inventoryOf(`${surroundings}\n---\n${world(label)}`), options, now);
      const policies = statuses.filter(({ collection }) => collection === 'policies');
      return [...hosts.keys(), ...policies.map(({ object }) => object.namespace)];
    };
    assert.deepEqual(seen('exposed: "yes"'), ['chosen.example.com', 'own.example.com', 'chosen', 'own']);
    assert.deepEqual(seen(''), ['own.example.com', 'own']);
  });

  test('says of an object which generation it judged, and when', () => {
    const policy = `apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: staff, namespace: shop, generation: 7}
spec: {rules: [{allow: {or: [{accept: true}]}}]}`;
    const found = translated(policy).statuses.find(({ object }) => object.name === 'staff');
    const [accepted] = found?.status.conditions ?? [];
    assert.deepEqual(accepted, {
      type: 'Accepted',
      status: 'True',
      observedGeneration: 7,
      lastTransitionTime: '2027-01-01T00:00:00Z',
      reason: 'Accepted',
      message: '',
    });
  });

  test('reads the key ring of a folder from whichever namespace it is in, and of a cluster from its own', () => {
    const { privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const ring = JSON.stringify([{ id: 'k1', secret: 'A'.repeat(43), signingKey: privateKey }]);
    const secret = stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'sallyport-keys', namespace: 'elsewhere' },
      stringData: { 'keys.json': ring },
    });
    const inventory = inventoryOf(`${surroundings}\n---\n${secret}`);
    const options = { className: 'sallyport', installationNamespace: 'sallyport-system' };
    const idsOf = (fromFolder: boolean) =>
      translate(inventory, { ...options, fromFolder }, now).authority.keyRing?.map(({ id }) => id);
    assert.deepEqual(idsOf(true), ['k1']);
    assert.equal(idsOf(false), undefined);
  });
});

const cases = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());

describe('translation', () => {
  const usual = translated('');
  for (const { name } of cases) {
    test(name.replaceAll('-', ' '), () => {
      const rendered = renderTranslation(translated(read(name, 'input.yaml')), usual);
      const expected = join(import.meta.dirname, name, 'expected.yaml');
      if (process.env['UPDATE'] === '1') writeFileSync(expected, stringify(rendered, { lineWidth: 0 }));
      assert.ok(existsSync(expected), 'there is no expected.yaml: run with UPDATE=1, and read what it wrote');
      assert.deepEqual(rendered, parse(readFileSync(expected, 'utf8')));
    });
  }
});
