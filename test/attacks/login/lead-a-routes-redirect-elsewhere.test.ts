// An open redirect: a link to a trusted host that leads to somebody else's. A route's redirect knows its own words alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Redirect } from '../../../src/model/route.ts';
import { publicAccess, withRig } from '../../proxy/rig.ts';

const redirects: readonly Redirect[] = [
  { status: 302, path: { kind: 'Prefix', path: '/' } },
  { status: 302, path: { kind: 'Full', path: '/start' } },
  { status: 302, scheme: 'https', host: 'new.example.org' },
];

test('neither path, query nor any header chooses the host', async () => {
  for (const redirect of redirects) {
    await withRig(
      { hosts: (to) => [{ host: 'app.example.com', routes: [to('/go', publicAccess, { redirect })] }] },
      async ({ get, send }) => {
        const host = redirect.host ?? 'app.example.com';
        const headers = [
          'X-Forwarded-Host: evil.example',
          'Forwarded: host=evil.example',
          'X-Original-URL: //evil.example',
        ];
        for (const path of [
          '/go//evil.example',
          '/go///evil.example/a',
          '/go/@evil.example',
          '/go/https://evil.example',
          '/go?//evil.example',
          '/go/.evil.example',
          '/go/%09/evil.example',
        ]) {
          const location = (await get(path, ...headers)).header('location');
          if (location === undefined) continue;
          assert.equal(new URL(location).host, host, `${path}: ${location}`);
        }
        const absolute = await send('GET http://evil.example/go HTTP/1.1\r\nHost: app.example.com\r\n\r\n');
        assert.equal(absolute.status, 400);
        assert.ok((await get('/go/a', ...headers)).header('location'));
      },
    );
  }
});
