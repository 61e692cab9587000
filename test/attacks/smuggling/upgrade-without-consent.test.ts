// CVE-2024-23326: a 200 counted as a successful upgrade, and what followed went past the proxy.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

const ask = 'GET / HTTP/1.1\r\nHost: app.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: app.example.com\r\n\r\n';
const refusals: Readonly<Record<string, [number, string]>> = {
  'a 200': [200, 'HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nno'],
  'a 403 in chunks': [403, 'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n'],
  'a 101 to something else': [502, 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'],
  'a 101 to nothing': [502, 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
};

for (const [what, [status, answer]] of Object.entries(refusals)) {
  test(`${what} opens no tunnel`, () =>
    withRig(
      {
        settings: { timeouts: { connectMs: 1_000, firstByteMs: 500, idleMs: 500 } },
        application: (_request, socket) => {
          socket.write(answer);
          socket.on('data', (chunk) => assert.doesNotMatch(chunk.toString(), /smuggled/));
        },
      },
      async ({ send, upstream }) => {
        const got = await send(`${ask}${smuggled}`, { forMs: 200 });
        assert.equal(got.status, status);
        assert.equal(upstream.requests.length, 1);
        assert.equal((got.raw.match(/HTTP\/1\.1 /g) ?? []).length, 1);
      },
    ));
}

test('an upgrade is judged like any other request', () =>
  withRig({}, async ({ send, upstream }) => {
    assert.equal((await send(ask.replace('GET /', 'GET /engineers'))).status, 403);
    assert.equal((await send(ask.replace('GET /', 'GET /../x'))).status, 400);
    assert.equal((await send(ask.replace('app.example.com', 'app.localhost'))).status, 404);
    assert.equal(upstream.requests.length, 0);
  }));
