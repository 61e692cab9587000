// CVE-2026-24513: an error page answered 401 and 403 with 200, and the application was asked after all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

test('a refusal keeps its status, in every form, and the application never hears of it', () =>
  withRig({}, async ({ send, upstream }) => {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND']) {
      for (const accept of ['text/html', '*/*', 'application/json', 'image/png']) {
        const answer = await send(
          `${method} /engineers HTTP/1.1\r\nHost: app.example.com\r\nAccept: ${accept}\r\n\r\n`,
        );
        assert.equal(answer.status, 403, `${method} ${accept}`);
        assert.equal(answer.header('cache-control'), 'no-store');
      }
    }
    assert.equal(upstream.requests.length, 0);
  }));

test('no method tunnels another past the policy', () =>
  withRig({}, async ({ get, send, upstream }) => {
    assert.equal((await get('/engineers', 'X-HTTP-Method-Override: OPTIONS')).status, 403);
    for (const method of ['TRACE', 'TRACK', 'get', 'GETT']) {
      const { status } = await send(`${method} / HTTP/1.1\r\nHost: app.example.com\r\n\r\n`);
      assert.ok(status === 405 || status === 400, `${method} ${status}`);
    }
    assert.equal(upstream.requests.length, 0);
  }));
