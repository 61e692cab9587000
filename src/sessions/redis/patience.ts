// How long is waited: for an answer, and before another try.
import { StoreError } from '../store.ts';

/** @throws {StoreError} `unavailable`, once the time is over; what was begun goes on without us. */
export async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new StoreError('unavailable', `Redis gave no answer within ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const [minPauseMs, maxPauseMs] = [50, 2_000];

/** Grows with each failure in a row, and is spread so that replicas of ours do not come back all at once. */
export function pauseMs(failures: number): number {
  const ceilingMs = Math.min(maxPauseMs, minPauseMs * 2 ** Math.min(failures, 10));
  return minPauseMs + Math.random() * (ceilingMs - minPauseMs);
}
