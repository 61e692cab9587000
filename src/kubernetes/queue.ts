// Writes that wait their turn: bounded in number, concurrency and rate, tried again after a failure, forgotten when refused.
import type { Logger } from '../telemetry.ts';
import { ApiError } from './client.ts';

export interface Job {
  /** Whom it is about, for logs. */
  readonly what: string;
  readonly send: (signal: AbortSignal) => Promise<void>;
}

export interface WriteQueue {
  /** In place of a job with the same key that still waits. False: there is no room. */
  add(key: string, job: Job): boolean;
  drop(key: string): void;
  /** Ends requests under way; what waits is not sent. */
  stop(): Promise<void>;
}

export interface QueueLimits {
  readonly waiting: number;
  readonly concurrent: number;
  readonly perMinute: number;
}

const minBackoffMs = 800;
const maxBackoffMs = 30_000;
const maxRetryAfterMs = 120_000;

/** @param now Milliseconds since any moment. */
export function createWriteQueue(limits: QueueLimits, log: Logger, now: () => number): WriteQueue {
  const stopping = new AbortController();
  const waiting = new Map<string, Job>();
  const running = new Map<string, Promise<void>>();
  const startedAt: number[] = [];
  let failures = 0;
  let pause: NodeJS.Timeout | undefined;

  function pump(): void {
    for (const [key, job] of waiting) {
      if (!mayStart()) return;
      // Writes to one object follow each other.
      if (running.has(key)) continue;
      waiting.delete(key);
      startedAt.push(now());
      running.set(key, run(key, job));
    }
  }

  function mayStart(): boolean {
    if (stopping.signal.aborted || pause !== undefined || running.size >= limits.concurrent) return false;
    while (startedAt.length > 0 && now() - (startedAt[0] ?? 0) >= 60_000) startedAt.shift();
    if (startedAt.length < limits.perMinute) return true;
    pauseFor(60_000 - (now() - (startedAt[0] ?? 0)));
    return false;
  }

  /** Begins a moment later, when the key counts as running. */
  async function run(key: string, job: Job): Promise<void> {
    await Promise.resolve();
    await attempt(key, job);
    running.delete(key);
    pump();
  }

  async function attempt(key: string, job: Job): Promise<void> {
    try {
      await job.send(stopping.signal);
      failures = 0;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!stopping.signal.aborted) failed(key, job, error);
    }
  }

  function failed(key: string, job: Job, error: ApiError): void {
    const { code, message } = error;
    // The object went, or another of the same name took its place.
    if (code === 'NotFound' || code === 'Conflict') return;
    // To ask again would change nothing.
    if (code === 'Forbidden' || code === 'Invalid')
      return log.warn({ object: job.what, code, message }, 'write refused');
    failures += 1;
    if (failures === 1 || failures % 10 === 0) {
      log.warn({ object: job.what, code, message, failures }, 'write delayed');
    }
    if (!waiting.has(key)) waiting.set(key, job);
    const ceilingMs = Math.min(maxBackoffMs, minBackoffMs * 2 ** failures);
    const backoffMs = minBackoffMs + Math.random() * (ceilingMs - minBackoffMs);
    pauseFor(Math.max(backoffMs, Math.min(error.retryAfterMs ?? 0, maxRetryAfterMs)));
  }

  function pauseFor(ms: number): void {
    clearTimeout(pause);
    pause = setTimeout(() => {
      pause = undefined;
      pump();
    }, ms);
  }

  return {
    add(key, job) {
      if (waiting.size >= limits.waiting && !waiting.has(key)) return false;
      waiting.set(key, job);
      pump();
      return true;
    },
    drop(key) {
      waiting.delete(key);
    },
    async stop() {
      stopping.abort(new Error('the queue was stopped'));
      clearTimeout(pause);
      await Promise.all(running.values());
    },
  };
}
