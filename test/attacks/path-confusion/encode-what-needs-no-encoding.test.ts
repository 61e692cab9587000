// CVE-2025-47952, CVE-2021-43557: /%65ngineers was another path to the rule and the same to the application.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

test('a needlessly encoded path is the path it encodes', () =>
  withRig({}, async ({ get, upstream }) => {
    for (const path of ['/%65ngineers', '/%65%6e%67%69%6e%65%65%72%73/x', '/engineer%73']) {
      assert.equal((await get(path)).status, 403, path);
    }
    assert.equal(upstream.requests.length, 0);
  }));
