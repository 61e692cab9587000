// Tombstones of the Redis store: kept until their records would have expired, and never without bound.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTombstones } from '../../src/sessions/redis/tombstones.ts';

const tombstone = (life: string, until: number) => ({ type: 'session', id: life, life, until }) as const;

test('a life that has ended is known until its record would have expired', () => {
  let now = 0;
  const tombstones = createTombstones(() => now);
  tombstones.add(tombstone('a', 1_000));
  tombstones.add(tombstone('b', 2_000));
  assert.equal(tombstones.has('a'), true);
  assert.equal(tombstones.has('c'), false);
  now = 1_000;
  assert.deepEqual(
    tombstones.all().map(({ life }) => life),
    ['b'],
  );
  assert.equal(tombstones.has('a'), false);
});

test('with a mark only what had ended by then counts, and a second end does not make it later', () => {
  const tombstones = createTombstones(() => 0);
  tombstones.add(tombstone('a', 1_000));
  const mark = tombstones.mark();
  tombstones.add(tombstone('a', 1_000));
  tombstones.add(tombstone('b', 1_000));
  assert.equal(tombstones.has('a', mark), true);
  assert.equal(tombstones.has('b', mark), false);
});

test('past a hundred thousand the oldest go', () => {
  const tombstones = createTombstones(() => 0);
  for (let index = 0; index < 100_001; index += 1) tombstones.add(tombstone(String(index), 1_000));
  assert.equal(tombstones.all().length, 100_000);
  assert.equal(tombstones.has('0'), false);
  assert.equal(tombstones.has('1'), true);
});

test('those that are over do not stay until there is no more room', () => {
  let now = 0;
  const tombstones = createTombstones(() => now);
  tombstones.add(tombstone('a', 1));
  now = 1;
  for (let index = 0; index < 1_000; index += 1) tombstones.add(tombstone(`b${index}`, 1_000));
  assert.equal(tombstones.has('a'), false);
});
