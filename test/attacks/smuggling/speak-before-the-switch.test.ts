// CVE-2025-64763: what a client sent before the protocol was switched reached the application as a request.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { delay, eventually, sendTo, withRig } from '../../proxy/rig.ts';

const ask = 'GET / HTTP/1.1\r\nHost: app.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

test('early bytes wait for the 101, and then arrive whole and in order', () => {
  let heard = '';
  let early = 0;
  return withRig(
    {
      application: (_request, socket) => {
        socket.on('data', (chunk) => (heard += chunk.toString()));
        setTimeout(() => {
          early = heard.length;
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\nfirst');
        }, 80);
      },
    },
    async ({ port }) => {
      const client = connect(port, '127.0.0.1');
      let received = '';
      client.on('data', (chunk) => (received += chunk.toString()));
      client.write(`${ask}one`);
      await delay(20);
      client.write(' two');
      await eventually(() => received.endsWith('first'), 'the switch');
      assert.equal(early, 0);
      client.write(' three');
      await eventually(() => heard === 'one two three', `all bytes, in order: ${heard}`);
      client.destroy();
    },
  );
});

test('where the application refuses, they reach nobody', () => {
  let heard = '';
  return withRig(
    {
      application: (_request, socket) => {
        socket.on('data', (chunk) => (heard += chunk.toString()));
        setTimeout(() => socket.write('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'), 50);
      },
    },
    async ({ port, upstream }) => {
      const answer = await sendTo(port, `${ask}GET /smuggled HTTP/1.1\r\nHost: app.example.com\r\n\r\n`, {
        forMs: 150,
      });
      assert.equal(answer.status, 400);
      assert.equal(heard, '');
      assert.equal(upstream.requests.length, 1);
    },
  );
});
