// GHSA-7jmw-8259-q9jx: ::ffff:10.0.0.1 was not 10.0.0.1, and missed the list.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentHeader, withRig } from '../../proxy/rig.ts';

test('an IPv4-mapped address is the IPv4 address', () =>
  withRig(
    { proxy: { http: { host: '::', port: 0 } }, settings: { trustedProxies: ['127.0.0.1', '::ffff:10.0.0.0/104'] } },
    async ({ get, upstream }) => {
      await get('/', 'X-Forwarded-For: ::ffff:203.0.113.9, ::ffff:10.1.2.3, 10.9.9.9:4711');
      assert.equal(sentHeader(upstream.requests[0], 'x-forwarded-for'), '203.0.113.9, 10.1.2.3, 10.9.9.9, 127.0.0.1');
      assert.equal(sentHeader(upstream.requests[0], 'x-real-ip'), '203.0.113.9');
    },
  ));
