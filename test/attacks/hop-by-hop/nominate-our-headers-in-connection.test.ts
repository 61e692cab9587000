// CVE-2021-32813, CVE-2024-45410, CVE-2026-29054: a Connection header had the proxy drop what it had just set.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentHeader, withRig } from '../../proxy/rig.ts';

const ours = [
  'X-Sallyport-User',
  'X-Sallyport-Jwt-Assertion',
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'X-Forwarded-Host',
  'X-Real-IP',
  'X-Request-Id',
  'Host',
];

test('what Connection names is dropped before ours is added', () =>
  withRig({}, async ({ get, upstream }) => {
    const nominations = [ours.join(', '), ours.join(',').toLowerCase(), ours.join(' ,\t').toUpperCase()];
    for (const names of nominations) {
      assert.equal(
        (await get('/engineers', 'Cookie: __Host-sallyport=good', `Connection: keep-alive, ${names}`)).status,
        200,
      );
      for (const name of ours) assert.ok(sentHeader(upstream.requests.at(-1), name), `${name} after ${names}`);
    }
  }));

test('what a client names of its own goes no further', () =>
  withRig({}, async ({ get, upstream }) => {
    await get('/', 'Connection: X-Mine', 'Connection: close, x-other', 'X-Mine: 1', 'X-Other: 2', 'X-Kept: 3');
    assert.doesNotMatch(upstream.requests[0] ?? '', /x-mine|x-other|connection: close/i);
    assert.equal(sentHeader(upstream.requests[0], 'x-kept'), '3');
  }));
