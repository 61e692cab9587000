// CVE-2026-71324: a connection that had carried a WebSocket was given to the next request.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { delay, withRig } from '../../proxy/rig.ts';

test('a switched connection is used once', () =>
  withRig(
    {
      application: (request, socket) => {
        if (/upgrade: websocket/i.test(request))
          socket.write(
            request.includes('refuse')
              ? 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno'
              : 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
          );
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood');
      },
    },
    async ({ send, get, upstream }) => {
      for (const path of ['/', '/refuse']) {
        const before = upstream.connections();
        await send(
          `GET ${path} HTTP/1.1\r\nHost: app.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
        );
        await delay(30);
        assert.equal((await get('/')).body, 'good');
        assert.ok(upstream.connections() > before);
      }
      const kept = upstream.connections();
      assert.equal((await get('/')).body, 'good');
      assert.equal(upstream.connections(), kept);
    },
  ));
