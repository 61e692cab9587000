// A server that folds names reads Content_Length as a length: framing passes under its own name alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

test('framing under another spelling goes no further', () =>
  withRig({}, async ({ get, upstream }) => {
    await get(
      '/',
      'Content_Length: 50',
      'Transfer.Encoding: chunked',
      'transfer_encoding: chunked',
      'Content_Type: a/b',
    );
    assert.doesNotMatch(upstream.requests[0] ?? '', /chunked|50\r|a\/b/);
  }));
