// CVE-2026-29057: http-proxy announced no body for a chunked DELETE and sent it all the same: a second request.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentHeader, withRig } from '../../proxy/rig.ts';

const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: app.example.com\r\n\r\n';
const chunk = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`;

for (const method of ['GET', 'DELETE', 'OPTIONS', 'POST', 'PROPFIND']) {
  test(`the body of a ${method} is framed as it came`, () =>
    withRig({}, async ({ send, upstream }) => {
      for (const extra of ['', 'Connection: transfer-encoding, content-length\r\n']) {
        await send(
          `${method} /a HTTP/1.1\r\nHost: app.example.com\r\n${extra}Transfer-Encoding: chunked\r\n\r\n${chunk}`,
        );
        assert.equal(sentHeader(upstream.requests.at(-1), 'transfer-encoding'), 'chunked');
        await send(
          `${method} /a HTTP/1.1\r\nHost: app.example.com\r\n${extra}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
        );
        assert.equal(sentHeader(upstream.requests.at(-1), 'content-length'), String(smuggled.length));
      }
      assert.equal(upstream.requests.length, 4);
      assert.ok(upstream.requests.every((request) => request.startsWith(`${method} /a `)));
    }));
}

test('without a body none is announced', () =>
  withRig({}, async ({ send, upstream }) => {
    for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'PROPFIND']) {
      assert.equal((await send(`${method} / HTTP/1.1\r\nHost: app.example.com\r\n\r\n`)).status, 200, method);
      assert.equal(sentHeader(upstream.requests.at(-1), 'transfer-encoding'), undefined, method);
      assert.equal(sentHeader(upstream.requests.at(-1), 'content-length') ?? '0', '0', method);
    }
  }));
