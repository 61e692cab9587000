// CVE-2021-31920, CVE-2025-32431, CVE-2026-33494: the rule saw /public/../x, the application /x.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

const climbs = [
  '/public/../engineers',
  '/public/..',
  '/./engineers',
  '/public/.',
  '/public/%2e%2e/engineers',
  '/public/%2E./engineers',
  '/public/.%2e/engineers',
  '/public/..;/engineers',
  '/public/..;a=b/engineers',
  '/public/%2e%2e;x/engineers',
  '/public/..%3B/engineers',
  '/public/%c0%ae%c0%ae/engineers',
  '/public//../engineers',
];

test('a dot segment in any spelling is refused', () =>
  withRig({}, async ({ get, upstream }) => {
    for (const path of climbs) assert.equal((await get(path)).status, 400, path);
    assert.equal(upstream.requests.length, 0);
  }));

test('dots within a segment are none', () =>
  withRig({}, async ({ get }) => {
    for (const path of ['/...', '/a..b', '/.well-known/x', '/a/..b', '/a.;x', '/;..']) {
      assert.equal((await get(path)).status, 200, path);
    }
  }));
