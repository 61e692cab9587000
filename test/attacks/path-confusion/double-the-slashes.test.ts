// CVE-2021-31920, and http-proxy's own path mangling: //x was judged, /x was served.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

test('slashes count once, for the judgement and for the application', () =>
  withRig({}, async ({ get, upstream }) => {
    for (const path of ['//engineers', '///engineers', '//engineers//x', '/engineers//']) {
      assert.equal((await get(path)).status, 403, path);
    }
    assert.equal(upstream.requests.length, 0);
    assert.equal((await get('//public//a')).status, 200);
    assert.match(upstream.requests[0] ?? '', /^GET \/public\/a HTTP/);
  }));
