// GHSA-64mm-vxmg-q3vj: a router matched hosts as substrings.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

test('only the host itself has its routes', () =>
  withRig({}, async ({ get, upstream }) => {
    for (const host of ['evil-app.example.com', 'app.example.com.evil', 'x.app.example.com', 'example.com', 'com']) {
      assert.equal((await get('/', `Host: ${host}`)).status, 404, host);
    }
    assert.equal(upstream.requests.length, 0);
  }));
