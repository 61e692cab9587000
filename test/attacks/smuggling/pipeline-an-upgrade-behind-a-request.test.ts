// Two answers on one connection: a tunnel must not begin while the answer before it is being written.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

test('an upgrade behind a request that is still being answered ends the connection, and the process lives', () =>
  withRig(
    {
      application: (request, socket) =>
        setTimeout(
          () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood'),
          request.includes('/slow') ? 50 : 0,
        ),
    },
    async ({ send, get }) => {
      const answer = await send(
        'GET /slow HTTP/1.1\r\nHost: app.example.com\r\n\r\nGET /engineers HTTP/1.1\r\nHost: app.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
        { forMs: 200 },
      );
      assert.ok((answer.raw.match(/HTTP\/1\.1 /g) ?? []).length <= 1);
      assert.equal((await get('/')).body, 'good');
    },
  ));
