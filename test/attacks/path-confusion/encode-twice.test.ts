// CVE-2025-47952: what decodes twice on the way was judged once. We decode once, and send what we judged.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

test('a path encoded twice reaches the application as often encoded as it came', () =>
  withRig({}, async ({ get, upstream }) => {
    assert.equal((await get('/public/%252e%252e/engineers')).status, 200);
    assert.match(upstream.requests[0] ?? '', /^GET \/public\/%252e%252e\/engineers HTTP/);
    assert.equal((await get('/%2565ngineers')).status, 200);
    assert.match(upstream.requests[1] ?? '', /^GET \/%2565ngineers HTTP/);
  }));
