// The way to an application and back: streaming, interim answers, trailers, kept connections, endpoints that fail.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { delay, eventually, publicAccess, reply, startUpstream, withRig } from './rig.ts';

test('an event stream without a first event has its headers at once', () =>
  withRig(
    { application: reply('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n') },
    async ({ send }) => {
      const answer = await send('GET / HTTP/1.1\r\nHost: app.example.com\r\n\r\n', { forMs: 150 });
      assert.equal(answer.header('content-type'), 'text/event-stream');
      assert.equal(answer.header('transfer-encoding'), 'chunked');
    },
  ));

test('early hints and trailers pass, unless the client speaks HTTP/1.0', () =>
  withRig(
    {
      application: reply(
        'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n',
      ),
    },
    async ({ get, send }) => {
      assert.match(
        (await get('/')).raw,
        /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 Fine\r\n[^]*Trailer: X-Sum[^]*0\r\nX-Sum: 7\r\n\r\n$/,
      );
      const old = await send('GET / HTTP/1.0\r\nHost: app.example.com\r\n\r\n');
      assert.match(old.raw, /^HTTP\/1\.1 200 Fine/);
      assert.equal(old.header('transfer-encoding'), undefined);
      assert.equal(old.body, 'hi');
    },
  ));

test('the status, its reason, and a length without a body pass', () =>
  withRig(
    {
      application: (request, socket) =>
        socket.write(
          request.startsWith('HEAD')
            ? 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n'
            : 'HTTP/1.1 304 Not Mod\xefied\r\nETag: "x"\r\nContent-Length: 99\r\n\r\n',
          'latin1',
        ),
    },
    async ({ get, send }) => {
      const head = await send('HEAD / HTTP/1.1\r\nHost: app.example.com\r\n\r\n');
      assert.equal(head.header('content-length'), '1234');
      const unchanged = await get('/');
      assert.match(unchanged.raw, /^HTTP\/1\.1 304 Not Mod\xefied\r\nETag: "x"\r\n/);
      assert.equal(unchanged.body, '');
    },
  ));

test('connections to an application are kept and used again', () =>
  withRig({}, async ({ get, upstream }) => {
    for (let round = 0; round < 5; round += 1) await get('/');
    assert.equal(upstream.connections(), 1);
  }));

test('a slow reader slows the application down, and loses nothing', () =>
  withRig(
    {
      application: (_request, socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${64 << 20}\r\n\r\n`);
        const chunk = Buffer.alloc(1 << 20, 'x');
        const push = (): void => {
          while (sent < 64 && (sent += 1) && socket.write(chunk));
        };
        let sent = 0;
        socket.on('drain', push);
        push();
        pushed = () => sent;
      },
    },
    async ({ port }) => {
      const client = connect(port, '127.0.0.1');
      client.write('GET / HTTP/1.1\r\nHost: app.example.com\r\n\r\n');
      let received = 0;
      client.once('readable', () => undefined);
      await delay(200);
      assert.ok(pushed() < 40, `${pushed()} MiB are on the way`);
      client.on('data', (chunk: Buffer) => (received += chunk.length));
      await eventually(() => received > 64 << 20, 'all of it');
      client.destroy();
    },
  ));
let pushed = (): number => 0;

test('a client that leaves in the middle of an answer frees the application', () =>
  withRig(
    { application: reply('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n') },
    async ({ send, upstream, lines }) => {
      await send('GET / HTTP/1.1\r\nHost: app.example.com\r\n\r\n', { forMs: 80 });
      await eventually(() => upstream.sockets.size === 0, 'the application is let go');
      await eventually(() => lines.some(({ outcome }) => outcome === 'ClientLeft'), 'a line says so');
    },
  ));

test('requests go round the endpoints, and past one that refuses connections', async () => {
  const other = await startUpstream();
  const gone = await startUpstream();
  await gone.close();
  try {
    await withRig(
      {
        hosts: (to) => {
          const route = to('/', publicAccess);
          const own = route.upstream?.endpoints ?? [];
          const endpoints = [
            ...own,
            { address: '127.0.0.1', port: other.port },
            { address: '127.0.0.1', port: gone.port },
          ];
          return [
            { host: 'app.example.com', routes: [{ ...route, upstream: { name: 'u', protocol: 'http', endpoints } }] },
          ];
        },
      },
      async ({ get, send, upstream }) => {
        for (let round = 0; round < 8; round += 1) assert.equal((await get('/')).status, 200);
        const post = await send('POST / HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 4\r\n\r\nbody');
        assert.equal(post.status, 200);
        assert.equal(upstream.requests.length + other.requests.length, 9);
        assert.ok(Math.abs(upstream.requests.length - other.requests.length) <= 3);
      },
    );
  } finally {
    await other.close();
  }
});

test('a body survives an endpoint that could not be connected to', async () => {
  const gone = await startUpstream();
  await gone.close();
  await withRig(
    {
      hosts: (to) => {
        const route = to('/', publicAccess);
        const endpoints = [{ address: '127.0.0.1', port: gone.port }, ...(route.upstream?.endpoints ?? [])];
        return [
          { host: 'app.example.com', routes: [{ ...route, upstream: { name: 'u', protocol: 'http', endpoints } }] },
        ];
      },
    },
    async ({ send, upstream }) => {
      const answer = await send(
        'POST / HTTP/1.1\r\nHost: app.example.com\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n',
      );
      assert.equal(answer.status, 200);
      assert.match(upstream.requests[0] ?? '', /\r\nbody\r\n0\r\n\r\n$/);
    },
  );
});

test('where there is nothing to forward to, the page says so', () =>
  withRig(
    {
      hosts: (to) => {
        const { upstream: _, ...route } = to('/none', publicAccess);
        return [
          {
            host: 'app.example.com',
            routes: [route, to('/', publicAccess, { upstream: { name: 'u', protocol: 'http', endpoints: [] } })],
          },
        ];
      },
    },
    async ({ get }) => {
      assert.equal((await get('/none')).status, 503);
      assert.equal((await get('/')).status, 503);
    },
  ));

test('a large answer to a refused upgrade arrives whole', () =>
  withRig(
    {
      application: (_request, socket) => {
        socket.write(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${8 << 20}\r\n\r\n`);
        socket.write(Buffer.alloc(8 << 20, 'x'));
      },
    },
    async ({ send }) => {
      const answer = await send(
        'GET / HTTP/1.1\r\nHost: app.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      );
      assert.equal(answer.status, 403);
      assert.equal(answer.body.length, 8 << 20);
    },
  ));

test('a tunnel carries bytes both ways, and its end', () =>
  withRig(
    {
      application: (_request, socket) => {
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: abc\r\nX-More: 1\r\n\r\n',
        );
        socket.on('data', (chunk) => (chunk.toString().includes('bye') ? socket.end('bye') : socket.write(chunk)));
      },
    },
    async ({ port, metrics, lines }) => {
      const client = connect(port, '127.0.0.1');
      let received = '';
      let closed = false;
      client.on('data', (chunk) => (received += chunk.toString()));
      client.on('close', () => (closed = true));
      client.write(
        'GET / HTTP/1.1\r\nHost: app.example.com\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n',
      );
      await eventually(() => received.includes('\r\n\r\n'), 'the switch');
      assert.match(
        received,
        /^HTTP\/1\.1 101 Switching Protocols\r\nSec-WebSocket-Accept: abc\r\nX-More: 1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n$/,
      );
      assert.equal((await metrics.openStreams.get()).values[0]?.value, 1);
      client.write('ping');
      await eventually(() => received.endsWith('ping'), 'an echo');
      client.write('bye');
      await eventually(() => received.endsWith('bye') && closed, 'the end');
      await eventually(
        () => lines.some(({ outcome, status }) => outcome === 'Upgraded' && status === 101),
        'a line says so',
      );
      assert.equal((await metrics.openStreams.get()).values[0]?.value, 0);
    },
  ));
