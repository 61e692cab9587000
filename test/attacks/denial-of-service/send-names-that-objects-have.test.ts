// CVE-2026-21710: a header named __proto__ made headersDistinct throw.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentHeader, withRig } from '../../proxy/rig.ts';

test('names that every object has are names like any other', () =>
  withRig({}, async ({ get, upstream }) => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'then'];
    assert.equal(
      (
        await get(
          '/__proto__/constructor?__proto__=1',
          ...names.map((name) => `${name}: x`),
          'Cookie: __proto__=1; constructor=2',
        )
      ).status,
      200,
    );
    for (const name of names) assert.equal(sentHeader(upstream.requests[0], name), 'x', name);
    assert.equal((await get('/', 'Host: __proto__')).status, 400);
    assert.equal((await get('/', 'Host: constructor')).status, 404);
  }));
