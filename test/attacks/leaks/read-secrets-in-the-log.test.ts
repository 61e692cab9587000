// CVE-2022-23469, CVE-2025-62232: cookies, tokens and queries were in the log. Promise: never.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthorityError } from '../../../src/auth/authority.ts';
import { withRig } from '../../proxy/rig.ts';

test('no secret that comes in is written down, whatever becomes of the request', () =>
  withRig({ proxy: { decisionLog: 'all' } }, async ({ get, send, authority, lines }) => {
    const secret = [
      'Cookie: __Host-sallyport=s3cret; other=s3cret',
      'Authorization: Bearer s3cret',
      'X-Api-Key: s3cret',
      'User-Agent: s3cret',
    ];
    for (const path of ['/', '/engineers', '/private', '/.sallyport/user', '/\\', '/a#s3cret', '/..']) {
      await get(`${path}?token=s3cret`, ...secret);
    }
    await send(`POST /?s3cret HTTP/1.1\r\nHost: app.example.com\r\nHost: s3cret\r\n\r\n`);
    authority.open = () => Promise.reject(new AuthorityError('away'));
    await get('/engineers?s3cret', 'Cookie: __Host-sallyport=s3cret2');
    assert.ok(lines.length >= 8);
    assert.doesNotMatch(JSON.stringify(lines), /s3cret/);
    assert.doesNotMatch(JSON.stringify(lines), /assertion-of/);
  }));
