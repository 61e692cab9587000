// A prefix is made of whole segments (Kubernetes Ingress, pathType Prefix).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineersAccess, publicAccess, withRig } from '../../proxy/rig.ts';

test('/publicity is not under /public', () =>
  withRig(
    { hosts: (to) => [{ host: 'app.example.com', routes: [to('/public', publicAccess), to('/', engineersAccess)] }] },
    async ({ get }) => {
      for (const path of ['/public', '/public/', '/public/x', '/public/x/y'])
        assert.equal((await get(path)).status, 200, path);
      for (const path of ['/publicity', '/public.', '/public;x', '/PUBLIC', '/publi'])
        assert.equal((await get(path)).status, 403, path);
    },
  ));
