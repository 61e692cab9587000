// The control loop: what it tells that one translation alone cannot know.
import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { createController } from '../../src/controller.ts';
import { createLogger, createMetrics } from '../../src/telemetry.ts';
import type { Translation } from '../../src/translate/translate.ts';
import { inventoryFrom, objectsOf } from '../translate/inventory.ts';

const ingress = objectsOf(`
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: sallyport}
spec: {controller: sallyport.dev/ingress-controller}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: app, namespace: shop, annotations: {sallyport.dev/access: public}}
spec:
  ingressClassName: sallyport
  rules: [{host: app.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: app, port: {number: 80}}}}]}}]
`);
const guard = objectsOf(`
apiVersion: v1
kind: ConfigMap
metadata: {name: people, namespace: shop, annotations: {sallyport.dev/refreshed-at: "2027-01-01T00:00:00Z"}}
data: {suspended: "[]"}
---
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: guard, namespace: shop}
spec:
  targetRefs: [{name: app}]
  dataSets: [{name: suspended, configMapRef: {name: people, key: suspended}, staleAfter: 90s}]
  rules: [{deny: {or: [{email: {inDataSet: suspended}}]}}]
`);

function startController() {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: Date.UTC(2027, 0, 1) });
  const reports: Translation[] = [];
  const controller = createController({
    translate: { className: 'sallyport', installationNamespace: 'sallyport-system', fromFolder: false },
    reference: () => {},
    publish: () => {},
    report: (translation) => reports.push(translation),
    log: createLogger('silent'),
    metrics: createMetrics(),
  });
  return {
    show: (...objects: typeof ingress) => controller.onInventory(inventoryFrom(objects)),
    /** Of the latest report. */
    codes: () => reports.at(-1)?.diagnostics.map(({ code }) => code) ?? [],
    reports,
    stop: () => controller.stop(),
    [Symbol.dispose]: () => {
      controller.stop();
      mock.timers.reset();
    },
  };
}

describe('the control loop', () => {
  test('tells of a policy that went, until it is back', () => {
    using controller = startController();
    controller.show(...ingress, ...guard);
    assert.ok(!controller.codes().includes('PolicyDeparted'));
    controller.show(...ingress);
    assert.ok(controller.codes().includes('PolicyDeparted'));
    controller.show(...ingress);
    assert.ok(
      controller.codes().includes('PolicyDeparted'),
      'and again in the next round, so that the Event is not dropped',
    );
    controller.show(...ingress, ...guard);
    assert.ok(!controller.codes().includes('PolicyDeparted'));
  });

  test('tells of a policy that went for an hour', () => {
    using controller = startController();
    controller.show(...ingress, ...guard);
    controller.show(...ingress);
    mock.timers.tick(59 * 60_000);
    assert.ok(controller.codes().includes('PolicyDeparted'));
    mock.timers.tick(2 * 60_000);
    assert.ok(!controller.codes().includes('PolicyDeparted'));
  });

  test('looks again each minute, and so tells of what time alone has made wrong', () => {
    using controller = startController();
    controller.show(...ingress, ...guard);
    mock.timers.tick(60_000);
    assert.ok(!controller.codes().includes('DataSetStale'));
    mock.timers.tick(60_000);
    assert.ok(controller.codes().includes('DataSetStale'));
    assert.equal(controller.reports.length, 3);
    assert.equal(
      controller.reports[0]?.hosts.get('app.example.com')?.routes[0]?.id,
      controller.reports[2]?.hosts.get('app.example.com')?.routes[0]?.id,
    );
  });

  test('looks no more once it is stopped', () => {
    using controller = startController();
    controller.show(...ingress);
    controller.stop();
    mock.timers.tick(120_000);
    assert.equal(controller.reports.length, 1);
  });
});
