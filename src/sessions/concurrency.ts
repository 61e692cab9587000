// No more than so many at once; the others wait for their turn.

export type Limited = <T>(work: () => Promise<T>) => Promise<T>;

export function limitConcurrency(max: number): Limited {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    // Whoever leaves hands the place on, so that nobody who comes later takes it.
    if (running < max) running += 1;
    else await new Promise<void>((resolve) => void waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
