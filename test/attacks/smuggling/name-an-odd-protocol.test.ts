// CVE-2026-1527: user bytes in Upgrade ended the line. And h2c (RFC 9113 §3.1) would have passed a whole connection unseen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentHeader, withRig } from '../../proxy/rig.ts';

test('h2c and what is no single protocol is an ordinary request', () =>
  withRig({}, async ({ get, send, upstream }) => {
    for (const protocol of [
      'h2c',
      'H2C',
      'h2',
      'HTTP/2.0',
      'TLS/1.2',
      'websocket, h2c',
      'h2c, websocket',
      'web socket',
      'websocket;x',
      '\x80',
    ]) {
      const answer = await get(
        '/',
        'Connection: Upgrade, HTTP2-Settings',
        `Upgrade: ${protocol}`,
        'HTTP2-Settings: AAMAAABkAAQAAP__',
      );
      assert.equal(answer.status, 200, protocol);
      assert.equal(sentHeader(upstream.requests.at(-1), 'upgrade'), undefined, protocol);
      assert.equal(sentHeader(upstream.requests.at(-1), 'http2-settings'), undefined, protocol);
    }
    const post = await send(
      'POST / HTTP/1.1\r\nHost: app.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nab',
    );
    assert.equal(post.status, 200);
    assert.equal(sentHeader(upstream.requests.at(-1), 'upgrade'), undefined);
  }));
