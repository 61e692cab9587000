// A term of leadership: how long it lasts by this process's own clocks, and a client that can write in no other time.
import type { KubernetesClient } from './client.ts';

export interface Term {
  /** Aborted at its end. */
  readonly signal: AbortSignal;
  /** @throws {Error} where the term has ended, though its timer may not have run yet. */
  check(): void;
}

export interface RunningTerm extends Term {
  /** Lasts until this long after a moment of `clocks.read()`. */
  extend(from: Moment, forMs: number): void;
  end(why: string): void;
}

/** The same moment by two clocks. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export interface Clocks {
  read(): Moment;
}

export const systemClocks: Clocks = { read: () => ({ monotonicMs: performance.now(), wallMs: Date.now() }) };

/**
 * A process may be stopped for longer than its term, and goes on in the middle of anything: so the clocks are asked at each
 * write, and the timer only ends what is under way. The monotonic clock counts time in which the process stood still, and
 * the wall's also what a machine was suspended for; whichever says more is believed.
 */
export function startTerm(clocks: Clocks): RunningTerm {
  const ending = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let last: { readonly from: Moment; readonly forMs: number } | undefined;

  function isOver(): boolean {
    if (ending.signal.aborted || last === undefined) return true;
    const now = clocks.read();
    const { from, forMs } = last;
    return Math.max(now.monotonicMs - from.monotonicMs, now.wallMs - from.wallMs) >= forMs;
  }

  function end(why: string): void {
    clearTimeout(timer);
    if (!ending.signal.aborted) ending.abort(new Error(why));
  }

  return {
    signal: ending.signal,
    check() {
      if (!isOver()) return;
      end('the Lease could not be renewed in time');
      throw ending.signal.reason;
    },
    extend(from, forMs) {
      last = { from, forMs };
      clearTimeout(timer);
      const leftMs = forMs - (clocks.read().monotonicMs - from.monotonicMs);
      timer = setTimeout(() => end('the Lease could not be renewed in time'), Math.max(0, leftMs));
    },
    end,
  };
}

/** The client for a term's writes: each is refused after its end, up to the moment that its bytes leave. */
export function withinTerm(client: KubernetesClient, term: Term): KubernetesClient {
  return {
    stream: client.stream,
    async request(method, path, options = {}) {
      const signal = options.signal === undefined ? term.signal : AbortSignal.any([options.signal, term.signal]);
      return client.request(method, path, { ...options, signal, beforeSending: term.check });
    },
  };
}
