// CVE-2023-27488: a header with invalid UTF-8 made the check fail, and the failure let the request in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentHeader, withRig } from '../../proxy/rig.ts';

const bytes = '\xff\xfe\xc3\x28\x80';

test('bytes that are no text open nothing, and pass as they came where the way is open', () =>
  withRig({}, async ({ get, upstream }) => {
    for (const name of ['X-Odd', 'User-Agent', 'Accept', 'Cookie', 'Authorization', 'Origin', 'X-Forwarded-For']) {
      assert.equal((await get('/engineers', `${name}: ${bytes}`)).status, 403, name);
    }
    assert.equal(upstream.requests.length, 0);
    assert.equal((await get('/', `X-Odd: ${bytes}`)).status, 200);
    assert.equal(sentHeader(upstream.requests[0], 'x-odd'), bytes);
  }));
