// Applications that speak HTTP/2 without TLS: what passes there and back, how connections are shared, and how each failure is told.
import assert from 'node:assert/strict';
import { createServer } from 'node:http2';
import type { Http2Server, ServerHttp2Stream, IncomingHttpHeaders, Settings } from 'node:http2';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { Upstream } from '../../src/model/route.ts';
import { delay, eventually, publicAccess, startUpstream, withRig } from './rig.ts';
import type { Rig } from './rig.ts';

interface Asked {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly raw: readonly string[];
}

interface Application {
  readonly server: Http2Server;
  readonly asked: Asked[];
  readonly sessions: () => number;
}

type Serve = (asked: Asked) => void;

/** A proxy before an HTTP/2 application. */
async function withApplication(
  serve: Serve,
  run: (rig: Rig, application: Application) => Promise<void>,
  settings: Settings = {},
): Promise<void> {
  const server = createServer({ settings });
  const asked: Asked[] = [];
  const open = new Set<{ destroy(): void }>();
  let sessions = 0;
  server.on('session', (session) => {
    sessions += 1;
    open.add(session);
    session.on('close', () => open.delete(session));
    session.on('error', () => undefined);
  });
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
    stream.on('error', () => undefined);
    const one = { stream, headers, raw };
    asked.push(one);
    serve(one);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    await withUpstream(port, (rig) => run(rig, { server, asked, sessions: () => sessions }));
  } finally {
    for (const session of open) session.destroy();
    server.close();
  }
}

function withUpstream(port: number, run: (rig: Rig) => Promise<void>): Promise<void> {
  const upstream: Upstream = { name: 'shop/app:80', protocol: 'h2c', endpoints: [{ address: '127.0.0.1', port }] };
  return withRig(
    {
      hosts: (to) => [{ host: 'app.example.com', routes: [to('/', publicAccess, { upstream })] }],
      settings: { timeouts: { firstByteMs: 400, connectMs: 300, idleMs: 2_000 } },
    },
    run,
  );
}

const hello: Serve = ({ stream }) => {
  stream.respond({ ':status': 200, 'content-type': 'text/plain', 'content-length': 5 });
  stream.end('hello');
};

test('a request is said in HTTP/2, and its answer in HTTP/1.1', () =>
  withApplication(
    ({ stream }) => {
      stream.respond({ ':status': 201, 'x-two': ['1', '2'], 'content-type': 'text/plain' });
      stream.end('made');
    },
    async ({ get }, { asked }) => {
      const answer = await get('/a/b?c=d', 'TE: trailers, gzip', 'Connection: X-Drop, TE', 'X-Drop: 1', 'X-Keep: \xe9');
      assert.match(answer.head, /^HTTP\/1\.1 201 Created\r\n/);
      assert.deepEqual(answer.all('x-two'), ['1', '2']);
      assert.match(answer.body, /made/);
      const [{ headers, raw } = assert.fail()] = asked;
      assert.deepEqual(raw.slice(0, 8), [
        ':method',
        'GET',
        ':scheme',
        'http',
        ':path',
        '/a/b?c=d',
        ':authority',
        'app.example.com',
      ]);
      assert.equal(headers.te, 'trailers');
      assert.equal(headers['x-keep'], '\xe9');
      for (const name of ['host', 'connection', 'x-drop', 'transfer-encoding', 'keep-alive', 'upgrade']) {
        assert.equal(headers[name], undefined, name);
      }
    },
  ));

test('bodies and trailers pass both ways, and early hints back', () =>
  withApplication(
    ({ stream }) => {
      let body = '';
      let sum: unknown;
      stream.on('trailers', (headers) => (sum = headers['x-sum']));
      stream.setEncoding('latin1').on('data', (chunk: string) => (body += chunk));
      stream.on('end', () =>
        setImmediate(() => {
          stream.additionalHeaders({ ':status': 103, link: '</a.css>' });
          stream.respond({ ':status': 200, trailer: 'grpc-status' }, { waitForTrailers: true });
          stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-request-sum': String(sum) }));
          stream.end(`<${body}>`);
        }),
      );
    },
    async ({ send }) => {
      const answer = await send(
        'POST / HTTP/1.1\r\nHost: app.example.com\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 7\r\n\r\n',
      );
      assert.match(answer.raw, /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a\.css>\r\n\r\nHTTP\/1\.1 200 OK/);
      assert.match(answer.body, /<abcde>/);
      assert.match(answer.body, /0\r\ngrpc-status: 0\r\nx-request-sum: 7\r\n\r\n$/);
    },
  ));

test('trailers of an answer without a body pass, as of a gRPC call that failed', () =>
  withApplication(
    ({ stream }) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '5' }));
      stream.end();
    },
    async ({ get }) => assert.match((await get('/')).body, /^0\r\ngrpc-status: 5\r\n\r\n$/),
  ));

test('HEAD has its length and no body, and 204 neither', () =>
  withApplication(
    ({ stream, headers }) => {
      stream.respond(headers[':path'] === '/none' ? { ':status': 204 } : { ':status': 200, 'content-length': 1234 }, {
        endStream: true,
      });
    },
    async ({ send, get }) => {
      const answer = await send('HEAD / HTTP/1.1\r\nHost: app.example.com\r\n\r\n');
      assert.equal(answer.header('content-length'), '1234');
      assert.equal((await get('/none')).status, 204);
    },
  ));

test('requests share a connection, and no more of them than the application allows', () =>
  withApplication(
    ({ stream }) => setTimeout(() => hello({ stream, headers: {}, raw: [] }), 80),
    async ({ get }, { sessions }) => {
      const answers = await Promise.all(Array.from({ length: 6 }, () => get('/')));
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
      assert.equal(sessions(), 3);
      assert.equal((await get('/')).status, 200);
      assert.equal(sessions(), 3);
    },
    { maxConcurrentStreams: 2 },
  ));

test('a WebSocket handshake is a request like any other: HTTP/2 knows no switch of protocols', () =>
  withApplication(
    ({ stream, headers }) => {
      stream.respond({ ':status': headers.upgrade === undefined ? 426 : 200 });
      stream.end('use HTTP/1.1');
    },
    async ({ get }, { asked }) => {
      const handshake = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
      const answer = await get('/', ...handshake, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==');
      assert.equal(answer.status, 426);
      assert.match(answer.body, /use HTTP/);
      assert.equal(asked[0]?.headers.connection, undefined);
    },
  ));

test('a slow reader slows the application down, holds up nobody else, and loses nothing', () =>
  withApplication(
    ({ stream, headers }) => {
      if (headers[':path'] === '/quick') return hello({ stream, headers, raw: [] });
      stream.respond({ ':status': 200, 'content-length': 32 << 20 });
      const chunk = Buffer.alloc(1 << 20, 'x');
      const push = (): void => {
        while (sent < 32 && (sent += 1) && stream.write(chunk));
        if (sent === 32) stream.end();
      };
      stream.on('drain', push);
      push();
    },
    async ({ port, get }, { sessions }) => {
      const client = connect(port, '127.0.0.1');
      client.write('GET / HTTP/1.1\r\nHost: app.example.com\r\n\r\n');
      client.once('readable', () => undefined);
      await delay(300);
      assert.ok(sent < 24, `${sent} MiB are on the way`);
      assert.match((await get('/quick')).body, /hello/);
      assert.equal(sessions(), 1);
      let received = 0;
      client.on('data', (chunk: Buffer) => (received += chunk.length));
      await eventually(() => received > 32 << 20, 'all of it');
      client.destroy();
    },
  ));
let sent = 0;

test('a client that leaves has its stream reset, and the connection serves on', () =>
  withApplication(
    ({ stream, headers }) => {
      if (headers[':path'] !== '/events') return hello({ stream, headers, raw: [] });
      stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
      stream.write('data: 1\n\n');
    },
    async ({ send, get, lines }, { asked, sessions }) => {
      await send('GET /events HTTP/1.1\r\nHost: app.example.com\r\n\r\n', { forMs: 80 });
      await eventually(() => asked[0]?.stream.closed === true, 'the application is let go');
      assert.equal(asked[0]?.stream.rstCode, 8);
      await eventually(() => lines.some(({ outcome }) => outcome === 'ClientLeft'), 'a line says so');
      assert.equal((await get('/')).status, 200);
      assert.equal(sessions(), 1);
    },
  ));

test('an answer that breaks off does not look whole', () =>
  withApplication(
    ({ stream, headers }) => {
      const length = headers[':path'] === '/length' ? { 'content-length': 100 } : {};
      stream.respond({ ':status': 200, ...length });
      stream.write('half');
      setTimeout(() => {
        if (headers[':path'] === '/connection') stream.session?.destroy();
        else if (headers[':path'] === '/reset') stream.destroy(new Error('a fault of the application'));
        // Its end, though more was promised.
        else stream.close();
      }, 40);
    },
    async ({ get, lines }) => {
      for (const path of ['/reset', '/connection', '/length']) {
        const { body } = await get(path);
        assert.match(body, /half/, path);
        assert.doesNotMatch(body, /0\r\n\r\n$/, path);
        await eventually(
          () => lines.at(-1)?.['outcome'] === 'UpstreamBroke',
          `${path}: ${String(lines.at(-1)?.['outcome'])}`,
        );
      }
    },
  ));

test('an application that says nothing gets no more requests on that connection', () =>
  withApplication(
    ({ stream, headers }) => {
      if (headers[':path'] !== '/silent') hello({ stream, headers, raw: [] });
    },
    async ({ get, lines }, { sessions }) => {
      assert.equal((await get('/')).status, 200);
      assert.equal((await get('/silent')).status, 504);
      assert.equal(lines.at(-1)?.['outcome'], 'FirstByteTimeout');
      assert.equal((await get('/')).status, 200);
      assert.equal(sessions(), 2);
    },
  ));

test('a connection that the application is closing gets no new request, and those under way end well', () =>
  withApplication(
    ({ stream, headers }) => {
      if (headers[':path'] === '/leave') {
        stream.session?.goaway(0);
        setTimeout(() => hello({ stream, headers, raw: [] }), 100);
      } else hello({ stream, headers, raw: [] });
    },
    async ({ get }, { sessions }) => {
      const leaving = get('/leave');
      await delay(50);
      assert.equal((await get('/')).status, 200);
      assert.match((await leaving).body, /hello/);
      assert.equal(sessions(), 2);
    },
  ));

test('a stream that was refused is tried again where nothing can happen twice', () => {
  let refusals = 0;
  return withApplication(
    ({ stream, headers }) => {
      if (refusals < 1) {
        refusals += 1;
        stream.close(7);
      } else hello({ stream, headers, raw: [] });
    },
    async ({ get, send }, { asked }) => {
      await get('/').then(({ status }) => assert.ok([200, 502].includes(status)));
      refusals = 0;
      assert.equal((await get('/')).status, 200);
      refusals = 0;
      const before = asked.length;
      const post = await send('POST / HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 1\r\n\r\nx');
      assert.equal(post.status, 502);
      assert.equal(asked.length, before + 1);
    },
  );
});

test('an application that speaks HTTP/1.1 after all, or not at all, is a failure that is told', async () => {
  const plain = await startUpstream((_request, socket) => {
    socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
  const mute = await startUpstream(() => undefined);
  const gone = await startUpstream();
  await gone.close();
  try {
    for (const [port, outcome, status] of [
      [plain.port, 'ConnectFailed', 502],
      [mute.port, 'ConnectTimeout', 504],
      [gone.port, 'ConnectFailed', 502],
    ] as const) {
      await withUpstream(port, async ({ get, lines }) => {
        assert.equal((await get('/')).status, status);
        assert.equal(lines.at(-1)?.['outcome'], outcome);
      });
    }
  } finally {
    await plain.close();
    await mute.close();
  }
});
