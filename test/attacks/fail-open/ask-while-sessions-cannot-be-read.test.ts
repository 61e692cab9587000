// Promise 4, promise 11: no failure of the session store opens a route.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthorityError } from '../../../src/auth/authority.ts';
import { withRig } from '../../proxy/rig.ts';

test('a failing authority opens nothing, however it fails', () =>
  withRig({}, async ({ get, authority, upstream, lines }) => {
    for (const fail of [
      () => Promise.reject(new AuthorityError('away')),
      () => Promise.reject(new TypeError('a bug')),
      () => {
        throw new AuthorityError('at once');
      },
    ]) {
      authority.open = fail;
      const { status } = await get('/engineers', 'Cookie: __Host-sallyport=good');
      assert.ok(status === 503 || status === 500, String(status));
    }
    assert.equal(upstream.requests.length, 0);
    lines.length = 0;
  }));
