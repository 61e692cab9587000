// CVE-2026-58044: headers past a count were hidden from the program, and obeyed by the parser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

for (const count of [201, 1_001, 2_001]) {
  test(`a length behind ${count} short headers is never a second request`, () =>
    withRig({}, async ({ send, upstream }) => {
      const filler = Array.from({ length: count }, () => `a: b\r\n`).join('');
      const second = 'GET /smuggled HTTP/1.1\r\nHost: app.example.com\r\n\r\n';
      const answer = await send(
        `GET / HTTP/1.1\r\nHost: app.example.com\r\n${filler}Content-Length: ${second.length}\r\n\r\n${second}`,
        { forMs: 150 },
      );
      assert.equal(answer.status, 431);
      assert.equal(upstream.requests.length, 0);
    }));
}

test('two hundred are enough for anybody, and all of them pass', () =>
  withRig({}, async ({ get, upstream }) => {
    assert.equal((await get('/', ...Array.from({ length: 199 }, (_, at) => `x-${at}: b`))).status, 200);
    assert.match(upstream.requests[0] ?? '', /\r\nx-198: b\r\n/);
  }));

test('32 KiB of headers are too many', () =>
  withRig({}, async ({ get, upstream }) => {
    assert.equal((await get('/', `x: ${'a'.repeat(40_000)}`)).status, 431);
    assert.equal(upstream.requests.length, 0);
  }));
