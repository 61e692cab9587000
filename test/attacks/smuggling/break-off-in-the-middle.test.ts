// GHSA-6x33-pw7p-hmpq: an application that reset while a body was being sent crashed the proxy; half an answer looked whole.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, withRig } from '../../proxy/rig.ts';

test('an application that resets during an upload is 502, and the process lives', () =>
  withRig({ onConnection: (socket) => socket.once('data', () => socket.resetAndDestroy()) }, async ({ send }) => {
    const body = Buffer.alloc(1 << 20, 'x');
    const head = Buffer.from(`POST / HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: ${body.length}\r\n\r\n`);
    assert.equal((await send(Buffer.concat([head, body]))).status, 502);
  }));

test('an application that answers an upload early and closes is heard', () =>
  withRig(
    {
      onConnection: (socket) =>
        socket.once('data', () =>
          socket.end('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig'),
        ),
    },
    async ({ send }) => {
      const head = 'POST / HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 1000000\r\n\r\nabc';
      const answer = await send(head);
      assert.equal(answer.status, 413);
      assert.equal(answer.body, 'big');
    },
  ));

for (const [how, head] of [
  ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'],
  ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
] as const) {
  test(`half an answer ${how} never looks whole`, () =>
    withRig(
      {
        application: (_request, socket) => {
          socket.write(head);
          setTimeout(() => socket.destroy(), 20);
        },
      },
      async ({ get, lines }) => {
        const answer = await get('/');
        assert.match(answer.body, /half/);
        assert.doesNotMatch(answer.body, /\r\n0\r\n\r\n$/);
        await eventually(() => lines.some(({ outcome }) => outcome === 'UpstreamBroke'), 'a line says so');
      },
    ));
}
