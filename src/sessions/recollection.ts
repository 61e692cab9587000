// What was read of a store, and which of it may have changed since.
import type { RecordChange, RecordType, Revised, StoredRecord } from './store.ts';

export interface Recollection {
  /** `isFresh`: nothing was heard since that could have changed it. `found` is never expired. */
  recall(type: RecordType, id: string): { readonly found: Revised | undefined; readonly isFresh: boolean } | undefined;
  /** How much was heard so far; to be asked for before a read, and given with what it found. */
  mark(): number;
  /** Only sessions are remembered: a code is used once, a notice read once. */
  learn(type: RecordType, id: string, found: Revised | undefined, mark: number): void;
  /** Our own write: the content is known, the revision not. */
  rewrite(record: StoredRecord): void;
  hear(news: RecordChange): void;
}

interface Remembered {
  found: Revised | undefined;
  /** The last `unknown` before it was read; -1: it is known to be another by now. */
  doubts: number;
  readonly at: number;
}

const maxBytes = 64 * 2 ** 20;
const maxEntries = 50_000;
/** News that never came are made up for then, at the latest. */
const maxAgeMs = 600_000;
/** That there is none is believed for so long: whether the store answers is asked by such a read, for each sign-in. */
const absentMs = 1_000;
const maxEnded = 10_000;

export function createRecollection(now: () => number): Recollection {
  const entries = new Map<string, Remembered>();
  // Whatever was on its way when it ended does not bring it back.
  const ended = new Set<string>();
  let bytes = 0;
  let heard = 0;
  let doubts = 0;

  const keyOf = (type: RecordType, id: string) => `${type} ${id}`;

  function forget(key: string): void {
    bytes -= sizeOf(entries.get(key)?.found);
    entries.delete(key);
  }

  function remember(key: string, entry: Remembered): void {
    forget(key);
    entries.set(key, entry);
    bytes += sizeOf(entry.found);
    for (const oldest of entries.keys()) {
      if (entries.size <= maxEntries && bytes <= maxBytes) break;
      forget(oldest);
    }
  }

  function isFresh({ found, doubts: after, at }: Remembered): boolean {
    return after === doubts && now() - at < (found === undefined ? absentMs : maxAgeMs);
  }

  return {
    recall(type, id) {
      const key = keyOf(type, id);
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      if (entry.found !== undefined && entry.found.record.expiresAt <= now()) {
        forget(key);
        return undefined;
      }
      // The least recently used is forgotten first.
      entries.delete(key);
      entries.set(key, entry);
      return { found: entry.found, isFresh: isFresh(entry) };
    },
    mark: () => heard,
    learn(type, id, found, mark) {
      const key = keyOf(type, id);
      if (type !== 'session' || ended.has(key)) return;
      remember(key, { found, doubts: mark === heard ? doubts : -1, at: now() });
    },
    rewrite(record) {
      heard += 1;
      const key = keyOf(record.type, record.id);
      if (record.type !== 'session' || ended.has(key)) return;
      remember(key, { found: { record, revision: '' }, doubts: -1, at: now() });
    },
    hear(news) {
      heard += 1;
      if (news.change === 'unknown') {
        doubts += 1;
        return;
      }
      if (news.type !== 'session') return;
      const key = keyOf(news.type, news.id);
      const entry = entries.get(key);
      if (news.change === 'removed') {
        forget(key);
        ended.add(key);
        for (const oldest of ended) {
          if (ended.size <= maxEnded) break;
          ended.delete(oldest);
        }
        return;
      }
      if (news.change === 'created') ended.delete(key);
      if (entry?.found === undefined) forget(key);
      else entry.doubts = -1;
    },
  };
}

// Two bytes a letter at the most, and some for what is around it.
function sizeOf(found: Revised | undefined): number {
  return found === undefined ? 200 : 400 + found.record.body.length + found.record.listing.length;
}
