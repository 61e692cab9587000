// Promise 14: an Ingress that claims our paths, or the authentication host, gets nothing of what is sent there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publicAccess, withRig } from '../../proxy/rig.ts';

test('our own places are never routed', () =>
  withRig(
    {
      settings: { authenticationHost: 'auth.localhost' },
      hosts: (to) => [
        {
          host: 'app.localhost',
          routes: [
            to('/.well-known/sallyport/jwks.json', publicAccess, { match: 'Exact' }),
            to('/.sallyport', publicAccess),
            to('/', publicAccess),
          ],
        },
        { host: 'auth.localhost', routes: [to('/', publicAccess)] },
      ],
    },
    async ({ get, upstream, authority }) => {
      const app = 'Host: app.localhost';
      for (const path of [
        '/.sallyport/',
        '/.sallyport',
        '/.sallyport/sign-in?x',
        '/%2Esallyport/callback',
        '//.sallyport//user',
        '/.well-known/sallyport/jwks.json',
      ]) {
        assert.match((await get(path, app)).body, /"own":true/, path);
      }
      for (const path of ['/', '/oauth2/callback', '/anything'])
        assert.match((await get(path, 'Host: auth.localhost')).body, /"own":true/, path);
      assert.equal(upstream.requests.length, 0);
      assert.equal(authority.asked.length, 9);
    },
  ));
