// Which records have ended before their time: a server that missed it, as after a failover, must not bring them back.
//
// They are kept in each process and not in Redis: a tombstone there would travel with the removal itself, and be lost with it.
import type { RecordType } from '../store.ts';

export interface Tombstone {
  readonly type: RecordType;
  readonly id: string;
  /** Tells the record from a later one under the same id. */
  readonly life: string;
  /** When it would have expired, milliseconds since the epoch. */
  readonly until: number;
}

/** About 20 MB; past it the oldest go. */
const maxTombstones = 100_000;
/** Most are of one-time codes, and over within a minute. */
const sweepEvery = 1_000;

export interface Tombstones {
  add(tombstone: Tombstone): void;
  /** With a mark: whether it had ended by then. */
  has(life: string, mark?: number): boolean;
  /** Now, for a later `has`: the news of a removal may come before the answer to it. */
  mark(): number;
  /** Those whose records would still live. */
  all(): readonly Tombstone[];
}

export function createTombstones(now: () => number): Tombstones {
  const byLife = new Map<string, Tombstone & { readonly number: number }>();
  let count = 0;
  const sweep = () => {
    for (const [life, { until }] of byLife) if (until <= now()) byLife.delete(life);
  };
  return {
    add(tombstone) {
      if (byLife.has(tombstone.life)) return;
      if (count % sweepEvery === 0) sweep();
      const [oldest] = byLife.keys();
      if (byLife.size >= maxTombstones && oldest !== undefined) byLife.delete(oldest);
      count += 1;
      byLife.set(tombstone.life, { ...tombstone, number: count });
    },
    has: (life, mark = count) => (byLife.get(life)?.number ?? Number.POSITIVE_INFINITY) <= mark,
    mark: () => count,
    all() {
      sweep();
      return [...byLife.values()];
    },
  };
}
