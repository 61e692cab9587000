// A redirect that leads back to its own route sends a browser round until it gives up, and a careless program for ever.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Redirect } from '../../../src/model/route.ts';
import { publicAccess, withRig } from '../../proxy/rig.ts';

const loops: readonly Redirect[] = [
  { status: 302 },
  { status: 302, host: 'app.example.com' },
  { status: 308, scheme: 'http', host: 'app.example.com', port: 80 },
  { status: 302, scheme: 'https' },
  { status: 302, path: { kind: 'Full', path: '/old/start?x=1' } },
  { status: 302, path: { kind: 'Prefix', path: '/old/new' } },
  { status: 302, host: 'www.example.org', path: { kind: 'Full', path: '/old' } },
];

test('it ends with a page that says so, and a line for the operator', async () => {
  for (const redirect of loops) {
    await withRig(
      {
        hosts: (to) => {
          const route = to('/old', publicAccess, { redirect });
          return [
            { host: 'app.example.com', routes: [route] },
            { host: '*.example.org', routes: [route] },
          ];
        },
      },
      async ({ get, lines }) => {
        const answer = await get('/old/a');
        assert.equal(answer.status, 500, JSON.stringify(redirect));
        assert.equal(answer.header('location'), undefined);
        assert.ok(lines.some(({ fault }) => fault === 'its redirect leads back to itself'));
      },
    );
  }
});

test('one to another route, host or port of ours is none', async () => {
  const others: readonly Redirect[] = [
    { status: 302, path: { kind: 'Full', path: '/new' } },
    { status: 302, path: { kind: 'Prefix', path: '/old2' } },
    { status: 302, host: 'new.example.com' },
    { status: 302, port: 8443 },
  ];
  for (const redirect of others) {
    await withRig(
      {
        hosts: (to) => [
          { host: 'app.example.com', routes: [to('/old', publicAccess, { redirect }), to('/', publicAccess)] },
        ],
      },
      async ({ get }) => assert.equal((await get('/old/a')).status, 302, JSON.stringify(redirect)),
    );
  }
});
