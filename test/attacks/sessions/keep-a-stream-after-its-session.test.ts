// Promise 7: a session that ends takes its open WebSockets, event streams and downloads with it.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { delay, eventually, session, withRig } from '../../proxy/rig.ts';
import type { Application, Rig } from '../../proxy/rig.ts';

const streaming: Application = (request, socket) => {
  if (/upgrade: websocket/i.test(request))
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello');
  else if (request.startsWith('GET /engineers/download'))
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhello`);
  else socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: hello\n\n');
};

const requests = {
  'a WebSocket':
    'GET /engineers HTTP/1.1\r\nHost: app.example.com\r\nCookie: __Host-sallyport=good\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'an event stream': 'GET /engineers HTTP/1.1\r\nHost: app.example.com\r\nCookie: __Host-sallyport=good\r\n\r\n',
  'a download': 'GET /engineers/download HTTP/1.1\r\nHost: app.example.com\r\nCookie: __Host-sallyport=good\r\n\r\n',
};

async function openStream({ port }: Rig, bytes: string): Promise<{ closed: () => boolean }> {
  const socket = connect(port, '127.0.0.1');
  let closed = false;
  let received = '';
  socket.on('error', () => undefined);
  socket.on('close', () => (closed = true));
  socket.on('data', (chunk) => (received += chunk.toString()));
  socket.write(bytes);
  await eventually(() => received.includes('hello'), 'the stream begins');
  return { closed: () => closed };
}

for (const [what, bytes] of Object.entries(requests)) {
  test(`${what} ends when its session is revoked`, () =>
    withRig({ application: streaming }, async (rig) => {
      const stream = await openStream(rig, bytes);
      await delay(50);
      assert.equal(stream.closed(), false);
      rig.authority.end('session-other');
      await delay(50);
      assert.equal(stream.closed(), false);
      rig.authority.end('session-good');
      await eventually(stream.closed, 'the client is cut off');
      await eventually(() => rig.upstream.sockets.size === 0, 'the application is let go');
      await eventually(() => rig.lines.some(({ outcome }) => outcome === 'SessionEnded'), 'a line says so');
    }));

  test(`${what} ends when its session expires`, () =>
    withRig({ application: streaming }, async (rig) => {
      rig.authority.sessions.set('good', session('short', { expiresAt: Date.now() + 400 }));
      const stream = await openStream(rig, bytes);
      assert.equal(stream.closed(), false);
      await eventually(stream.closed, 'the client is cut off');
    }));

  test(`${what} ends when a renewed session no longer suffices`, () =>
    withRig({ application: streaming }, async (rig) => {
      const opened = session('renewed');
      rig.authority.sessions.set('good', { ...opened, renewAt: Date.now() + 200 });
      const stream = await openStream(rig, bytes);
      const { identity } = opened.session;
      rig.authority.sessions.set('good', session('renewed', { identity: { ...identity, groups: ['staff'] } }));
      await eventually(stream.closed, 'the client is cut off');
    }));
}

test('a session that ends while the request is on its way to the application is answered by us, and the application is let go', () =>
  withRig({ application: () => undefined }, async (rig) => {
    const answer = rig.send(requests['an event stream']);
    await eventually(() => rig.upstream.requests.length === 1, 'the application has the request');
    rig.authority.end('session-good');
    const { status, raw } = await answer;
    assert.equal(status, 401);
    assert.equal(raw.match(/HTTP\/1\.1/g)?.length, 1);
    await eventually(() => rig.upstream.sockets.size === 0, 'the application is let go');
  }));

test('an answer of the authority that was under way when the session ended opens nothing', () =>
  withRig({}, async ({ authority, get }) => {
    authority.open = async () => {
      await delay(60);
      return session('late');
    };
    const answer = get('/engineers', 'Cookie: __Host-sallyport=late');
    await delay(20);
    authority.end('late');
    assert.equal((await answer).status, 403);
    assert.equal((await get('/engineers', 'Cookie: __Host-sallyport=late')).status, 403);
  }));
