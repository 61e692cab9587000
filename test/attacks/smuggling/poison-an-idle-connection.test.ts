// CVE-2026-48931: an answer that an application sent unasked was given to the next request on that connection.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { delay, withRig } from '../../proxy/rig.ts';

test('what an application says unasked is nobody’s answer', () => {
  const poison = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';
  return withRig(
    {
      application: (request, socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood`);
        if (request.startsWith('GET /late')) setTimeout(() => socket.write(poison), 30);
        if (request.startsWith('GET /together')) socket.write(poison);
      },
    },
    async ({ get }) => {
      for (const path of ['/late', '/together']) {
        assert.equal((await get(path)).body, 'good');
        await delay(60);
        for (let round = 0; round < 3; round += 1) assert.equal((await get('/next')).body, 'good', path);
      }
    },
  );
});
