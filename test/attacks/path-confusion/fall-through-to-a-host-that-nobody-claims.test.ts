// A path that its own host does not serve must not be served by somebody else's catch-all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineersAccess, publicAccess, signedInAccess, withRig } from '../../proxy/rig.ts';

test('a host is chosen once', () =>
  withRig(
    {
      hosts: (to) => [
        { host: '', routes: [to('/login', signedInAccess), to('/', publicAccess)] },
        { host: 'app.example.com', routes: [to('/engineers', engineersAccess)] },
      ],
    },
    async ({ get, upstream, authority }) => {
      assert.equal((await get('/')).status, 404);
      assert.equal(upstream.requests.length, 0);
      assert.equal((await get('/', 'Host: other.example.com')).status, 200);
      // And a route without a host never starts a login (promise 14).
      assert.equal((await get('/login', 'Host: x.localhost', 'Accept: text/html')).status, 403);
      assert.equal((await get('/.sallyport/sign-in', 'Host: x.localhost', 'Accept: text/html')).status, 404);
      assert.equal(authority.signIns.length + authority.asked.length, 0);
    },
  ));
