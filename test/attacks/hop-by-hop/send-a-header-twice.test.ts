// CVE-2020-25017, CVE-2021-32777: the first value was judged, the last one obeyed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

test('a header that has one value may come once', () =>
  withRig({}, async ({ get, send, upstream }) => {
    for (const name of ['Authorization', 'Content-Type', 'Origin', 'Referer', 'Range', 'Sec-Fetch-Mode']) {
      assert.equal((await get('/', `${name}: a`, `${name.toLowerCase()}: b`)).status, 400, name);
    }
    assert.equal(
      (await send('GET / HTTP/1.1\r\nHost: app.example.com\r\nHost: other.example.com\r\n\r\n')).status,
      400,
    );
    assert.equal((await send('GET / HTTP/1.1\r\nHost: app.example.com\r\nhost: app.example.com\r\n\r\n')).status, 400);
    assert.equal(upstream.requests.length, 0);
  }));

test('every Cookie header is judged', () =>
  withRig({}, async ({ get }) => {
    assert.equal((await get('/engineers', 'Cookie: a=b', 'Cookie: __Host-sallyport=good')).status, 200);
  }));
