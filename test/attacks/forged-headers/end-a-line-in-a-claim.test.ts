// CVE-2023-27493, CVE-2026-31908: a claim with CR LF became a header of its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentHeader, session, withRig } from '../../proxy/rig.ts';

const nasty = 'eve\r\nX-Admin: yes\r\n\r\nGET /x HTTP/1.1\0\u00e9\u{1F600}\ud800%';

test('no claim ends a line, whatever it holds', () =>
  withRig(
    {
      settings: {
        identityHeaders: {
          preset: 'Sallyport',
          assertion: 'Shared',
          claims: { 'X-Team': 'team', 'X-List': 'list', 'X-Proto': '__proto__' },
        },
      },
    },
    async ({ get, authority, upstream }) => {
      const identity = {
        user: nasty,
        email: nasty,
        name: nasty,
        groups: [nasty, 'plain'],
        claims: { team: nasty, list: [nasty, 1, { a: nasty }] },
      };
      authority.sessions.set('nasty', session('s', { identity }));
      assert.equal((await get('/private', 'Cookie: __Host-sallyport=nasty')).status, 200);
      assert.equal(upstream.requests.length, 1);
      const [request] = upstream.requests;
      assert.equal(sentHeader(request, 'x-admin'), undefined);
      assert.equal(sentHeader(request, 'x-proto'), undefined);
      assert.equal(
        sentHeader(request, 'x-sallyport-user'),
        encodeURIComponent(nasty.toWellFormed()).replaceAll('%3A', ':').replaceAll('%20', ' ').replaceAll('%2F', '/'),
      );
      for (const name of ['x-team', 'x-list', 'x-sallyport-groups'])
        assert.match(sentHeader(request, name) ?? '', /^eve%0D%0AX-Admin/);
    },
  ));
