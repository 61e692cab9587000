// Waits for a replica to have what was written, where there is one.
import type { Connection } from './connection.ts';
import { within } from './patience.ts';

/** A replica that lags, or none at all, must not hold up every sign-out: what follows a WAIT waits with it. */
const [waitMs, askAgainMs] = [100, 30_000];

/** Best effort: a replica that lags is left alone for a while. */
export function createAcknowledgement(send: Connection['send'], now: () => number): (key: string) => Promise<void> {
  let askAgainAt = 0;
  return async (key) => {
    if (now() < askAgainAt) return;
    const replicas = await within(2 * waitMs, send(key, ['WAIT', '1', String(waitMs)])).catch(() => 0);
    if (replicas === 0) askAgainAt = now() + askAgainMs;
  };
}
