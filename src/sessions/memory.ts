// The store that lives and dies with the process: for development, tests, and a first try.
import { maxPage, StoreError } from './store.ts';
import type { RecordChange, RecordPage, RecordType, Revised, Store, StoredRecord } from './store.ts';

export interface MemoryStoreOptions {
  /** Records held at the most; `create` throws `full` past it. */
  readonly max?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const sweepEveryMs = 1_000;

/** `born` counts creations: a record keeps its place when it is replaced, and pages go by it. */
interface Held extends Revised {
  readonly born: number;
}

export function createMemoryStore({ max = 50_000, now = Date.now }: MemoryStoreOptions = {}): Store {
  const records = new Map<string, Held>();
  const listeners = new Set<(change: RecordChange) => void>();
  let revisions = 0;
  let closed = false;

  const key = (type: RecordType, id: string) => `${type} ${id}`;
  const tell = ({ type, id }: StoredRecord, change: Exclude<RecordChange['change'], 'unknown'>) => {
    for (const listener of listeners) listener({ type, id, change });
  };
  const write = (record: StoredRecord) => {
    revisions += 1;
    const name = key(record.type, record.id);
    const born = records.get(name)?.born ?? revisions;
    records.set(name, { record, revision: String(revisions), born });
  };
  const drop = (record: StoredRecord) => {
    records.delete(key(record.type, record.id));
    tell(record, 'removed');
  };
  const assertOpen = () => {
    if (closed) throw new StoreError('unavailable', 'the memory store is closed');
  };
  const live = (type: RecordType, id: string): Revised | undefined => {
    assertOpen();
    const found = records.get(key(type, id));
    if (found === undefined) return undefined;
    const { record, revision } = found;
    if (record.expiresAt > now()) return { record, revision };
    drop(record);
    return undefined;
  };
  const sweep = () => {
    for (const { record } of records.values()) if (record.expiresAt <= now()) drop(record);
  };
  const sweeper = setInterval(sweep, sweepEveryMs).unref();

  return {
    async create(record) {
      if (live(record.type, record.id) !== undefined) return false;
      if (records.size >= max) sweep();
      if (records.size >= max) throw new StoreError('full', `the memory store holds ${max} records, its maximum`);
      write(record);
      tell(record, 'created');
      return true;
    },
    async read(type, id) {
      return live(type, id);
    },
    async replace(record, revision) {
      if (live(record.type, record.id)?.revision !== revision) return false;
      write(record);
      tell(record, 'replaced');
      return true;
    },
    async take(type, id) {
      const found = live(type, id);
      if (found !== undefined) drop(found.record);
      return found?.record;
    },
    async remove(type, id) {
      const found = live(type, id);
      if (found !== undefined) drop(found.record);
      return found !== undefined;
    },
    async find(type, name, value) {
      assertOpen();
      sweep();
      return [...records.values()]
        .map(({ record }) => record)
        .filter((record) => record.type === type && record.index[name] === value);
    },
    async page(type, cursor = '0') {
      assertOpen();
      sweep();
      return pageOf(records.values(), type, Number(cursor));
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closed = true;
      clearInterval(sweeper);
      listeners.clear();
      records.clear();
    },
  };
}

// A Map keeps the order in which its keys came.
function pageOf(all: Iterable<Held>, type: RecordType, after: number): RecordPage {
  const left = [...all].filter(({ record, born }) => record.type === type && born > after);
  const page = left.slice(0, maxPage);
  const last = page.at(-1);
  const next = left.length > page.length && last !== undefined ? { next: String(last.born) } : {};
  return { records: page.map(({ record }) => record), ...next };
}
