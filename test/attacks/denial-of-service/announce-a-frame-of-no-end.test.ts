// CVE-2026-1528, CVE-2026-1526, CVE-2026-2229: a WebSocket frame that announced 2^63 bytes, or unpacked to as many, was believed.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { eventually, withRig } from '../../proxy/rig.ts';

const frames = [
  Buffer.from([0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4]),
  Buffer.from([0xc1, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
  Buffer.from([0xf7, 0x00, 0x0f, 0x80]),
];

test('frames pass as bytes: nothing is unpacked, counted or waited for', () => {
  const heard: Buffer[] = [];
  return withRig(
    {
      application: (_request, socket) => {
        socket.on('data', (chunk: Buffer) => heard.push(chunk));
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n',
        );
      },
    },
    async ({ port, get }) => {
      const client = connect(port, '127.0.0.1');
      let received = '';
      client.on('data', (chunk) => (received += chunk.toString('latin1')));
      client.write('GET / HTTP/1.1\r\nHost: app.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      await eventually(() => received.includes('101'), 'the switch');
      const before = process.memoryUsage().rss;
      for (const frame of frames) client.write(frame);
      const sent = Buffer.concat(frames);
      await eventually(() => Buffer.concat(heard).equals(sent), 'every byte arrives, and no other');
      assert.ok(process.memoryUsage().rss - before < 64 * 2 ** 20);
      client.destroy();
      assert.equal(typeof (await get('/')).status, 'number');
    },
  );
});
