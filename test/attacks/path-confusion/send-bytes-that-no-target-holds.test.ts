// CVE-2021-32637: an unreadable target went round the check. It is refused before anything is decided.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

test('bytes above ASCII, control characters and quotes in the target are refused', () =>
  withRig({}, async ({ get, upstream }) => {
    for (const target of ['/\xe9', '/caf\xc3\xa9', '/a"b', '/a<b', '/a>b', '/\x7f', '/?q=\xff', '/a\tb', '/?a"b']) {
      assert.equal((await get(target)).status, 400, JSON.stringify(target));
    }
    assert.equal(upstream.requests.length, 0);
  }));
