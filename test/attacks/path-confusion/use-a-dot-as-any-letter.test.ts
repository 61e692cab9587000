// CVE-2024-52289, CVE-2026-39350: a name was compared as a regular expression, in which a dot is any letter.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineersAccess, publicAccess, withRig } from '../../proxy/rig.ts';

const names = ['appXexample.com', 'app-example.com', 'app.exampleXcom', 'appexample.com', 'authXexample.com'];

test('a host with another letter for a dot is another host', () =>
  withRig(
    {
      settings: { authenticationHost: 'auth.example.com' },
      hosts: (to) => [
        { host: 'app.example.com', routes: [to('/', publicAccess), to('/a.b', engineersAccess)] },
        { host: '*.example.org', routes: [to('/', publicAccess)] },
      ],
    },
    async ({ get, upstream, authority }) => {
      for (const host of [...names, 'aXexampleXorg', 'a.exampleXorg']) {
        assert.equal((await get('/', `Host: ${host}`)).status, 404, host);
        assert.equal((await get('/oauth2/callback', `Host: ${host}`)).status, 404, host);
      }
      assert.equal(upstream.requests.length, 0);
      assert.equal(authority.asked.length, 0);
    },
  ));

test('a path with another letter for a dot is another path', () =>
  withRig(
    { hosts: (to) => [{ host: 'app.example.com', routes: [to('/a.b', publicAccess), to('/', engineersAccess)] }] },
    async ({ get }) => {
      assert.equal((await get('/a.b')).status, 200);
      for (const path of ['/aXb', '/a-b', '/ab']) assert.equal((await get(path)).status, 403, path);
    },
  ));
