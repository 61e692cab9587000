// Tells when records expire, of which Redis itself says nothing: those that this process has read or heard of.
import type { RecordType } from '../store.ts';

/** About 20 MB; past it the oldest are forgotten, and nobody is told of their end. */
const maxKnown = 100_000;
const sweepEveryMs = 1_000;

interface Known {
  readonly type: RecordType;
  readonly id: string;
  readonly expiresAt: number;
}

export interface Expiries {
  set(type: RecordType, id: string, expiresAt: number): void;
  delete(type: RecordType, id: string): void;
  close(): void;
}

export interface ExpiriesOptions {
  readonly now: () => number;
  /** How long a record lives on, in milliseconds; none: it is gone. It may have been replaced, and we missed the news. */
  readonly timeLeft: (type: RecordType, id: string) => Promise<number | undefined>;
  readonly onExpired: (type: RecordType, id: string) => void;
}

export function createExpiries({ now, timeLeft, onExpired }: ExpiriesOptions): Expiries {
  const known = new Map<string, Known>();
  const set = (type: RecordType, id: string, expiresAt: number) => {
    known.set(`${type} ${id}`, { type, id, expiresAt });
    if (known.size <= maxKnown) return;
    const [oldest] = known.keys();
    if (oldest !== undefined) known.delete(oldest);
  };
  const check = async ({ type, id }: Known) => {
    try {
      const leftMs = await timeLeft(type, id);
      if (leftMs === undefined) onExpired(type, id);
      else set(type, id, now() + leftMs);
    } catch {
      set(type, id, now());
    }
  };
  const sweep = () => {
    const over = [...known].filter(([, { expiresAt }]) => expiresAt <= now());
    for (const [key, one] of over) {
      known.delete(key);
      void check(one);
    }
  };
  const sweeper = setInterval(sweep, sweepEveryMs).unref();
  return {
    set,
    delete: (type, id) => known.delete(`${type} ${id}`),
    close: () => clearInterval(sweeper),
  };
}
