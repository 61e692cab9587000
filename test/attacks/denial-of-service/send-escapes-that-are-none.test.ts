// CVE-2024-21536: a path that could not be decoded threw where nobody caught it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

const escapes = ['%', '%2', '%zz', '%u0041', '%c0%af', '%ff', '%e2%82', '%ed%a0%80', '%f8%88%80%80%80', '%%', '%25%'];
const places = ['/', '/engineers/', '/private/', '/.sallyport/', '/.well-known/sallyport/', '/absent/'];

test('on every kind of route an escape that is none is refused, or is a byte like others; nothing is thrown', () =>
  withRig({}, async ({ get, upstream }) => {
    for (const place of places) {
      for (const escape of escapes) {
        const { status } = await get(`${place}${escape}`);
        if (!/^(?:%[0-9a-f]{2})+$/.test(escape)) assert.equal(status, 400, `${place}${escape}`);
        else if (place === '/engineers/' || place === '/private/') assert.ok(status === 400 || status === 403, escape);
        assert.ok(status < 500, `${place}${escape}: ${status}`);
      }
      assert.equal((await get('/')).status, 200);
    }
    for (const request of upstream.requests) assert.doesNotMatch(request, /^GET \/(?:engineers|private)/);
  }));
