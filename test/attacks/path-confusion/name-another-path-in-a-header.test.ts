// CVE-2026-40575, CVE-2023-27487: a header chose the path that was judged, or the one that was forwarded.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentHeader, withRig } from '../../proxy/rig.ts';

const headers = [
  'X-Forwarded-Uri',
  'X-Original-Url',
  'X-Original-URI',
  'X-Rewrite-Url',
  'X-Envoy-Original-Path',
  'X-Forwarded-Prefix',
];

for (const trustedProxies of [[], ['127.0.0.0/8']]) {
  const peer = trustedProxies.length === 0 ? 'an untrusted' : 'a trusted';
  test(`no header of ${peer} peer changes the path`, () =>
    withRig({ settings: { trustedProxies } }, async ({ get, upstream }) => {
      for (const header of headers) assert.equal((await get('/engineers', `${header}: /public`)).status, 403, header);
      assert.equal(upstream.requests.length, 0);
      assert.equal((await get('/public', ...headers.map((header) => `${header}: /engineers`))).status, 200);
      for (const header of headers.filter((name) => !name.startsWith('X-Envoy'))) {
        assert.equal(sentHeader(upstream.requests[0], header), undefined, header);
      }
    }));
}
