// So many of something in a second, and twice as many at once.

export interface Allowance {
  /** `false`: that was too many. */
  take(): boolean;
}

/** @param now Milliseconds. */
export function createAllowance(perSecond: number, now: () => number): Allowance {
  let left = 2 * perSecond;
  let countedAt = now();
  return {
    take() {
      const at = now();
      left = Math.min(2 * perSecond, left + (Math.max(0, at - countedAt) * perSecond) / 1_000);
      countedAt = at;
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}
