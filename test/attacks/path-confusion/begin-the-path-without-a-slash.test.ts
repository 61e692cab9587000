// CVE-2026-33186: a path without its leading slash went past every deny rule.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

test('a target that begins with no slash is refused', () =>
  withRig({}, async ({ get, send, upstream }) => {
    for (const target of [
      'engineers',
      '*',
      '@evil.example.com/',
      '?x',
      '.',
      'app.example.com:80',
      'javascript:alert(1)',
    ]) {
      assert.equal((await get(target)).status, 400, target);
    }
    assert.equal((await send('OPTIONS * HTTP/1.1\r\nHost: app.example.com\r\n\r\n')).status, 400);
    assert.equal(upstream.requests.length, 0);
  }));
