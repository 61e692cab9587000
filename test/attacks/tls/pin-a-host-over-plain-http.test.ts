// Strict transport said over plain http: whoever sits between could pin a host, and all below it, for years (RFC 6797 §7.2, §8.1).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publicAccess, reply, withRig } from '../../proxy/rig.ts';

test('over plain http nobody says it: not we, not the application, and no header makes it https', () =>
  withRig(
    {
      application: reply(
        'HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=9\r\nstrict-transport-security: max-age=8; includeSubDomains\r\nContent-Length: 0\r\n\r\n',
      ),
      hosts: (to) => [
        {
          host: 'app.example.com',
          routes: [to('/', publicAccess)],
          httpsRedirect: false,
          strictTransport: { maxAgeSeconds: 300, includeSubDomains: true, preload: true },
        },
      ],
    },
    async ({ get }) => {
      for (const headers of [[], ['X-Forwarded-Proto: https'], ['Forwarded: proto=https'], ['X-Forwarded-Ssl: on']]) {
        const answer = await get('/', ...headers);
        assert.equal(answer.status, 200);
        assert.deepEqual(answer.all('strict-transport-security'), [], headers.join());
      }
    },
  ));
