// What the log says about Redis in trouble: each trouble once, and once that it is over.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { createTroubles } from '../../src/sessions/redis/trouble.ts';
import type { Troubles } from '../../src/sessions/redis/trouble.ts';
import { StoreError } from '../../src/sessions/store.ts';
import { createLogger } from '../../src/telemetry.ts';

describe('troubles of Redis', () => {
  let lines: { readonly level: string; readonly code?: string; readonly msg: string }[];
  let now: number;
  let troubles: Troubles;
  beforeEach(() => {
    lines = [];
    now = 0;
    troubles = createTroubles(
      createLogger('info', (line) => void lines.push(JSON.parse(line))),
      () => now,
    );
  });
  const fails = (message: string) => troubles.failed(new Error(message));
  const told = () => lines.map(({ code, msg }) => code ?? msg);

  test('one that goes on is told once', () => {
    for (let call = 0; call < 100; call += 1) fails('LOADING Redis is loading the dataset in memory');
    assert.deepEqual(told(), ['LOADING']);
    assert.equal(lines[0]?.level, 'warn');
  });

  test('another one is told too', () => {
    fails('LOADING Redis is loading the dataset in memory');
    fails('NOAUTH Authentication required.');
    assert.deepEqual(told(), ['LOADING', 'NOAUTH']);
  });

  test('its end is told once, after ten seconds without a failure', () => {
    fails('connect ECONNREFUSED');
    now = 9_999;
    troubles.answered('writing');
    assert.deepEqual(told(), ['Unreachable']);
    now = 10_000;
    troubles.answered('reading');
    troubles.answered('reading');
    assert.deepEqual(told(), ['Unreachable', 'Redis answers again']);
  });

  test('where one call in two fails, its end is not told', () => {
    for (; now < 60_000; now += 1_000) {
      fails('connect ECONNREFUSED');
      troubles.answered('writing');
    }
    assert.deepEqual(told(), ['Unreachable']);
  });

  test('that Redis can be read says nothing about whether it takes writes', () => {
    fails("OOM command not allowed when used memory > 'maxmemory'.");
    now = 20_000;
    troubles.answered('reading');
    assert.deepEqual(told(), ['OOM']);
    troubles.answered('writing');
    assert.deepEqual(told(), ['OOM', 'Redis answers again']);
  });

  test('OOM makes a store full, all else makes it unavailable, and the cause is kept', () => {
    assert.equal(fails("OOM command not allowed when used memory > 'maxmemory'.").code, 'full');
    for (const message of ['MISCONF no', 'WRONGPASS no', 'ERR no', 'CLUSTERDOWN no', 'Socket closed unexpectedly', ''])
      assert.equal(fails(message).code, 'unavailable', message);
    const cause = new Error('NOPERM no');
    assert.equal(troubles.failed(cause).cause, cause);
    const late = new StoreError('unavailable', 'late');
    assert.equal(troubles.failed(late), late);
  });

  test('an answer that nobody foresaw is told by its first word', () => {
    fails('TRYAGAIN Multiple keys request during rehashing of slot');
    assert.deepEqual(told(), ['TRYAGAIN']);
  });
});
