// CVE-2026-9679: a cookie was decoded on its way, and what had been %0d%0a ended the line.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reply, sentHeader, withRig } from '../../proxy/rig.ts';

const cookie = 'a=%0d%0aX-Evil:%201%0d%0a%0d%0a; Path=/%0d%0a; b="%00;"';

test('an application’s cookie passes byte for byte, there and back', () =>
  withRig(
    { application: reply(`HTTP/1.1 200 OK\r\nSet-Cookie: ${cookie}\r\nContent-Length: 0\r\n\r\n`) },
    async ({ get, upstream }) => {
      const answer = await get('/', `Cookie: ${cookie}`);
      assert.deepEqual(answer.all('set-cookie'), [cookie]);
      assert.equal(answer.header('x-evil'), undefined);
      assert.equal(sentHeader(upstream.requests[0], 'cookie'), cookie);
      assert.equal(sentHeader(upstream.requests[0], 'x-evil'), undefined);
    },
  ));
