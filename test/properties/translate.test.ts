// Translation against thousands of broken worlds: it never throws, and what is broken harms only itself.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { objectKey } from '../../src/model/objects.ts';
import type { KubernetesObject } from '../../src/model/objects.ts';
import type { Route } from '../../src/model/route.ts';
import { canonicalTarget } from '../../src/proxy/target.ts';
import { canonicalPath } from '../../src/translate/path.ts';
import { translate } from '../../src/translate/translate.ts';
import type { Translation } from '../../src/translate/translate.ts';
import { inventoryFrom, objectsOf } from '../translate/inventory.ts';
import { mutate, mutations } from './translate.mutate.ts';

const secretText = 'a-text-that-no-message-may-hold';

// Every Ingress of `blog` is older than those of `shop`, and each of `shop` older than the next.
const surroundings = readFileSync(join(import.meta.dirname, '../translate/cluster.yaml'), 'utf8');
const world = objectsOf(`${surroundings}
---
apiVersion: sallyport.dev/v1alpha1
kind: IdentityProvider
metadata: {name: entra}
spec:
  oidc:
    issuer: https://login.example.org
    clientID: abc
    clientSecretRef: {namespace: sallyport-system, name: entra, key: clientSecret}
  allowedNamespaces: {selector: {matchLabels: {tier: internal}}}
---
apiVersion: v1
kind: Secret
metadata: {name: entra, namespace: sallyport-system}
stringData: {clientSecret: ${secretText}}
---
apiVersion: sallyport.dev/v1alpha1
kind: ClusterPolicy
metadata: {name: company}
spec:
  enforcement: Mandatory
  namespaceSelector: {matchExpressions: [{key: tier, operator: In, values: [internal]}]}
  rules: [{deny: {not: [{email: {endsWith: "@example.com"}}]}}]
---
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: readers, namespace: blog}
spec: {rules: [{allow: {or: [{authenticatedUser: true}]}}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: posts
  namespace: blog
  creationTimestamp: "2026-01-01T00:00:00Z"
  annotations: {sallyport.dev/policy: readers}
spec:
  ingressClassName: sallyport
  rules:
    - host: blog.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: posts, port: {number: 80}}}}]}
    - http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: posts, port: {number: 80}}}}]}
---
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: staff, namespace: shop}
spec:
  identityProviderRef: {name: entra}
  targetRefs: [{name: second}]
  rules: [{name: staff, allow: {and: [{groups: {has: staff}}]}}]
  tests: [{as: {groups: [staff]}, expect: Allow}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: first
  namespace: shop
  creationTimestamp: "2026-02-01T00:00:00Z"
  annotations: {sallyport.dev/access: public}
spec:
  ingressClassName: sallyport
  tls: [{hosts: [app.example.com], secretName: app-tls}]
  rules:
    - host: app.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: app, port: {name: http}}}}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: second, namespace: shop, creationTimestamp: "2026-03-01T00:00:00Z"}
spec:
  ingressClassName: sallyport
  defaultBackend: {service: {name: app, port: {number: 80}}}
  rules:
    - host: "*.shop.example.com"
      http: {paths: [{path: /exact/, pathType: Exact, backend: {service: {name: app, port: {number: 80}}}}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: third
  namespace: shop
  creationTimestamp: "2026-04-01T00:00:00Z"
  annotations: {kubernetes.io/ingress.class: sallyport, sallyport.dev/allow-emails: "ana@example.com, bo@example.com"}
spec:
  tls: [{hosts: ["*.example.com"], secretName: wildcard-tls}]
  rules:
    - host: third.example.com
      http: {paths: [{path: /caf%C3%A9, pathType: ImplementationSpecific, backend: {service: {name: other, port: {number: 80}}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: other, namespace: shop}
spec: {ports: [{port: 80, appProtocol: https}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: other-1, namespace: shop, labels: {kubernetes.io/service-name: other}}
addressType: IPv6
ports: [{port: 8443}]
endpoints: [{addresses: ["fd00::1"], conditions: {ready: true}}]
`);

const options = { className: 'sallyport', installationNamespace: 'sallyport-system', fromFolder: false };
const now = Date.parse('2027-01-01T00:00:00Z');
const translated = (objects: readonly KubernetesObject[]) => translate(inventoryFrom(objects), options, now);
const whole = translated(world);

/** Places in the world of objects that may be mutated. */
function placesOf(holds: (object: KubernetesObject) => boolean): fc.Arbitrary<number> {
  const places = world.flatMap((object, place) => (holds(object) ? [place] : []));
  assert.ok(places.length > 0);
  return fc.constantFrom(...places);
}

function changed(place: number, mutant: KubernetesObject): readonly KubernetesObject[] {
  return world.with(place, mutant);
}

function at(place: number): KubernetesObject {
  const object = world[place];
  assert.ok(object);
  return object;
}

function routesOf(translation: Translation, namespace: string, name: string): readonly Route[] {
  const routes = [...translation.hosts.values()].flatMap((host) => host.routes);
  return routes.filter(({ ingress }) => ingress.namespace === namespace && ingress.name === name);
}

const isIn = (namespace: string) => (object: KubernetesObject) => object.metadata.namespace === namespace;
const bounds = { numRuns: 400, interruptAfterTimeLimit: 10_000, markInterruptAsFailure: false };

describe('translation of broken objects', () => {
  test('the world that is broken is whole', () => {
    assert.deepEqual(
      whole.diagnostics.map(({ code }) => code),
      ['LoginWithoutHost'],
    );
    assert.equal(
      [...whole.hosts.values()].every(({ routes }) => routes.every(({ upstream }) => upstream?.endpoints.length)),
      true,
    );
  });

  test('never throws, keeps its messages short, and puts no secret in them', () => {
    const several = fc.array(
      fc.tuple(
        placesOf(() => true),
        mutations,
      ),
      { minLength: 1, maxLength: 6 },
    );
    const check = (broken: readonly (readonly [number, Parameters<typeof mutate>[1]])[], fromFolder: boolean) => {
      const objects = broken.reduce<readonly KubernetesObject[]>(
        (all, [place, steps]) => all.with(place, mutate(all[place] ?? at(place), steps)),
        world,
      );
      const translation = translate(inventoryFrom(objects), { ...options, fromFolder }, now);
      for (const { path, message } of translation.diagnostics) {
        assert.ok(message.length > 0 && message.length + path.length < 8192, `${path} ${message}`.slice(0, 500));
      }
      const ids = [...translation.hosts.values()].flatMap(({ routes }) => routes.map(({ id }) => id));
      assert.equal(new Set(ids).size, ids.length, 'two routes have one id');
      for (const { routes } of translation.hosts.values()) {
        const keys = routes.map(({ match, path }) => `${match} ${path}`);
        assert.equal(new Set(keys).size, keys.length, 'a host has one route twice');
      }
      assert.ok(
        !JSON.stringify([translation.diagnostics, translation.statuses, [...translation.hosts]]).includes(secretText),
      );
    };
    fc.assert(fc.property(several, fc.boolean(), check), { ...bounds, numRuns: 1500 });
  });

  // The API server writes the age of an object: nobody makes theirs older.
  test('harms no host of another namespace', () => {
    fc.assert(
      fc.property(placesOf(isIn('shop')), mutations, (place, steps) => {
        const before = translated(world);
        const after = translated(changed(place, mutate(at(place), steps, ['metadata.creationTimestamp'])));
        for (const host of ['blog.example.com', '']) {
          assert.ok(before.hosts.has(host) && after.hosts.get(host) === before.hosts.get(host), host);
        }
      }),
      bounds,
    );
  });

  test('harms no older Ingress of the same namespace', () => {
    const isYoungest = ({ metadata }: KubernetesObject) => metadata.name === 'third';
    fc.assert(
      fc.property(placesOf(isYoungest), mutations, (place, steps) => {
        const after = translated(changed(place, mutate(at(place), steps, ['metadata.creationTimestamp'])));
        for (const name of ['first', 'second']) {
          assert.deepEqual(routesOf(after, 'shop', name), routesOf(whole, 'shop', name));
        }
      }),
      bounds,
    );
  });

  test('harms no Ingress that does not refer to them', () => {
    // Each with the one Ingress that refers to it; a slice says itself whose it is, and a Policy whom it governs.
    const referred = new Map([
      ['Policy shop/staff', 'second'],
      ['Service shop/other', 'third'],
      ['EndpointSlice shop/other-1', 'third'],
      ['Secret shop/wildcard-tls', 'third'],
    ]);
    const nameOf = ({ kind, metadata }: KubernetesObject) => `${kind} ${objectKey(metadata)}`;
    const fixed = [
      'metadata.labels',
      'metadata.labels.kubernetes.io/service-name',
      'spec',
      'spec.targetRefs',
      'spec.targetRefs.0',
      'spec.targetRefs.0.name',
    ];
    fc.assert(
      fc.property(
        placesOf((object) => referred.has(nameOf(object))),
        mutations,
        (place, steps) => {
          const user = referred.get(nameOf(at(place)));
          const after = translated(changed(place, mutate(at(place), steps, fixed)));
          for (const name of ['first', 'second', 'third'].filter((name) => name !== user)) {
            assert.deepEqual(routesOf(after, 'shop', name), routesOf(whole, 'shop', name), name);
          }
          // And the one that does keeps its routes: they are there, and deny where they must.
          assert.equal(routesOf(after, 'shop', user ?? '').length, routesOf(whole, 'shop', user ?? '').length);
        },
      ),
      bounds,
    );
  });

  test('a broken Policy never lets anybody in where it did not before', () => {
    const place = world.findIndex(({ kind, metadata }) => kind === 'Policy' && metadata.name === 'staff');
    fc.assert(
      fc.property(mutations, (steps) => {
        const after = translated(
          changed(
            place,
            mutate(at(place), steps, ['spec', 'spec.targetRefs', 'spec.targetRefs.0', 'spec.targetRefs.0.name']),
          ),
        );
        for (const { access, denied } of routesOf(after, 'shop', 'second')) {
          const own = access.policies.find(({ policy }) => policy.name === 'Policy shop/staff');
          assert.ok(own !== undefined, 'the policy still governs');
          const isWhole = own.policy.rules.length > 0 && own.policy.broken === undefined;
          assert.ok(isWhole || own.policy.broken !== undefined || denied !== undefined, 'it is whole, or it denies');
        }
      }),
      bounds,
    );
  });
});

describe('canonicalPath', () => {
  const piece = fc.constantFrom(
    '/',
    '.',
    '..',
    ';',
    '%',
    '%2e',
    '%2F',
    '%5c',
    '%C0%AE',
    '%c3%a9',
    '%7E',
    '%3b',
    'a',
    'é',
    '"',
    '[',
    '|',
    ' ',
    '?',
    '\u0001',
    '\ud83d',
  );
  const text = fc.oneof(
    fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`),
    fc.string({ unit: 'binary' }).map((rest) => `/${rest}`),
  );

  test('is its own canonical form', () => {
    fc.assert(
      fc.property(text, (path) => {
        const canonical = canonicalPath(path);
        if (canonical !== undefined) assert.equal(canonicalPath(canonical), canonical);
      }),
      { numRuns: 5000 },
    );
  });

  test('is what the proxy makes of a request for it', () => {
    fc.assert(
      fc.property(text, (path) => {
        const canonical = canonicalPath(path);
        if (canonical === undefined) return;
        assert.deepEqual(canonicalTarget(canonical), { path: canonical, query: '' });
      }),
      { numRuns: 5000 },
    );
  });

  test('is there for every path that a request can have', () => {
    fc.assert(
      fc.property(text, (target) => {
        const answer = canonicalTarget(target);
        if ('path' in answer) assert.equal(canonicalPath(answer.path), answer.path);
      }),
      { numRuns: 5000 },
    );
  });
});
