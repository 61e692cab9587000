// CVE-2025-32996, CVE-2022-25757: a body was read, judged and written anew, and the application got another one.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

const bodies: readonly (readonly [type: string, body: Buffer])[] = [
  ['application/json', Buffer.from('{"role":"user","role":"admin"}')],
  ['application/json', Buffer.from('{"a":1,}\u0000')],
  ['application/x-www-form-urlencoded', Buffer.from('a=1&a=2&%61=3&b=%0d%0a+')],
  [
    'multipart/form-data; boundary=x',
    Buffer.from('--x\r\nContent-Disposition: form-data; name="a\r\nb"\r\n\r\n1\r\n--x--'),
  ],
  ['text/plain', Buffer.from('0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: app.example.com\r\n\r\n')],
  ['application/octet-stream', randomBytes(70_000)],
];

test('a body passes byte for byte, under the length that it was sent with', () =>
  withRig({}, async ({ send, upstream }) => {
    for (const [type, body] of bodies) {
      const head = `POST / HTTP/1.1\r\nHost: app.example.com\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
      assert.equal((await send(Buffer.concat([Buffer.from(head), body]))).status, 200);
      const request = upstream.requests.at(-1) ?? '';
      assert.equal(request.slice(request.indexOf('\r\n\r\n') + 4), body.toString('latin1'), type);
      assert.match(request, new RegExp(`\r\ncontent-length: ${body.length}\r\n`, 'i'));
    }
    assert.equal(upstream.requests.length, bodies.length);
  }));
