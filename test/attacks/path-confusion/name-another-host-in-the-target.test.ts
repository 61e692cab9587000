// Absolute-form targets: one host was judged, the other one served (RFC 9112 §3.2.2).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

test('a target names the host that Host names, or the request is refused', () =>
  withRig({}, async ({ get, upstream }) => {
    for (const target of [
      'http://other.example.com/',
      'https://other.example.com/engineers',
      'http://app.example.com:1/',
      'http://user@app.example.com/',
      'http://app.example.com@evil/',
      'ftp://app.example.com/',
      'http:///',
      'http://',
    ]) {
      assert.equal((await get(target)).status, 400, target);
    }
    assert.equal(upstream.requests.length, 0);
  }));

test('where both agree, only the path goes on', () =>
  withRig({}, async ({ get, upstream }) => {
    assert.equal((await get('http://APP.example.com/a?b')).status, 200);
    assert.match(upstream.requests[0] ?? '', /^GET \/a\?b HTTP/);
    assert.equal((await get('http://app.example.com?b')).status, 200);
    assert.match(upstream.requests[1] ?? '', /^GET \/\?b HTTP/);
    assert.equal((await get('http://app.example.com//engineers')).status, 403);
  }));
