// CVE-2021-29492: %2F and %5C meant one thing to the rule and another to the application.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

test('an encoded slash or backslash in the path is refused', () =>
  withRig({}, async ({ get, upstream }) => {
    for (const path of [
      '/x%2F..%2Fengineers',
      '/x%2fengineers',
      '/%5cengineers',
      '/x%5C..%5Cengineers',
      '/x\\engineers',
      '/%c0%afengineers',
      '/%e0%80%af',
    ]) {
      assert.equal((await get(path)).status, 400, path);
    }
    assert.equal(upstream.requests.length, 0);
  }));

test('in the query it means nothing and passes as it came', () =>
  withRig({}, async ({ get, upstream }) => {
    assert.equal((await get('/?next=%2Fa%5C')).status, 200);
    assert.match(upstream.requests[0] ?? '', /^GET \/\?next=%2Fa%5C HTTP/);
  }));
