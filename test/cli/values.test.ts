// Values of flags: label selectors as kubectl takes them, addresses and Services, and what is none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRunSettings, UsageError } from '../../src/cli/settings.ts';
import { parseAddresses, parseLabelSelector, parseService } from '../../src/cli/values.ts';
import { addressesOf } from '../../src/model/addresses.ts';

test('a label selector, as kubectl takes it', () => {
  assert.deepEqual(
    parseLabelSelector('team=shop, env!=test,tier==web,example.com/exposed,!old,g in (h, i),j notin (k)'),
    {
      matchExpressions: [
        { key: 'team', operator: 'In', values: ['shop'] },
        { key: 'env', operator: 'NotIn', values: ['test'] },
        { key: 'tier', operator: 'In', values: ['web'] },
        { key: 'example.com/exposed', operator: 'Exists' },
        { key: 'old', operator: 'DoesNotExist' },
        { key: 'g', operator: 'In', values: ['h', 'i'] },
        { key: 'j', operator: 'NotIn', values: ['k'] },
      ],
    },
  );
  assert.deepEqual(parseLabelSelector('a='), { matchExpressions: [{ key: 'a', operator: 'In', values: [''] }] });
  for (const text of ['', ',', 'a=b,', '=b', 'a=b=c', 'a in ()', 'a in b', 'a b', 'a=b c', '-a', 'a=-b']) {
    assert.equal(parseLabelSelector(text), undefined, text);
  }
});

test('addresses are IP addresses and names, and nothing that only looks like one', () => {
  assert.deepEqual(parseAddresses('192.0.2.1, 2001:db8::1,lb.example'), [
    { ip: '192.0.2.1' },
    { ip: '2001:db8::1' },
    { hostname: 'lb.example' },
  ]);
  for (const text of ['192.0.2.256', '192.0.2', '', 'a,,b', 'http://a', 'a:80', 'LB.example', '*.example', '[::1]']) {
    assert.equal(parseAddresses(text), undefined, text);
  }
});

test('a Service is a namespace and a name', () => {
  assert.deepEqual(parseService('a/b'), { namespace: 'a', name: 'b' });
  for (const text of ['a', 'a/b/c', '/b', 'a/', 'a/B', 'a/..']) assert.equal(parseService(text), undefined, text);
});

test('two ways to say the same are refused, naming both', () => {
  const refused = (...args: string[]) =>
    assert.throws(
      () => readRunSettings(args, {}),
      (error) => error instanceof UsageError && args.every((one, i) => i % 2 === 1 || error.message.includes(one)),
    );
  refused('--namespaces', 'a', '--namespace-selector', 'b=c');
  refused('--publish-service', 'a/b', '--publish-address', '192.0.2.1');
  refused('--namespace-selector', 'b=c=d');
  assert.deepEqual(readRunSettings([], { SALLYPORT_PUBLISH_SERVICE: 'a/b' }).publishService, {
    namespace: 'a',
    name: 'b',
  });
});

test('the addresses of a Service: its balancer and those given by hand, else its own; of a NodePort none', () => {
  const balancer = { loadBalancer: { ingress: [{ ip: '192.0.2.1', ports: [] }, { hostname: 'lb.example' }, {}] } };
  const externalIPs = ['198.51.100.1'];
  const clusterIP = '10.0.0.1';
  const table: [unknown, unknown][] = [
    [
      { spec: { type: 'LoadBalancer', clusterIP }, status: balancer },
      [{ ip: '192.0.2.1' }, { hostname: 'lb.example' }],
    ],
    [{ spec: { type: 'LoadBalancer', clusterIP, externalIPs } }, [{ ip: '198.51.100.1' }]],
    [{ spec: { type: 'LoadBalancer', clusterIP } }, []],
    [{ spec: { clusterIP, clusterIPs: [clusterIP, 'fd00::1'] } }, [{ ip: clusterIP }, { ip: 'fd00::1' }]],
    [{ spec: { type: 'ClusterIP', clusterIP, externalIPs } }, [{ ip: '198.51.100.1' }]],
    [{ spec: { clusterIP: 'None' } }, []],
    [{ spec: { type: 'NodePort', clusterIP } }, []],
    [{ spec: { type: 'NodePort', clusterIP, externalIPs } }, [{ ip: '198.51.100.1' }]],
    [{ spec: { type: 'ExternalName', externalName: 'lb.example' } }, [{ hostname: 'lb.example' }]],
    [{ spec: 7 }, []],
    [undefined, []],
  ];
  for (const [service, wanted] of table) assert.deepEqual(addressesOf(service), wanted, JSON.stringify(service));
});
