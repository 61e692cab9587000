// CVE-2026-71324: CONNECT went through the pool of kept connections, and poisoned it for others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

test('CONNECT is refused and the connection closed', () =>
  withRig({}, async ({ send, get, upstream }) => {
    const answer = await send(
      'CONNECT app.example.com:443 HTTP/1.1\r\nHost: app.example.com:443\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: app.example.com\r\n\r\n',
      { forMs: 150 },
    );
    assert.equal(answer.status, 405);
    assert.equal(answer.header('connection'), 'close');
    assert.equal((answer.raw.match(/HTTP\/1\.1 /g) ?? []).length, 1);
    assert.equal(upstream.requests.length, 0);
    assert.equal((await get('/')).status, 200);
  }));
