// Durations as Kubernetes objects spell them.
import { z } from 'zod';

/** Milliseconds of a duration such as `1h30m`, which its schema has already accepted. */
export function parseDuration(text: string): number {
  const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9]+)(ms|s|m|h)/g)) {
    total += Number(amount) * unitMs[unit as keyof typeof unitMs];
  }
  return total;
}

const maxDurationMs = 720 * 3_600_000;

/** Go's duration syntax without fractions: `90s`, `1h30m`. Longer ones would overflow timers, and none at all is no time. */
export const duration = z
  .string()
  .max(32)
  .regex(/^([0-9]{1,6}(ms|s|m|h))+$/, { error: 'a duration is wanted, such as 30s, 5m or 1h30m', abort: true })
  .refine((text) => parseDuration(text) > 0 && parseDuration(text) <= maxDurationMs, {
    error: 'a duration above zero and of at most 720h is wanted',
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: "duration(self) > duration('0s') && duration(self) <= duration('720h')",
        message: 'a duration above zero and of at most 720h is wanted',
      },
    ],
  });
