// Asking for many things, a few at a time: what fails is asked for again after a pause, and meanwhile takes no turn of the others.
import type { Clock } from './watch.ts';

export interface Turns {
  /** Asks for what a key names, if that is wanted, as soon as it has a turn. */
  want(key: string): void;
  /** Has a key wait before it is asked for again, longer with each time in a row; returns how often that was. */
  pause(key: string): number;
  /** Ends a pause: there is something new to ask for. */
  wake(key: string): void;
  /** Ends a pause, and forgets the failures before. */
  forgive(key: string): void;
  /** Aborts the signal that was handed to `ask`, and waits for what is under way. */
  stop(): Promise<void>;
}

const maxConcurrent = 8;
const minBackoffMs = 800;
const maxBackoffMs = 30_000;

export function takeTurns(options: {
  isWanted(key: string): boolean;
  /** Called once at a time for each key. What is still wanted afterwards, and does not pause, is asked for again. */
  ask(key: string, signal: AbortSignal): Promise<void>;
  readonly clock: Clock;
}): Turns {
  const { isWanted, ask, clock } = options;
  const stopping = new AbortController();
  const waiting = new Set<string>();
  const running = new Map<string, Promise<void>>();
  const failures = new Map<string, number>();
  const pauses = new Map<string, AbortController>();

  function want(key: string): void {
    if (isWanted(key) && !pauses.has(key)) waiting.add(key);
    for (const next of waiting) {
      if (running.size >= maxConcurrent || stopping.signal.aborted) return;
      if (running.has(next)) continue;
      waiting.delete(next);
      const done = takeTurn(next).finally(() => {
        running.delete(next);
        want(next);
      });
      running.set(next, done);
    }
  }

  async function takeTurn(key: string): Promise<void> {
    if (isWanted(key) && !pauses.has(key)) await ask(key, stopping.signal);
  }

  async function sit(key: string, failed: number): Promise<void> {
    const wake = new AbortController();
    pauses.set(key, wake);
    const ceilingMs = Math.min(maxBackoffMs, minBackoffMs * 2 ** failed);
    const pauseMs = minBackoffMs + clock.random() * (ceilingMs - minBackoffMs);
    await clock.sleep(pauseMs, AbortSignal.any([stopping.signal, wake.signal]));
    pauses.delete(key);
    want(key);
  }

  return {
    want,
    pause(key) {
      const failed = (failures.get(key) ?? 0) + 1;
      failures.set(key, failed);
      void sit(key, failed);
      return failed;
    },
    wake(key) {
      pauses.get(key)?.abort();
    },
    forgive(key) {
      failures.delete(key);
      pauses.get(key)?.abort();
    },
    async stop() {
      stopping.abort(new Error('the inventory was stopped'));
      await Promise.all(running.values());
    },
  };
}
