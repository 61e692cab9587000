// Ends once more what has ended before: a server that takes over may have missed what its predecessor removed last.
import { inBatches } from './batches.ts';
import type { Tombstone, Tombstones } from './tombstones.ts';

const tryAgainMs = 1_000;

export interface Burial {
  /** Begins, or begins anew; what fails is tried again until it is done. */
  begin(): void;
  close(): void;
}

export function createBurial(tombstones: Tombstones, end: (tombstone: Tombstone) => Promise<unknown>): Burial {
  let isDue = false;
  const bury = async () => {
    isDue = false;
    try {
      await inBatches(tombstones.all(), end);
    } catch {
      isDue = true;
    }
  };
  const timer = setInterval(() => {
    if (isDue) void bury();
  }, tryAgainMs).unref();
  return { begin: () => void bury(), close: () => clearInterval(timer) };
}
