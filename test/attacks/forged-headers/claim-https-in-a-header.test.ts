// CVE-2026-33495: X-Forwarded-Proto was believed of anybody.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

const claim = ['X-Forwarded-Proto: https', 'Forwarded: proto=https', 'Front-End-Https: on', 'Accept: text/html'];

test('an untrusted peer does not make plain http secure', () =>
  withRig({ settings: { trustedProxies: ['10.0.0.0/8'] } }, async ({ get, authority }) => {
    assert.equal((await get('/private', ...claim)).status, 403);
    assert.equal(authority.signIns.length, 0);
  }));
