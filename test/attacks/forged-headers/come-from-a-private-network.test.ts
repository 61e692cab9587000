// CVE-2024-45806, CVE-2026-76835: whoever came from a private address was believed by default, which in a cluster is every pod.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientOf } from '../../../src/proxy/client.ts';
import { defaultClassSettings } from '../../../src/model/settings.ts';
import { sallyportSpec } from '../../../src/model/kinds.ts';
import { sentHeader, withRig } from '../../proxy/rig.ts';

const claims = [
  ['x-forwarded-for', '203.0.113.7'],
  ['x-forwarded-proto', 'https'],
  ['x-forwarded-host', 'evil.example.org'],
] as const;

test('nobody is believed by default: not the loopback, not a private network, not everybody', () => {
  assert.deepEqual(defaultClassSettings.trustedProxies, []);
  assert.deepEqual(sallyportSpec.parse({}).trustedProxies, []);
  const headers = new Map(claims.map(([name, value]) => [name, [value]]));
  for (const peer of [
    '127.0.0.1',
    '::1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.1.1',
    'fd00::1',
    '198.51.100.1',
  ])
    assert.deepEqual(clientOf(peer, false, headers, defaultClassSettings.trustedProxies), {
      address: peer,
      chain: [peer],
      scheme: 'http',
    });
});

test('what the loopback says of a client is not passed on', () =>
  withRig({}, async ({ get, upstream }) => {
    await get('/', ...claims.map(([name, value]) => `${name}: ${value}`));
    const [request] = upstream.requests;
    assert.equal(sentHeader(request, 'x-forwarded-for'), '127.0.0.1');
    assert.equal(sentHeader(request, 'x-forwarded-proto'), 'http');
    assert.equal(sentHeader(request, 'x-forwarded-host'), 'app.example.com');
  }));
