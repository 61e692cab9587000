// Where a group of a pattern goes into the request line decoded, %0d%0a ends it, and what follows is a header or a request.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publicAccess, withRig } from '../../proxy/rig.ts';

const path = { kind: 'Pattern', pattern: '/(.*)', substitution: '/in/\\1' } as const;

test('an encoded line end, space or NUL in a group ends nothing', () =>
  withRig(
    { hosts: (to) => [{ host: 'app.example.com', routes: [to('/', publicAccess, { rewrite: { path } })] }] },
    async ({ get, send, upstream }) => {
      for (const end of ['%0d%0a', '%0D%0A', '%0a', '%00', '%0d']) {
        const answer = await get(`/a${end}X-Sallyport-User:%20root`);
        assert.equal(answer.status, 400, end);
      }
      assert.deepEqual(upstream.requests, []);
      for (const still of ['%20HTTP/1.1', '%250d%250aX-Smuggled:%201', '%E5%98%8D%E5%98%8AX-Smuggled:%201']) {
        assert.equal((await get(`/a${still}`)).status, 200, still);
        const lines: readonly string[] = (upstream.requests.at(-1) ?? '').split('\r\n');
        assert.equal(lines[0], `GET /in/a${still} HTTP/1.1`);
        assert.ok(!lines.slice(1).some((line) => /smuggled/i.test(line)));
      }
      // RFC 9112, section 3: what is no request target is no request.
      assert.equal((await send('GET /a\tX-Smuggled: 1 HTTP/1.1\r\nHost: app.example.com\r\n\r\n')).status, 400);
    },
  ));
