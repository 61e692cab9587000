// Whoever may write a Secret, and no more, ended a header's line in its value, and wrote the next one: who the person is.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { translate } from '../../../src/translate/translate.ts';
import { sentHeader, withRig } from '../../proxy/rig.ts';
import { inventoryOf } from '../../translate/inventory.ts';

const surroundings = readFileSync(new URL('../../translate/cluster.yaml', import.meta.url), 'utf8');
const options = { className: 'sallyport', installationNamespace: 'sallyport-system', fromFolder: true };

/** The table in which a Secret holds this under X-Key, with endpoints where the rig's application is. */
function served(value: string, port: number) {
  const objects = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: app
  namespace: shop
  annotations: {sallyport.dev/access: public, sallyport.dev/set-request-headers-secret: key}
spec:
  ingressClassName: sallyport
  rules:
    - host: app.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: app, port: {number: 80}}}}]}
---
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: shop}
data: {X-Key: ${Buffer.from(value, 'latin1').toString('base64')}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: app-1, namespace: shop, labels: {kubernetes.io/service-name: app}}
addressType: IPv4
ports: [{name: http, port: ${port}}]
endpoints: [{addresses: [127.0.0.1]}]
`;
  return [...translate(inventoryOf(`${surroundings}\n---${objects}`), options, Date.now()).hosts.values()];
}

test('a value that ends a line goes nowhere, and nobody gets in without it', () =>
  withRig({}, async ({ get, serve, upstream }) => {
    serve(served('good', upstream.port));
    assert.equal((await get('/')).status, 200);
    assert.equal(sentHeader(upstream.requests.at(-1), 'x-key'), 'good');
    for (const value of [
      'a\r\nX-Sallyport-User: root',
      'a\nX-Sallyport-User: root',
      'a\rX-Sallyport-User: root',
      'a\0b',
      'a\x85b',
      '',
    ]) {
      serve(served(value, upstream.port));
      assert.equal((await get('/')).status, 403, JSON.stringify(value));
    }
    assert.equal(upstream.requests.length, 1);
    // As an editor leaves it.
    serve(served('good\n', upstream.port));
    assert.equal((await get('/')).status, 200);
    assert.equal(sentHeader(upstream.requests.at(-1), 'x-key'), 'good');
  }));
