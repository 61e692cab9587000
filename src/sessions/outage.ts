// Whether a store answers, and takes writes: since when it does not, how long that is borne, and one line in the log for each change.
import type { Logger, Metrics } from '../telemetry.ts';
import { StoreError } from './store.ts';

export interface Outage {
  /** Passes an answer on, and notes what it says of the store. A store may answer questions and yet take no writes. */
  note<T>(answer: Promise<T>, of: 'reading' | 'writing'): Promise<T>;
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
  let isAwayTold = false;
  let isOverTold = false;
  let refusesWrites = false;
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
    if (isAwayTold) log.info({ awayMs: now() - awaySince }, 'the session store is back');
    awaySince = undefined;
    isAwayTold = false;
    metrics.storeUp.set(refusesWrites ? 0 : 1);
  }

  function isAway(reason: string): void {
    awaySince ??= now();
    if (isAwayTold) return;
    isAwayTold = true;
    isOverTold = false;
    timer = setInterval(look, probeEveryMs).unref();
    metrics.storeUp.set(0);
    log.warn({ reason, graceMs: graceMs() }, 'the session store is away: live sessions go on, and nobody can sign in');
  }

  /** It is taken to be away until a question has told whether it is, or takes no writes alone. */
  async function isRefused(reason: string): Promise<void> {
    if (awaySince !== undefined || refusesWrites) return;
    awaySince = now();
    metrics.storeUp.set(0);
    try {
      await note(probe(), 'reading');
    } catch {
      return;
    }
    refusesWrites = true;
    metrics.storeUp.set(0);
    log.warn({ reason }, 'the session store takes no writes: live sessions go on, and nobody can sign in');
  }

  function isWritten(): void {
    isBack();
    if (!refusesWrites) return;
    refusesWrites = false;
    metrics.storeUp.set(1);
    log.info('the session store takes writes again');
  }

  function look(): void {
    if (state() === 'Over' && !isOverTold) {
      isOverTold = true;
      log.warn('the session store is away for too long: sessions are no longer believed');
    }
    if (probing) return;
    probing = true;
    void note(probe(), 'reading')
      .catch(() => undefined)
      .finally(() => (probing = false));
  }

  async function note<T>(answer: Promise<T>, of: 'reading' | 'writing'): Promise<T> {
    const answers = of === 'reading' ? isBack : isWritten;
    try {
      const given = await answer;
      answers();
      return given;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      // That much is asked by strangers says nothing of the store.
      if (error.code === 'busy') throw error;
      if (error.code !== 'unavailable') answers();
      else if (of === 'reading') isAway(error.message);
      else void isRefused(error.message);
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
