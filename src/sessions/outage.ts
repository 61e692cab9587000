// Whether a store answers: since when it does not, how long that is borne, and one line in the log for each change.
import type { Logger, Metrics } from '../telemetry.ts';
import { StoreError } from './store.ts';

export interface Outage {
  /** Passes an answer on, and notes what it says of the store. */
  note<T>(answer: Promise<T>): Promise<T>;
  /** `InGrace`: it is away, and what is remembered is good for now. */
  readonly state: 'Reachable' | 'InGrace' | 'Over';
  close(): void;
}

export interface OutageOptions {
  readonly graceMs: () => number;
  /** Asks the store for anything, to learn that it is back. */
  readonly probe: () => Promise<unknown>;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'storeUp'>;
  readonly now: () => number;
}

const probeEveryMs = 1_000;

export function createOutage({ graceMs, probe, log, metrics, now }: OutageOptions): Outage {
  let awaySince: number | undefined;
  let isOverTold = false;
  let probing = false;
  let timer: NodeJS.Timeout | undefined;
  metrics.storeUp.set(1);

  const state = (): Outage['state'] => {
    if (awaySince === undefined) return 'Reachable';
    return now() - awaySince < graceMs() ? 'InGrace' : 'Over';
  };

  function isBack(): void {
    if (awaySince === undefined) return;
    clearInterval(timer);
    log.info({ awayMs: now() - awaySince }, 'the session store is back');
    awaySince = undefined;
    metrics.storeUp.set(1);
  }

  function isAway(reason: string): void {
    if (awaySince !== undefined) return;
    awaySince = now();
    isOverTold = false;
    timer = setInterval(look, probeEveryMs).unref();
    metrics.storeUp.set(0);
    log.warn({ reason, graceMs: graceMs() }, 'the session store is away: live sessions go on, and nobody can sign in');
  }

  function look(): void {
    if (state() === 'Over' && !isOverTold) {
      isOverTold = true;
      log.warn('the session store is away for too long: sessions are no longer believed');
    }
    if (probing) return;
    probing = true;
    void note(probe())
      .catch(() => undefined)
      .finally(() => (probing = false));
  }

  async function note<T>(answer: Promise<T>): Promise<T> {
    try {
      const given = await answer;
      isBack();
      return given;
    } catch (error) {
      if (error instanceof StoreError && error.code === 'unavailable') isAway(error.message);
      else if (error instanceof StoreError) isBack();
      throw error;
    }
  }

  return {
    note,
    get state() {
      return state();
    },
    close: () => clearInterval(timer),
  };
}
