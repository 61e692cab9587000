// GHSA-4cwx-7wf7-3272, GHSA-jr45-8vmc-qm54: an answer was kept, and given to the next person who asked for the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentHeader, session, withRig } from '../../proxy/rig.ts';

const cacheable = 'Cache-Control: public, max-age=3600, immutable\r\nETag: "1"\r\nVary: *\r\n';

test('nothing that an application answers is kept, whatever it says of it', () =>
  withRig(
    {
      application: (request, socket) => {
        const body = `for ${sentHeader(request, 'x-sallyport-user') ?? 'nobody'}`;
        socket.write(`HTTP/1.1 200 OK\r\n${cacheable}Content-Length: ${body.length}\r\n\r\n${body}`);
      },
    },
    async ({ get, authority, upstream }) => {
      const people = ['ana', 'eve', 'bob', 'ana'];
      for (const person of people)
        authority.sessions.set(person, session(person, { identity: { user: person, groups: [], claims: {} } }));
      for (const person of people)
        assert.equal((await get('/private/page', `Cookie: __Host-sallyport=${person}`)).body, `for ${person}`);
      assert.equal((await get('/private/page', 'If-None-Match: "1"')).status, 403);
      assert.equal(upstream.requests.length, people.length);
    },
  ));
