// An application that could read our cookie could be its visitor elsewhere (promise 3).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

test('our cookies go no further; the others byte for byte and in order', () =>
  withRig({}, async ({ get, upstream }) => {
    const cookieOf = (request: string | undefined): string[] =>
      (request ?? '').split('\r\n').filter((line) => /^cookie:/i.test(line));
    const sent: readonly [string, string[]][] = [
      ['a=1; __Host-sallyport=good; b="2 ;3"', ['Cookie: a=1; b="2 ;3"']],
      ['__Host-sallyport=good;a=1', ['Cookie: a=1']],
      ['__Host-sallyport=good', []],
      ['a=1;__HOST-sallyport=x;  __Host-sallyport-login=y; =__Host-sallyport=z;b', ['Cookie: a=1;b']],
      ['a=1;;  b=2; c', ['Cookie: a=1;;  b=2; c']],
    ];
    for (const [cookie, expected] of sent) {
      await get('/engineers', 'Cookie: __Host-sallyport=good', `Cookie: ${cookie}`);
      assert.deepEqual(cookieOf(upstream.requests.at(-1)), expected, cookie);
    }
  }));
