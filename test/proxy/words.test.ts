// Sessions that share words say what they said before.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWords } from '../../src/proxy/words.ts';
import { session } from './rig.ts';

const identity = {
  user: 'u-ana',
  groups: ['a', 'b', 'a'],
  claims: {
    iss: 'https://idp.example',
    groups: ['a', 'b', 'a'],
    roles: ['a', 'c'],
    mixed: ['a', 1, null],
    nested: { roles: ['a'] },
    name: 'Ana',
    __proto__: undefined,
  },
};

test('a session with shared words is the same, also where there are more words than are kept', () => {
  for (const limit of [1, 2, 100]) {
    const words = createWords(limit);
    for (const id of ['one', 'two', 'three']) {
      const opened = session(id, { identity });
      assert.deepEqual(words.shared(opened), opened);
    }
  }
});
