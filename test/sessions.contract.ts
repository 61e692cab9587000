// What every store keeps: one test for each sentence of src/sessions/store.ts, run against each store by its own test file.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { maxPage, StoreError } from '../src/sessions/store.ts';
import type { RecordChange, RecordType, Store, StoredRecord } from '../src/sessions/store.ts';

export interface StoreUnderTest {
  readonly store: Store;
  /** Lets this much time pass for the store; one that cannot pretend waits. */
  advance(ms: number): void | Promise<void>;
  /** The store's own clock, milliseconds since the epoch; by default this process's. */
  now?(): number;
}

/** `max`: records held at the most, where the store has such a cap. */
export type MakeStore = (options?: { readonly max?: number }) => Promise<StoreUnderTest>;

export interface ContractOptions {
  /** Has no cap of its own: `full` is never thrown. */
  readonly uncapped?: boolean;
  /** How long news of a change may take. */
  readonly newsMs?: number;
}

// Long enough that a slow store does not expire a record under a test, short enough for one that must wait.
const shortMs = 1_000;
const longMs = 60_000;

/** Every test makes records of its own, so that a store which outlives one test serves the next. */
export function storeContract(name: string, makeStore: MakeStore, options: ContractOptions = {}): void {
  const { uncapped = false, newsMs = 5_000 } = options;
  let made: StoreUnderTest;
  let store: Store;
  const now = () => made.now?.() ?? Date.now();
  const record = (more: Partial<StoredRecord> = {}): StoredRecord => ({
    type: 'session',
    id: randomId(),
    index: {},
    listing: 'listing',
    body: 'body',
    expiresAt: now() + longMs,
    ...more,
  });
  const stored = async (more: Partial<StoredRecord> = {}): Promise<StoredRecord> => {
    const one = record(more);
    assert.equal(await store.create(one), true);
    return one;
  };
  const revisionOf = async ({ type, id }: StoredRecord): Promise<string> => {
    const found = await store.read(type, id);
    assert(found, 'the record is gone');
    return found.revision;
  };

  describe(`${name} keeps the contract of a store:`, () => {
    before(async () => {
      made = await makeStore();
      ({ store } = made);
    });
    after(() => store.close());

    test('what was created is read back, every field of it', async () => {
      const one = await stored({
        index: { person: randomId(), provider: randomId() },
        listing: 'k1.Zm9v',
        body: 'k1.'.padEnd(20_000, 'x'),
      });
      assert.deepEqual((await store.read('session', one.id))?.record, one);
    });

    test('an empty index and an empty listing are read back too', async () => {
      const one = await stored({ type: 'code', listing: '' });
      assert.deepEqual((await store.read('code', one.id))?.record, one);
    });

    test('a record that was never created is not there', async () => {
      assert.equal(await store.read('session', randomId()), undefined);
    });

    test('a session is not a code, and both may have one id', async () => {
      const session = await stored();
      assert.equal(await store.read('code', session.id), undefined);
      assert.equal(await store.take('code', session.id), undefined);
      assert.equal(await store.remove('code', session.id), false);
      const code = await stored({ type: 'code', id: session.id, body: 'of the code' });
      assert.equal((await store.read('session', session.id))?.record.body, 'body');
      assert.equal((await store.read('code', code.id))?.record.body, 'of the code');
    });

    test('ids that differ in letter case alone are two', async () => {
      const [upper, lower] = [`${'A'.repeat(20)}-_`, `${'a'.repeat(20)}-_`];
      await stored({ id: upper, body: 'upper' });
      await stored({ id: lower, body: 'lower' });
      assert.equal((await store.read('session', upper))?.record.body, 'upper');
      assert.equal((await store.read('session', lower))?.record.body, 'lower');
      await Promise.all([store.remove('session', upper), store.remove('session', lower)]);
    });

    test('create on a taken id says false and writes nothing', async () => {
      const one = await stored();
      assert.equal(await store.create({ ...one, body: 'another' }), false);
      assert.deepEqual((await store.read('session', one.id))?.record, one);
    });

    test('of ten that create one id at once, exactly one does', async () => {
      const one = record();
      const all = await Promise.all(
        Array.from({ length: 10 }, (_, index) => store.create({ ...one, body: `body ${index}` })),
      );
      assert.equal(all.filter(Boolean).length, 1);
      assert.equal((await store.read('session', one.id))?.record.body, `body ${all.indexOf(true)}`);
    });

    test('an id is free again once its record is removed', async () => {
      const one = await stored();
      await store.remove('session', one.id);
      assert.equal(await store.create({ ...one, body: 'again' }), true);
    });

    test('replace writes over the revision it was given, and that changes the revision', async () => {
      const one = await stored();
      const first = await revisionOf(one);
      assert.equal(await store.replace({ ...one, body: 'new', index: { person: 'p' } }, first), true);
      const found = await store.read('session', one.id);
      assert.deepEqual(found?.record, { ...one, body: 'new', index: { person: 'p' } });
      assert.notEqual(found.revision, first);
    });

    test('a revision stays the same while nothing is written', async () => {
      const one = await stored();
      assert.equal(await revisionOf(one), await revisionOf(one));
    });

    test('replace on a stale revision says false and writes nothing', async () => {
      const one = await stored();
      const first = await revisionOf(one);
      await store.replace({ ...one, body: 'second' }, first);
      assert.equal(await store.replace({ ...one, body: 'third' }, first), false);
      assert.equal((await store.read('session', one.id))?.record.body, 'second');
    });

    test('of ten that replace one revision at once, exactly one does', async () => {
      const one = await stored();
      const revision = await revisionOf(one);
      const all = await Promise.all(
        Array.from({ length: 10 }, (_, index) => store.replace({ ...one, body: `body ${index}` }, revision)),
      );
      assert.equal(all.filter(Boolean).length, 1);
      assert.equal((await store.read('session', one.id))?.record.body, `body ${all.indexOf(true)}`);
    });

    test('replace on a record that is gone says false and does not bring it back', async () => {
      const one = await stored();
      const revision = await revisionOf(one);
      await store.remove('session', one.id);
      assert.equal(await store.replace(one, revision), false);
      assert.equal(await store.read('session', one.id), undefined);
    });

    test('the revision of a removed record does not fit the one that took its id', async () => {
      const one = await stored();
      const revision = await revisionOf(one);
      await store.remove('session', one.id);
      await store.create({ ...one, body: 'another life' });
      assert.equal(await store.replace(one, revision), false);
      assert.equal((await store.read('session', one.id))?.record.body, 'another life');
    });

    test('replace may move the end of a record', async () => {
      const one = await stored({ expiresAt: now() + shortMs });
      await store.replace({ ...one, expiresAt: now() + longMs }, await revisionOf(one));
      await made.advance(shortMs + 100);
      assert.notEqual(await store.read('session', one.id), undefined);
    });

    test('take returns the record and removes it', async () => {
      const one = await stored({ type: 'code' });
      assert.deepEqual(await store.take('code', one.id), one);
      assert.equal(await store.take('code', one.id), undefined);
      assert.equal(await store.read('code', one.id), undefined);
    });

    test('of ten that take one record at once, exactly one gets it', async () => {
      const one = await stored({ type: 'code' });
      const all = await Promise.all(Array.from({ length: 10 }, () => store.take('code', one.id)));
      assert.deepEqual(
        all.filter((taken) => taken !== undefined),
        [one],
      );
    });

    test('remove says whether there was a record', async () => {
      const one = await stored();
      assert.equal(await store.remove('session', one.id), true);
      assert.equal(await store.remove('session', one.id), false);
      assert.equal(await store.read('session', one.id), undefined);
    });

    test('find returns all records of a type whose index holds the value under the name, and no others', async () => {
      const [person, someoneElse] = [randomId(), randomId()];
      const mine = await Promise.all([
        stored({ index: { person } }),
        stored({ index: { person, provider: 'x' } }),
        stored({ index: { person } }),
      ]);
      await stored({ index: { person: someoneElse } });
      await stored({ index: { provider: person } });
      await stored({ type: 'code', index: { person } });
      await stored();
      assert.deepEqual(byId(await store.find('session', 'person', person)), byId(mine));
      assert.deepEqual(await store.find('session', 'sid', person), []);
      assert.deepEqual(await store.find('session', 'constructor', person), []);
    });

    test('find follows replace, and forgets what was taken or removed', async () => {
      const [before, after] = [randomId(), randomId()];
      const one = await stored({ index: { person: before } });
      const changed = { ...one, index: { person: after } };
      await store.replace(changed, await revisionOf(one));
      assert.deepEqual(await store.find('session', 'person', before), []);
      assert.deepEqual(await store.find('session', 'person', after), [changed]);
      await store.remove('session', one.id);
      assert.deepEqual(await store.find('session', 'person', after), []);
      const other = await stored({ index: { person: after } });
      await store.take('session', other.id);
      assert.deepEqual(await store.find('session', 'person', after), []);
    });

    /** All pages, with what `between` does after the first. */
    const paged = async (type: RecordType, between?: () => Promise<unknown>): Promise<readonly StoredRecord[]> => {
      const all: StoredRecord[] = [];
      let page = await store.page(type);
      await between?.();
      for (;;) {
        assert.ok(page.records.length <= maxPage, `a page holds ${page.records.length}`);
        all.push(...page.records);
        if (page.next === undefined) return all;
        page = await store.page(type, page.next);
      }
    };

    test('a few records are all on their pages, and none of another type', async () => {
      const ours = await Promise.all([stored(), stored(), stored({ type: 'notice' })]);
      const gone = await stored();
      await store.remove('session', gone.id);
      const [sessions, notices] = [await paged('session'), await paged('notice')];
      assert.deepEqual(pick(sessions, ours), byId(ours.slice(0, 2)));
      assert.deepEqual(pick(notices, ours), [ours[2]]);
      assert.deepEqual(pick(sessions, [gone]), []);
      assert.ok(sessions.every(({ type }) => type === 'session'));
    });

    test('of many records each that is there all the while is on a page, though others come and go between pages', async () => {
      const many = Array.from({ length: 2 * maxPage + 100 }, () => record());
      for (let start = 0; start < many.length; start += 100)
        await Promise.all(many.slice(start, start + 100).map((one) => store.create(one)));
      const going = many.filter((_, index) => index % 5 === 0);
      const staying = many.filter((_, index) => index % 5 !== 0);
      const between = async () => {
        for (let start = 0; start < going.length; start += 50) {
          await Promise.all(going.slice(start, start + 50).map(({ id }) => store.remove('session', id)));
          await Promise.all(going.slice(start, start + 50).map(() => stored()));
        }
      };
      assert.deepEqual(pick(await paged('session', between), staying), byId(staying));
    });

    test('an expired record is never returned, and its id is free', async () => {
      const person = randomId();
      const soon = { index: { person }, expiresAt: now() + shortMs };
      const [read, taken, removed, replaced] = await Promise.all([
        stored(soon),
        stored(soon),
        stored(soon),
        stored(soon),
      ]);
      const revision = await revisionOf(replaced);
      await made.advance(shortMs + 100);
      assert.equal(await store.read('session', read.id), undefined);
      assert.equal(await store.take('session', taken.id), undefined);
      assert.equal(await store.remove('session', removed.id), false);
      assert.equal(await store.replace({ ...replaced, expiresAt: now() + longMs }, revision), false);
      assert.deepEqual(await store.find('session', 'person', person), []);
      assert.deepEqual(pick(await paged('session'), [read, taken, removed, replaced]), []);
      assert.equal(await store.create({ ...read, expiresAt: now() + longMs }), true);
    });

    describe('watch', () => {
      const heard: RecordChange[] = [];
      let stop: () => void;
      before(() => {
        stop = store.watch((change) => void heard.push(change));
      });
      after(() => stop());
      const changesOf = (id: string) => heard.filter((news) => news.change !== 'unknown' && news.id === id);
      const hears = async (id: string, changes: readonly RecordChange['change'][], type: RecordType = 'session') => {
        const expected = changes.map((change) => ({ type, id, change }));
        const deadline = Date.now() + newsMs;
        while (changesOf(id).length < expected.length && Date.now() < deadline) await delay(10);
        assert.deepEqual(changesOf(id), expected);
      };

      test('hears of create, replace and remove, in order', async () => {
        const one = await stored();
        await store.replace({ ...one, body: 'new' }, await revisionOf(one));
        await store.remove('session', one.id);
        await hears(one.id, ['created', 'replaced', 'removed']);
      });

      test('hears of take as a removal, with the type', async () => {
        const one = await stored({ type: 'code' });
        await store.take('code', one.id);
        await hears(one.id, ['created', 'removed'], 'code');
      });

      test('hears nothing of what was refused', async () => {
        const one = await stored();
        const revision = await revisionOf(one);
        await store.create(one);
        await store.replace({ ...one, body: 'second' }, revision);
        await store.replace({ ...one, body: 'third' }, revision);
        await store.remove('session', one.id);
        await store.remove('session', one.id);
        await store.take('session', one.id);
        await hears(one.id, ['created', 'replaced', 'removed']);
        await delay(50);
        await hears(one.id, ['created', 'replaced', 'removed']);
      });

      test('hears once, and unasked, that a record has expired', async () => {
        const one = await stored({ expiresAt: now() + shortMs });
        await hears(one.id, ['created']);
        await made.advance(shortMs + 100);
        await hears(one.id, ['created', 'removed']);
        await store.read('session', one.id);
        await delay(50);
        await hears(one.id, ['created', 'removed']);
      });

      test('every listener hears, and none after it has stopped', async () => {
        const others: string[] = [];
        const stopOther = store.watch((news) => {
          if (news.change !== 'unknown') others.push(news.id);
        });
        const first = await stored();
        await hears(first.id, ['created']);
        assert.equal(others.filter((id) => id === first.id).length, 1);
        stopOther();
        stopOther();
        const second = await stored();
        await hears(second.id, ['created']);
        assert.equal(others.includes(second.id), false);
      });
    });
  });

  describe(`${name}, apart from others:`, () => {
    test(
      'a full store says so, keeps what it has, and takes more once there is room',
      { skip: uncapped && 'it has no cap of its own' },
      async () => {
        made = await makeStore({ max: 3 });
        ({ store } = made);
        const [first, second] = [await stored(), await stored()];
        const short = await stored({ expiresAt: now() + shortMs });
        await assert.rejects(store.create(record()), isStoreError('full'));
        assert.notEqual(await store.read('session', first.id), undefined);
        assert.equal(await store.create(first), false, 'a taken id is told as such, room or none');
        assert.equal(await store.replace({ ...first, body: 'new' }, await revisionOf(first)), true);
        await store.remove('session', second.id);
        await stored();
        await assert.rejects(store.create(record()), isStoreError('full'));
        await made.advance(shortMs + 100);
        assert.equal(await store.read('session', short.id), undefined);
        await stored();
        await store.close();
      },
    );

    test('a closed store answers nothing, tells nothing, and may be closed again', async () => {
      made = await makeStore();
      ({ store } = made);
      const one = await stored();
      const revision = await revisionOf(one);
      const heard: RecordChange[] = [];
      const stop = store.watch((change) => void heard.push(change));
      await store.close();
      await store.close();
      const unavailable = isStoreError('unavailable');
      await assert.rejects(store.create(record()), unavailable);
      await assert.rejects(store.read('session', one.id), unavailable);
      await assert.rejects(store.replace(one, revision), unavailable);
      await assert.rejects(store.take('session', one.id), unavailable);
      await assert.rejects(store.remove('session', one.id), unavailable);
      await assert.rejects(store.find('session', 'person', 'x'), unavailable);
      await assert.rejects(store.page('session'), unavailable);
      assert.deepEqual(heard, []);
      stop();
    });
  });
}

const randomId = () => randomBytes(16).toString('base64url');

/** Those of a list that are among others, each once. */
function pick(all: readonly StoredRecord[], among: readonly StoredRecord[]): readonly StoredRecord[] {
  const ids = new Set(among.map(({ id }) => id));
  return byId([...new Map(all.filter(({ id }) => ids.has(id)).map((one) => [one.id, one])).values()]);
}

const byId = (records: readonly StoredRecord[]) => records.toSorted((a, b) => a.id.localeCompare(b.id));

function isStoreError(code: StoreError['code']): (error: unknown) => boolean {
  return (error) => error instanceof StoreError && error.code === code;
}
