// CVE-2026-25748: an unreadable cookie let the request through without headers.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

const corpus = [
  '',
  '=',
  ';',
  ';;;;',
  '%',
  '%%%00',
  '=__Host-sallyport=good2',
  '__Host-sallyport',
  '__Host-sallyport=',
  '__Host-sallyport==',
  '__Host-sallyport="good"',
  '__Host-sallyport=good x',
  `__Host-sallyport=${'a'.repeat(8192)}`,
  '__Host-sallyport=caf\xc3\xa9\xff',
  '__proto__=x; constructor=y; __Host-sallyport=__proto__',
  '__host-sallyport=good',
  ' \t__Host-sallyport\t=\tbad',
  '$Version=1; __Host-sallyport=bad; $Path=/',
];
/** Any bytes that a header may hold. */
const noise = Array.from({ length: 100 }, () => {
  const bytes = Buffer.from(randomBytes(40).map((byte) => (byte < 32 || byte === 127 ? 59 : byte)));
  return `__Host-sallyport=${bytes.toString('latin1')}`;
});

test('whatever a cookie holds, it is a session or it is none', () =>
  withRig({}, async ({ get, upstream }) => {
    for (const cookie of [...corpus, ...noise]) {
      const line = `Cookie: ${cookie}`;
      assert.equal((await get('/engineers', line)).status, 403, JSON.stringify(cookie));
      assert.equal((await get('/', line)).status, 200, JSON.stringify(cookie));
    }
    for (const request of upstream.requests) assert.doesNotMatch(request, /^x-sallyport-user/im);
    assert.equal((await get('/engineers', 'Cookie: __Host-sallyport=good')).status, 200);
  }));
