// A policy that chose its Ingresses itself leaves no name behind when it goes: that it went is said all the same.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeReference } from '../../src/model/diagnostic.ts';
import { departures, isOver } from '../../src/translate/departures.ts';
import { translate } from '../../src/translate/translate.ts';
import { inventoryFrom, objectsOf } from './inventory.ts';

const ingress = (more: string, host = 'app.example.com') => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: app, namespace: shop${more}}
spec:
  ingressClassName: sallyport
  rules:
    - host: ${host}
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: app, port: {number: 80}}}}, {path: /api, pathType: Exact, backend: {service: {name: app, port: {number: 80}}}}]}
`;
const policy = (targets: string, kind = 'Policy') => `
apiVersion: sallyport.dev/v1alpha1
kind: ${kind}
metadata: {name: guard${kind === 'Policy' ? ', namespace: shop' : ''}}
spec: {${targets}, rules: [{deny: {or: [{httpMethod: {is: DELETE}}]}}]}
`;
const world = `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: sallyport}
spec: {controller: sallyport.dev/ingress-controller}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {tier: internal}}
`;
const labelled = ', labels: {tier: web}, annotations: {sallyport.dev/access: authenticated}';
const named = ', annotations: {sallyport.dev/policy: guard}';
const selecting = policy('targetRefs: [{selector: {matchLabels: {tier: web}}}]');
const guardrail = policy('enforcement: Mandatory, namespaceSelector: {matchLabels: {tier: internal}}', 'ClusterPolicy');

const options = { className: 'sallyport', installationNamespace: 'sallyport-system', fromFolder: false };
const translated = (...texts: readonly string[]) =>
  translate(inventoryFrom(objectsOf([world, ...texts].join('---'))), options, Date.UTC(2027, 0, 1));

function said(before: readonly string[], now: readonly string[]): readonly string[] {
  return departures(translated(...before), translated(...now)).map(({ diagnostic }) =>
    [describeReference(diagnostic.object), diagnostic.message.replace(/\. See that.*/, '')].join(': '),
  );
}

describe('a policy that governs no longer', () => {
  test('is told of on each Ingress that it chose, once, when it is deleted', () => {
    assert.deepEqual(said([ingress(labelled), selecting], [ingress(labelled)]), [
      'Ingress shop/app: Policy shop/guard, which governed this Ingress until now (its spec.targetRefs[0]), is gone; it is left with annotations of Ingress shop/app',
    ]);
  });

  test('is told of where nothing is left, and the Ingress denies', () => {
    const bare = ', labels: {tier: web}';
    assert.deepEqual(said([ingress(bare), selecting], [ingress(bare)]), [
      'Ingress shop/app: Policy shop/guard, which governed this Ingress until now (its spec.targetRefs[0]), is gone; it is left with nothing, and it denies everybody',
    ]);
  });

  test('is told of when its targets change, and when a label does', () => {
    const elsewhere = policy('targetRefs: [{name: other}]');
    const still =
      'Ingress shop/app: Policy shop/guard, which governed this Ingress until now (its spec.targetRefs[0]), does so no longer; it is left with annotations of Ingress shop/app';
    assert.deepEqual(said([ingress(labelled), selecting], [ingress(labelled), elsewhere]), [still]);
    assert.deepEqual(said([ingress(labelled), selecting], [ingress(labelled.replace('web', 'api')), selecting]), [
      still,
    ]);
  });

  test('is told of once where it was a guardrail', () => {
    const other = ingress(labelled, 'other.example.com').replace('name: app,', 'name: other,');
    assert.deepEqual(said([ingress(labelled), other, guardrail], [ingress(labelled), other]), [
      'ClusterPolicy guard: ClusterPolicy guard is gone, and no longer refuses anybody at what it governed, such as Ingress shop/app: see that this was meant',
    ]);
    const moved = guardrail.replace('internal', 'secret');
    assert.deepEqual(said([ingress(labelled), guardrail], [ingress(labelled), moved]), [
      'ClusterPolicy guard: ClusterPolicy guard no longer governs all that it did, such as Ingress shop/app: see that this was meant',
    ]);
  });

  test('needs no word where the Ingress itself says it, or has changed its mind', () => {
    assert.deepEqual(said([ingress(named), policy('mode: Enforce')], [ingress(named)]), [], 'PolicyNotFound says it');
    assert.deepEqual(said([ingress(named), policy('mode: Enforce')], [ingress(''), policy('mode: Enforce')]), []);
    assert.deepEqual(said([ingress(labelled), selecting], [ingress(named + ', labels: {tier: web}'), selecting]), []);
    assert.deepEqual(said([ingress(labelled), selecting], [selecting]), [], 'the Ingress went');
    assert.deepEqual(said([ingress(labelled), selecting], [ingress(labelled, 'new.example.com')]), []);
    assert.deepEqual(said([ingress(labelled), selecting], [ingress(labelled), selecting]), []);
  });

  test('is not told of any more once it is back, or its route is gone', () => {
    const [departure] = departures(translated(ingress(labelled), selecting), translated(ingress(labelled)));
    assert.ok(departure);
    assert.equal(isOver(translated(ingress(labelled)), departure), false);
    assert.equal(isOver(translated(ingress(labelled), selecting), departure), true);
    assert.equal(isOver(translated(selecting), departure), true);
  });
});
