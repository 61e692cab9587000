// A request that may have been acted upon must not be sent again (RFC 9110 §9.2.2).
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

/** Answers the first request of each connection, and resets at the second. */
const stale = () => {
  let count = 0;
  return {
    onConnection: (socket: Socket) => {
      let seen = 0;
      socket.on('data', () => {
        seen += 1;
        count += 1;
        if (seen > 1) socket.resetAndDestroy();
      });
    },
    seen: () => count,
  };
};

test('a kept connection that was closed is tried again for what may be repeated, and for nothing else', () => {
  const { onConnection, seen } = stale();
  return withRig({ onConnection }, async ({ send }) => {
    const ask = async (method: string, body = ''): Promise<number> =>
      (await send(`${method} / HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: ${body.length}\r\n\r\n${body}`))
        .status;
    assert.equal(await ask('GET'), 200);
    assert.equal(await ask('GET'), 200);
    assert.equal(seen(), 3);
    assert.equal(await ask('POST'), 502);
    assert.equal(seen(), 4);
    assert.equal(await ask('GET'), 200);
    assert.equal(await ask('PUT', 'body'), 502);
  });
});
