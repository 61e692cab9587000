// CVE-2025-66490: %00 and %0a passed the rule and cut the path short behind it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

test('encoded control characters, and percent signs that encode nothing, are refused', () =>
  withRig({}, async ({ get, upstream }) => {
    for (const path of [
      '/engineers%00',
      '/public%00/../engineers',
      '/a%0d%0aX:y',
      '/a%0A',
      '/%1f',
      '/%7f',
      '/%',
      '/%4',
      '/%zz',
      '/a%u0041',
    ]) {
      assert.equal((await get(path)).status, 400, path);
    }
    assert.equal(upstream.requests.length, 0);
  }));
