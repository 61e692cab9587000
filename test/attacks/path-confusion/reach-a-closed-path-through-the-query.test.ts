// CVE-2025-54576: a rule for the path was asked of path and query together.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

test('a public path in the query does not open a closed one', () =>
  withRig({}, async ({ get, upstream }) => {
    for (const query of ['?/public', '?x=/public', '?/../public', '?', '??/']) {
      assert.equal((await get(`/engineers${query}`)).status, 403, query);
    }
    assert.equal(upstream.requests.length, 0);
  }));
