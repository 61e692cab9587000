// http-proxy#1647: `GET` with `Trailer: x`, or an answer with Trailer and Content-Length, was an uncaught ERR_HTTP_TRAILER_INVALID.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reply, withRig } from '../../proxy/rig.ts';

test('a Trailer header without trailers takes nothing down', () =>
  withRig(
    {
      application: (request, socket) =>
        socket.write(
          request.includes('/204')
            ? 'HTTP/1.1 204 No Content\r\nTrailer: x\r\nContent-Length: 5\r\n\r\n'
            : 'HTTP/1.1 200 OK\r\nTrailer: x\r\nContent-Length: 4\r\n\r\ngood',
        ),
    },
    async ({ get, upstream }) => {
      const answer = await get('/', 'Trailer: x', 'TE: trailers');
      assert.equal(answer.status, 200);
      assert.equal(answer.header('trailer'), undefined);
      assert.doesNotMatch(upstream.requests[0] ?? '', /^trailer:/im);
      const empty = await get('/204');
      assert.equal(empty.status, 204);
      assert.equal(empty.header('content-length'), undefined);
    },
  ));

test('nor one before trailers that cannot be passed on', () =>
  withRig(
    {
      application: reply(
        'HTTP/1.1 200 OK\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx-sum: 1\r\n\r\n',
      ),
    },
    async ({ send }) => {
      for (const line of ['HEAD / HTTP/1.1', 'GET / HTTP/1.0', 'GET / HTTP/1.1']) {
        assert.equal((await send(`${line}\r\nHost: app.example.com\r\n\r\n`, { forMs: 60 })).status, 200, line);
      }
    },
  ));
