// What bounds the calls to a store: how many at once, and how many in a second.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAllowance } from '../../src/sessions/allowance.ts';
import { limitConcurrency } from '../../src/sessions/concurrency.ts';

test('no more than so many run at once, all have their turn in order, and a failure gives its place on', async () => {
  const limited = limitConcurrency(3);
  let running = 0;
  let most = 0;
  const order: number[] = [];
  const work = (index: number) => async () => {
    running += 1;
    most = Math.max(most, running);
    order.push(index);
    await new Promise((resolve) => void setImmediate(resolve));
    running -= 1;
    if (index % 5 === 0) throw new Error('fault');
    return index;
  };
  const all = await Promise.allSettled(Array.from({ length: 50 }, (_, index) => limited(work(index))));
  assert.equal(most, 3);
  assert.equal(all.filter(({ status }) => status === 'fulfilled').length, 40);
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  );
});

test('an allowance is for so many a second, twice as many at once, and grows back no further', () => {
  let now = 0;
  const allowance = createAllowance(10, () => now);
  const taken = () => Array.from({ length: 50 }, () => allowance.take()).filter(Boolean).length;
  assert.equal(taken(), 20);
  now += 500;
  assert.equal(taken(), 5);
  now += 60_000;
  assert.equal(taken(), 20);
  now -= 60_000;
  assert.equal(taken(), 0, 'a clock that is put back gives nothing');
});
