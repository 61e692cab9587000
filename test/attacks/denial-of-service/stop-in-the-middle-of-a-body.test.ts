// CVE-2024-28869: a body that stopped coming held the client's connection, and the application's, for ever.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { delay, eventually, reply, withRig } from '../../proxy/rig.ts';

const timeouts = { connectMs: 1_000, firstByteMs: 5_000, idleMs: 200 };

test('a body that stops is answered with 408, and the application let go', () =>
  withRig({ settings: { timeouts } }, async ({ send, upstream, lines }) => {
    const answer = await send('POST / HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 100\r\n\r\nabc');
    assert.equal(answer.status, 408);
    await eventually(() => upstream.sockets.size === 0, 'the application is let go');
    assert.equal(lines[0]?.['outcome'], 'BodyTimeout');
  }));

test('an answer that stops is broken off', () =>
  withRig(
    { settings: { timeouts }, application: reply('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc') },
    async ({ get, upstream }) => {
      assert.equal((await get('/')).body, 'abc');
      await eventually(() => upstream.sockets.size === 0, 'the application is let go');
    },
  ));

test('a tunnel in which nobody speaks is closed', () =>
  withRig(
    {
      settings: { timeouts },
      application: reply('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
    },
    async ({ send, upstream }) => {
      const ask = 'GET / HTTP/1.1\r\nHost: app.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
      assert.equal((await send(ask, { forMs: 600 })).status, 101);
      await eventually(() => upstream.sockets.size === 0, 'the application is let go');
    },
  ));

test('an upload that goes on is never cut off, however long the application waits with its answer', () =>
  withRig({ settings: { timeouts } }, async ({ port, upstream }) => {
    const { connect } = await import('node:net');
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => (received += chunk.toString()));
    socket.write('POST / HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 8\r\n\r\n');
    for (let sent = 0; sent < 8; sent += 1) {
      await delay(80);
      socket.write('x');
    }
    await eventually(() => received.startsWith('HTTP/1.1 200'), 'an answer');
    assert.match(upstream.requests[0] ?? '', /xxxxxxxx$/);
    socket.destroy();
  }));

test('an application that thinks too long is 504', () =>
  withRig(
    { settings: { timeouts: { connectMs: 1_000, firstByteMs: 200, idleMs: 100 } }, application: () => undefined },
    async ({ get, upstream }) => {
      const began = performance.now();
      assert.equal((await get('/')).status, 504);
      assert.ok(performance.now() - began >= 190);
      await eventually(() => upstream.sockets.size === 0, 'the application is let go');
    },
  ));
