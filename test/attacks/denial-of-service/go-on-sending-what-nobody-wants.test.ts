// A body behind a refusal: to read it all for ever is free work, to close at once loses the answer.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { sendTo, withRig } from '../../proxy/rig.ts';

test('a client that sends on after its refusal reads the answer, and is then cut off', () =>
  withRig({}, async ({ port }) => {
    let sent = 0;
    let text = '';
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      const chunk = Buffer.alloc(64 * 1024, 'x');
      const push = (): void => {
        while (!socket.destroyed && sent < 512 * 1024 * 1024 && socket.write(chunk)) sent += chunk.length;
      };
      socket.on('drain', push);
      socket.on('data', (data) => (text += data.toString()));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve());
      socket.write(`POST /engineers HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: ${1 << 30}\r\n\r\n`);
      push();
    });
    assert.match(text, /^HTTP\/1\.1 403 /);
    assert.ok(sent < 64 * 1024 * 1024, String(sent));
  }));

test('a small body behind a refusal keeps the connection', () =>
  withRig({}, async ({ port }) => {
    const ask = 'POST /engineers HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 3\r\n\r\nabc';
    const answer = await sendTo(port, `${ask}${ask}`, { forMs: 150 });
    assert.equal((answer.raw.match(/HTTP\/1\.1 403/g) ?? []).length, 2);
  }));
