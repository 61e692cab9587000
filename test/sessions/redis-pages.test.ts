// The pages that SCAN makes of several masters, some of whose keys are others', and what becomes of a cursor that means nothing any more.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxPage } from '../../src/sessions/store.ts';
import { scanIds } from '../../src/sessions/redis/pages.ts';
import type { Masters } from '../../src/sessions/redis/connection.ts';

/** Each master answers with as many keys as it is asked for, in the order in which they stand; its cursor is a place in them. */
function makeMasters(life: string, keys: readonly (readonly string[])[]) {
  const asked: string[] = [];
  const all = keys.map((own, index) => async ([, at = '', , pattern = '', , count = '']: readonly string[]) => {
    asked.push(`${index}:${at}`);
    const start = Number(at);
    const end = start + Number(count);
    const prefix = pattern.replace('*', '');
    return [end >= own.length ? '0' : String(end), own.slice(start, end).filter((key) => key.startsWith(prefix))];
  });
  return { masters: { life, all } satisfies Masters, asked };
}

const sessions = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => `sallyport:session:s${from + index}`);
const codes = (count: number) => Array.from({ length: count }, (_, index) => `sallyport:code:c${index}`);

async function all(masters: Masters) {
  const ids: string[] = [];
  let pages = 0;
  let cursor: string | undefined;
  do {
    const page: Awaited<ReturnType<typeof scanIds>> = await scanIds(masters, 'session', cursor);
    assert.ok(page.ids.length <= maxPage);
    ids.push(...page.ids);
    cursor = page.next;
    pages += 1;
  } while (cursor !== undefined);
  return { ids, pages };
}

test('every master is asked to its end, and nothing but what was asked for is on a page', async () => {
  const { masters } = makeMasters('1', [
    [...codes(300), ...sessions(0, 500)],
    [],
    [...sessions(500, 700), ...codes(1)],
  ]);
  const { ids } = await all(masters);
  assert.deepEqual(new Set(ids), new Set(Array.from({ length: 1_200 }, (_, index) => `s${index}`)));
});

test('among very many keys of others a page may hold none, and is not the last', async () => {
  const { masters, asked } = makeMasters('1', [[...codes(10_000), ...sessions(0, 3)]]);
  const first = await scanIds(masters, 'session');
  assert.deepEqual(first.ids, []);
  assert.notEqual(first.next, undefined);
  assert.ok(asked.length <= 20, 'one page makes no more calls than its time allows');
  assert.deepEqual((await all(masters)).ids, ['s0', 's1', 's2']);
});

test('after a failover, or a restart, all begins anew: the cursor means nothing to who answers now', async () => {
  const before = makeMasters('1', [sessions(0, 1_000), sessions(1_000, 1_000)]);
  const { next } = await scanIds(before.masters, 'session');
  const after = makeMasters('2', [sessions(0, 1_000), sessions(1_000, 1_000)]);
  await scanIds(after.masters, 'session', next);
  assert.equal(after.asked[0], '0:0');
  await scanIds(before.masters, 'session', next);
  assert.notEqual(before.asked.at(-1), '0:0', 'without one it goes on');
});

test('a cursor that somebody made up leads nowhere', async () => {
  const { masters } = makeMasters('1', [sessions(0, 10)]);
  for (const cursor of ['1 7 0', '1 x 0', '1 -1 0', '1 constructor 0'])
    assert.deepEqual(await scanIds(masters, 'session', cursor), { ids: [] }, cursor);
});

test('an answer that is none is an error', async () => {
  await assert.rejects(scanIds({ life: '1', all: [async () => 'OK'] }, 'session'));
});
