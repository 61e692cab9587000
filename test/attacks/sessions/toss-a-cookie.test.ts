// Plants a cookie from a sibling host, beside ours or under our name (RFC 6265bis, section 8.6: cookie tossing).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentHeader, withRig } from '../../proxy/rig.ts';

const good = '__Host-sallyport=good';
const tossed: readonly (readonly [string, readonly string[]])[] = [
  ['a name without the prefix', [`Cookie: sallyport=evil; ${good}`]],
  ['the same behind it', [`Cookie: ${good}; sallyport=evil`]],
  ['another prefix', [`Cookie: __Secure-sallyport=evil; ${good}`]],
  ['our name, before it', [`Cookie: __Host-sallyport=evil; ${good}`]],
  ['our name, behind it', [`Cookie: ${good}; __Host-sallyport=evil`]],
  ['our name, empty', [`Cookie: __Host-sallyport=; ${good}`]],
  ['our name without a name', [`Cookie: =__Host-sallyport=evil; ${good}`]],
  ['a header of its own', ['Cookie: __Host-sallyport=evil', `Cookie: ${good}`]],
  ['a header of its own, behind it', [`Cookie: ${good}`, 'Cookie: __Host-sallyport=evil']],
  ['4 KB of something', [`Cookie: __Host-sallyport=${'x'.repeat(4_000)}; ${good}`]],
];

for (const [what, headers] of tossed) {
  test(`${what}: neither another session nor a sign-out`, () =>
    withRig({}, async ({ get, upstream }) => {
      const answer = await get('/engineers', ...headers);
      assert.equal(answer.status, 200);
      assert.equal(sentHeader(answer.body, 'x-sallyport-user'), 'u-ana');
      assert.doesNotMatch(upstream.requests.join(), /__Host-sallyport/);
    }));
}

test('one that stands alone is nobody', () =>
  withRig({}, async ({ get }) => {
    for (const cookie of [
      'sallyport=good',
      '__Secure-sallyport=good',
      '__host-sallyport=good',
      '__HOST-SALLYPORT=good',
    ])
      assert.equal((await get('/engineers', `Cookie: ${cookie}`)).status, 403, cookie);
  }));
