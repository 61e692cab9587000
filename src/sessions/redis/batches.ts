// Many calls, a few at a time.

const size = 100;

/** Rejects with the first that does, and begins no further batch. */
export async function inBatches<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < all.length; start += size)
    results.push(...(await Promise.all(all.slice(start, start + size).map(work))));
  return results;
}
