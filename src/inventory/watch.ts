// One kind's list and watch: it survives whatever the API server or the network does, and never gives up.
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../kubernetes/client.ts';
import type { Logger, Metrics } from '../telemetry.ts';
import type { RawObject } from './cache.ts';
import { listObjects, watchEvents } from './listing.ts';
import type { ListKind, Selection } from './listing.ts';
import { nextStep } from './steps.ts';
import type { StepResult, Step } from './steps.ts';

/** Time and chance, so that tests can hold both. */
export interface Clock {
  /** Milliseconds that never run backwards. */
  readonly now: () => number;
  /** Resolves early where the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** From 0 to below 1. */
  readonly random: () => number;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {}),
  random: Math.random,
};

/** Who is told what the watch sees. */
export interface WatchSink {
  /** All objects there are; whatever was known and is not among them has gone, perhaps unseen during a gap. */
  listed(objects: readonly RawObject[], resourceVersion: string): void;
  changed(object: RawObject): void;
  deleted(object: RawObject): void;
  /** Of an optional kind: we may not look, and whatever was known can be relied on no longer. */
  forbidden(): void;
  /** Whether changes are told as they happen: not between the end of one watch and the beginning of the next. */
  hearing?(hearing: boolean): void;
}

export interface WatchOptions extends Selection {
  /** A kind that we may be forbidden to see: nothing waits for it then. */
  readonly optional?: boolean;
  readonly sink: WatchSink;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock?: Clock;
  /**
   * How long a watch may be silent. The API server sends a bookmark about once a minute, so after two and a half
   * minutes nobody is there: waiting for the server's own `timeoutSeconds` would leave us deaf for more than five.
   */
  readonly idleMs?: number;
}

export interface Watch {
  /** Resolves after the first list. */
  readonly synced: Promise<void>;
  /** By the clock's milliseconds. */
  lastHeardAt(): number;
  stop(): Promise<void>;
}

const defaultIdleMs = 150_000;

export function watchKind(options: WatchOptions): Watch {
  const { type, sink } = options;
  const { idleMs = defaultIdleMs, optional = false, clock = systemClock } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const log = options.log.child({
    resource: type.resource,
    ...(options.namespace !== undefined && { namespace: options.namespace }),
  });
  const synced = Promise.withResolvers<void>();
  let heardAt = clock.now();
  let failures = 0;

  async function list(how: ListKind): Promise<StepResult> {
    const { objects, resourceVersion } = await listObjects(options, how, signal);
    heardAt = clock.now();
    sink.listed(objects, resourceVersion);
    synced.resolve();
    return { kind: 'Listed', resourceVersion };
  }

  async function watch(from: string): Promise<StepResult> {
    const startedAt = clock.now();
    let resourceVersion = from;
    const onOpen = () => sink.hearing?.(true);
    try {
      for await (const event of watchEvents(options, from, { idleMs, random: clock.random(), signal, onOpen })) {
        if (event.type === 'Changed') sink.changed(event.object);
        if (event.type === 'Deleted') sink.deleted(event.object);
        resourceVersion = event.resourceVersion;
        heardAt = clock.now();
        if (failures > 0) log.info({ failures }, 'watch recovered');
        failures = 0;
      }
      return { kind: 'Closed', resourceVersion, lastedMs: clock.now() - startedAt };
    } catch (error) {
      return { kind: 'Failed', error: asApiError(error), resourceVersion };
    } finally {
      sink.hearing?.(false);
    }
  }

  async function run(): Promise<void> {
    let step: Step = { at: 'List', how: 'Cached' };
    while (!signal.aborted) {
      const outcome: StepResult =
        step.at === 'Watch'
          ? await watch(step.resourceVersion)
          : await list(step.how).catch((error: unknown): StepResult => ({ kind: 'Failed', error: asApiError(error) }));
      if (signal.aborted) return;
      const next = nextStep(step, outcome, failures, { optional, random: clock.random });
      if (next.failures > failures) {
        options.metrics.watchRestarts.inc({ resource: type.resource });
        reportFailure(log, step, outcome, next, optional);
      }
      if (optional && outcome.kind === 'Failed' && outcome.error.code === 'Forbidden') {
        // An answer, too: it is not silence that the metric should show.
        heardAt = clock.now();
        sink.forbidden();
        synced.resolve();
      }
      ({ step, failures } = next);
      if (next.delayMs > 0) await clock.sleep(next.delayMs, signal);
    }
  }

  const running = run();
  return {
    synced: synced.promise,
    lastHeardAt: () => heardAt,
    async stop() {
      stopping.abort(new Error('the watch was stopped'));
      await running;
    },
  };
}

/** One line when it begins, one for every tenth failure in a row; the others on demand. */
function reportFailure(
  log: Logger,
  step: Step,
  outcome: StepResult,
  next: { readonly failures: number; readonly delayMs: number },
  optional: boolean,
): void {
  const error = outcome.kind === 'Failed' ? outcome.error : undefined;
  const what = {
    at: step.at,
    ...(error !== undefined && { code: error.code }),
    reason: error?.message ?? 'the server closed the watch at once',
    failures: next.failures,
    retryMs: Math.round(next.delayMs),
  };
  const level = next.failures === 1 || next.failures % 10 === 0 ? 'warn' : 'debug';
  if (optional && error?.code === 'Forbidden') {
    log[next.failures === 1 ? 'warn' : 'debug'](what, 'not permitted to read this kind: nothing is known of it');
  } else if (step.at === 'List' && error?.code === 'NotFound') {
    log[level](what, 'the API server does not know this kind; are the CRDs installed?');
  } else {
    log[level](what, 'watch failed');
  }
}

/** Anything else is a defect of ours, and ends the process. */
function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  throw error;
}
