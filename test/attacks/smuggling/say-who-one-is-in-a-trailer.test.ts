// Trailers are headers that come late: an application that merges them would believe these too (RFC 9110 §6.5.1).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

test('trailers pass, but none that says who somebody is or where the message ends', () =>
  withRig({}, async ({ send, upstream }) => {
    const evil = [
      'X-Sallyport-User',
      'x_sallyport_user',
      'X-Forwarded-For',
      'Authorization',
      'Cookie',
      'Host',
      'Content_Type',
      'Connection',
      'Remote-User',
    ];
    await send(
      `POST / HTTP/1.1\r\nHost: app.example.com\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n1\r\na\r\n0\r\nX-Sum: 42\r\n${evil.map((name) => `${name}: evil\r\n`).join('')}\r\n`,
    );
    assert.match(upstream.requests[0] ?? '', /0\r\nX-Sum: 42\r\n\r\n$/);
    assert.doesNotMatch(upstream.requests[0] ?? '', /evil/);
  }));
