// A port in Host that an application believes steers its links elsewhere (promise 2).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentHeader, withRig } from '../../proxy/rig.ts';

test("a port is the listener's or the authentication host's, or the request is refused", () =>
  withRig({ settings: { authenticationHost: 'auth.localhost:8443' } }, async ({ get, port, upstream }) => {
    assert.equal((await get('/', 'Host: app.example.com:1')).status, 400);
    assert.equal((await get('/', 'Host: app.example.com:443')).status, 400);
    assert.equal(upstream.requests.length, 0);
    for (const good of [`:${port}`, ':8443']) {
      assert.equal((await get('/', `Host: app.example.com${good}`)).status, 200, good);
      assert.equal(sentHeader(upstream.requests.at(-1), 'host'), `app.example.com${good}`);
    }
    assert.equal((await get('/', 'Host: app.example.com:80')).status, 200);
    assert.equal(sentHeader(upstream.requests.at(-1), 'host'), 'app.example.com');
  }));
