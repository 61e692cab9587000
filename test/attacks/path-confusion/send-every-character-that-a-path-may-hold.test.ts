// CVE-2025-46821: a matcher left out one legal character, and a path that held it was no longer the rule's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

// RFC 3986, section 3.3: pchar, without its percent-encodings.
const characters = Array.from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@");

test('below a closed path every legal character is closed, and below an open one it arrives as it was sent', () =>
  withRig({}, async ({ get, upstream }) => {
    for (const character of characters) {
      // A dot alone is a segment of another meaning.
      const segment = `x${character}`;
      for (const path of [`/engineers/${segment}`, `/engineers/a/${segment}/b`, `/engineers/${segment}?q`]) {
        assert.equal((await get(path)).status, 403, path);
      }
      assert.equal((await get(`/${segment}`)).status, 200, segment);
      assert.ok(upstream.requests.at(-1)?.startsWith(`GET /${segment} HTTP/1.1\r\n`), segment);
    }
    assert.equal(upstream.requests.length, characters.length);
  }));
