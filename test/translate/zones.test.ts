// Zone hints of EndpointSlices, heeded as kube-proxy heeds them: only where every ready endpoint has some, and ours is among them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { translate } from '../../src/translate/translate.ts';
import { inventoryOf } from './inventory.ts';

const surroundings = readFileSync(join(import.meta.dirname, 'cluster.yaml'), 'utf8');

/** The addresses that a route leads to from a zone, given the endpoints of its one EndpointSlice. */
function addressesFrom(zone: string | undefined, endpoints: readonly string[]): string {
  const inventory = inventoryOf(`${surroundings}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: app, namespace: shop, annotations: {sallyport.dev/access: authenticated}}
spec: {ingressClassName: sallyport, rules: [{host: app.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: app, port: {number: 80}}}}]}}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: app-1, namespace: shop, labels: {kubernetes.io/service-name: app}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints: [${endpoints.join(', ')}]`);
  const options = { className: 'sallyport', installationNamespace: 'sallyport-system', fromFolder: false };
  const { hosts } = translate(inventory, { ...options, ...(zone !== undefined && { zone }) }, 0);
  const [route] = hosts.get('app.example.com')?.routes ?? [];
  return (route?.upstream?.endpoints ?? []).map(({ address }) => address).join(' ');
}

const a = '{addresses: [10.1.0.1], hints: {forZones: [{name: a}]}}';
const b = '{addresses: [10.1.0.2], hints: {forZones: [{name: b}]}}';
const both = '{addresses: [10.1.0.3], hints: {forZones: [{name: a}, {name: b}]}}';
const without = '{addresses: [10.1.0.4]}';
const unready = '{addresses: [10.1.0.5], conditions: {ready: false, serving: false, terminating: false}}';
const draining = '{addresses: [10.1.0.6], conditions: {ready: false, serving: true, terminating: true}}';

test('where each endpoint says which zones it serves, ours is served by its own', () => {
  assert.equal(addressesFrom('a', [a, b, both]), '10.1.0.1 10.1.0.3');
  assert.equal(addressesFrom('b', [a, b, both]), '10.1.0.2 10.1.0.3');
});

test('one endpoint without a hint, or no endpoint for our zone, and all are used', () => {
  assert.equal(addressesFrom('a', [a, b, without]), '10.1.0.1 10.1.0.2 10.1.0.4');
  assert.equal(addressesFrom('c', [a, b]), '10.1.0.1 10.1.0.2');
  assert.equal(addressesFrom(undefined, [a, b]), '10.1.0.1 10.1.0.2');
});

test('what is not ready has no say, and what is going away stays the last resort of every zone', () => {
  assert.equal(addressesFrom('a', [a, b, unready]), '10.1.0.1');
  assert.equal(addressesFrom('a', [a, b, draining]), '10.1.0.1 10.1.0.6');
});
