// CVE-2026-41059, CVE-2021-32779, CVE-2023-47106: a fragment was part of what was judged, or was sent on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

test('a fragment in the target is refused, and never sent on', () =>
  withRig({}, async ({ get, upstream }) => {
    for (const target of ['/engineers#/public', '/public#', '/#/engineers', '/public?a=b#c', '/engineers#']) {
      assert.equal((await get(target)).status, 400, target);
    }
    assert.equal(upstream.requests.length, 0);
    assert.equal((await get('/public%23x')).status, 200);
    assert.match(upstream.requests[0] ?? '', /^GET \/public%23x HTTP/);
  }));
