// The control loop: what it tells that one translation alone cannot know.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
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

/** An Ingress whose certificate expires on 10 January 2027. */
const expiring = objectsOf(
  readFileSync(
    new URL('../translate/a-certificate-that-expires-within-two-weeks-is-a-warning/input.yaml', import.meta.url),
    'utf8',
  ),
);

function startController(now = Date.UTC(2027, 0, 1)) {
  const metrics = createMetrics();
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now });
  const reports: Translation[] = [];
  const controller = createController({
    translate: { className: 'sallyport', installationNamespace: 'sallyport-system', fromFolder: false },
    reference: () => {},
    publish: () => {},
    report: (translation) => reports.push(translation),
    log: createLogger('silent'),
    metrics,
  });
  return {
    show: (...objects: typeof ingress) => controller.onInventory(inventoryFrom(objects)),
    /** Of the latest report. */
    codes: () => reports.at(-1)?.diagnostics.map(({ code }) => code) ?? [],
    reports,
    /** Of the certificates that the metrics name: when they expire. */
    expiries: async () =>
      (await metrics.certificateExpiry.get()).values.map(({ labels, value }) => [labels.secret, value]),
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

  test('tells two weeks before of a certificate that expires, as time passes and nothing changes', async () => {
    const twoWeeksBefore = Date.UTC(2026, 11, 27);
    using controller = startController(twoWeeksBefore - 90_000);
    controller.show(...ingress, ...expiring);
    mock.timers.tick(60_000);
    assert.ok(!controller.codes().includes('CertificateExpiresSoon'));
    mock.timers.tick(60_000);
    assert.ok(controller.codes().includes('CertificateExpiresSoon'));
    assert.deepEqual(await controller.expiries(), [['shop/app-tls', Date.UTC(2027, 0, 10) / 1000]]);
    controller.show(...ingress);
    mock.timers.tick(1_000);
    assert.deepEqual(await controller.expiries(), []);
  });

  test('has twenty certificates in the metrics, however many there are', async () => {
    using controller = startController();
    const copies = Array.from({ length: 40 }, (_, index) =>
      expiring.map(({ metadata, ...object }) => ({
        ...object,
        metadata: { ...metadata, namespace: `shop-${String(index).padStart(2, '0')}` },
        ...(object.kind === 'Ingress' && {
          spec: {
            ingressClassName: 'sallyport',
            tls: [{ secretName: 'app-tls' }],
            rules: [{ host: `h${index}.example.com` }],
          },
        }),
      })),
    );
    controller.show(...ingress, ...copies.flat());
    const names = (await controller.expiries()).map(([name]) => name);
    assert.deepEqual([names.length, names[0], names[19]], [20, 'shop-00/app-tls', 'shop-19/app-tls']);
  });

  test('looks no more once it is stopped', () => {
    using controller = startController();
    controller.show(...ingress);
    controller.stop();
    mock.timers.tick(120_000);
    assert.equal(controller.reports.length, 1);
  });
});
