// Kubernetes: *.example.com is one label, and an exact host is never served by a wildcard's routes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineersAccess, publicAccess, withRig } from '../../proxy/rig.ts';

test('a wildcard serves exactly one more label, and never a host that has routes of its own', () =>
  withRig(
    {
      hosts: (to) => [
        { host: '*.example.com', routes: [to('/', publicAccess)] },
        { host: 'closed.example.com', routes: [to('/engineers', engineersAccess)] },
      ],
    },
    async ({ get }) => {
      assert.equal((await get('/', 'Host: a.example.com')).status, 200);
      assert.equal((await get('/', 'Host: a.b.example.com')).status, 404);
      assert.equal((await get('/', 'Host: example.com')).status, 404);
      assert.equal((await get('/engineers', 'Host: closed.example.com')).status, 403);
      assert.equal((await get('/', 'Host: closed.example.com')).status, 404);
    },
  ));
