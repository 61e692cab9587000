// What is done with records in Redis, without a thought for time limits and failures.
import type { RecordType, Revised, StoredRecord } from '../store.ts';
import type { Connection } from './connection.ts';
import { writeNews } from './news.ts';
import { channel, createScript, indexScript, replaceScript, run, takeScript } from './scripts.ts';
import type { Tombstones } from './tombstones.ts';
import { indexKey, lifeOf, newLife, parseValue, recordKey, writeValue } from './value.ts';

export interface Records {
  create(record: StoredRecord): Promise<boolean>;
  read(type: RecordType, id: string): Promise<Revised | undefined>;
  replace(record: StoredRecord, revision: string): Promise<boolean>;
  /** Ends a record, or one life of it alone, and returns it. */
  end(type: RecordType, id: string, life?: string): Promise<StoredRecord | undefined>;
  /** Ids of records that may be found by this; not every one lives, and an index may have changed. */
  candidates(type: RecordType, name: string, value: string): Promise<readonly string[]>;
  timeLeft(type: RecordType, id: string): Promise<number | undefined>;
}

export function createRecords(send: Connection['send'], tombstones: Tombstones, now: () => number): Records {
  /** Before the record itself: what the index misses, nobody can revoke. It may hold too much, and `find` looks closer. */
  const writeIndex = ({ type, id, index, expiresAt }: StoredRecord) =>
    Promise.all(
      Object.entries(index).map(([name, value]) =>
        run(send, indexScript, indexKey(type, name, value), [id, String(expiresAt), String(now())]),
      ),
    );
  /** Time to live is relative: the clock of Redis need not agree with ours. */
  const lifetime = (record: StoredRecord, change: 'created' | 'replaced') => {
    const leftMs = Math.max(1, Math.ceil(record.expiresAt - now()));
    return [String(leftMs), channel, writeNews({ change, type: record.type, id: record.id, leftMs })];
  };
  const end = async (type: RecordType, id: string, life = '') => {
    const args = [life, channel, writeNews({ change: 'removed', type, id })];
    const mark = tombstones.mark();
    const answer = await run(send, takeScript, recordKey(type, id), args);
    const found = Array.isArray(answer) ? parseValue(type, id, answer[0]) : undefined;
    if (found === undefined) return undefined;
    const ended = { type, id, life: lifeOf(found.revision), until: found.record.expiresAt };
    const dead = tombstones.has(ended.life, mark) || ended.until <= now();
    tombstones.add(ended);
    return dead ? undefined : found.record;
  };
  return {
    async create(record) {
      await writeIndex(record);
      const args = [writeValue(newLife(), record), ...lifetime(record, 'created')];
      return (await run(send, createScript, recordKey(record.type, record.id), args)) === 1;
    },
    async read(type, id) {
      const key = recordKey(type, id);
      const found = parseValue(type, id, await send(key, ['GET', key]));
      if (found === undefined || found.record.expiresAt <= now()) return undefined;
      const life = lifeOf(found.revision);
      if (!tombstones.has(life)) return found;
      await end(type, id, life);
      return undefined;
    },
    async replace(record, revision) {
      const life = lifeOf(revision);
      if (tombstones.has(life)) return false;
      await writeIndex(record);
      const args = [`${revision} `, writeValue(life, record), ...lifetime(record, 'replaced')];
      return (await run(send, replaceScript, recordKey(record.type, record.id), args)) === 1;
    },
    end,
    async candidates(type, name, value) {
      const key = indexKey(type, name, value);
      const ids = await send(key, ['ZRANGEBYSCORE', key, String(now()), '+inf']);
      return Array.isArray(ids) ? ids.map(String) : [];
    },
    async timeLeft(type, id) {
      const key = recordKey(type, id);
      const leftMs = Number(await send(key, ['PTTL', key]));
      return leftMs > 0 ? leftMs : undefined;
    },
  };
}
