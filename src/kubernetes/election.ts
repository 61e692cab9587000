// Which of several replicas leads: whoever holds the Lease, in terms that each ends by its own clocks.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger, Metrics } from '../telemetry.ts';
import { ApiError } from './client.ts';
import type { KubernetesClient } from './client.ts';
import { createLease } from './lease.ts';
import type { Timings } from './lease.ts';
import { startTerm, systemClocks } from './term.ts';
import type { Clocks, Moment, RunningTerm, Term } from './term.ts';

export interface ElectionOptions {
  readonly client: KubernetesClient;
  readonly namespace: string;
  /** Of the Lease. */
  readonly name: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clocks?: Clocks;
  readonly timings?: Timings;
}

/**
 * `Leading`; `Following`: somebody else leads, or nobody yet; `Forbidden`: the API server lets us have no Lease, so nobody
 * can know.
 */
export type Standing = 'Leading' | 'Following' | 'Forbidden';

export interface Election {
  standing(): Standing;
  /** Called at the beginning of each term of ours from now on, and at once within one. */
  onTerm(listener: (term: Term) => void): void;
  /** Ends the term and gives the Lease back, so that nobody waits for it to run out. */
  stop(): Promise<void>;
}

/** The numbers that client-go recommends, and all of Kubernetes' own components use. */
const clientGo: Timings = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };
/** Those who wait do not all ask in one moment: client-go's JitterFactor. */
const jitter = 1.2;
/** A right that is missing comes by hand. */
const forbiddenMs = 30_000;

export function startElection(options: ElectionOptions): Election {
  const { log, metrics, clocks = systemClocks, timings = clientGo } = options;
  const name = `${options.namespace}/${options.name}`;
  const identity = `${hostname()}_${randomUUID()}`;
  const lease = createLease({ ...options, identity, clocks, timings });
  const stopping = new AbortController();
  const listeners: ((term: Term) => void)[] = [];
  let term: RunningTerm | undefined;
  let isForbidden = false;
  let failures = 0;
  let leader: string | undefined;

  function follow(): void {
    term?.end('another replica has taken the Lease');
    if (leader === lease.holder()) return;
    leader = lease.holder();
    log.info({ lease: name, leader }, 'another replica leads');
  }

  function lead(from: Moment): void {
    if (term !== undefined) return term.extend(from, timings.renewDeadlineMs);
    const begun = startTerm(clocks);
    term = begun;
    begun.signal.addEventListener('abort', () => {
      term = undefined;
      metrics.leader.set(0);
      const reason = begun.signal.reason instanceof Error ? begun.signal.reason.message : '';
      log[stopping.signal.aborted ? 'info' : 'warn']({ lease: name, reason }, 'leads no longer');
    });
    begun.extend(from, timings.renewDeadlineMs);
    leader = identity;
    metrics.leader.set(1);
    log.info({ lease: name, leader }, 'leads');
    for (const listener of listeners) listener(begun);
  }

  function failed({ code, message }: ApiError): void {
    failures += 1;
    const what = { lease: name, code, reason: message, failures };
    if (code !== 'Forbidden') {
      return log[failures === 1 || failures % 10 === 0 ? 'warn' : 'debug'](what, 'the Lease cannot be had');
    }
    if (!isForbidden) log.warn(what, 'not permitted to use the Lease: this replica writes no statuses and no Events');
    isForbidden = true;
  }

  /** @returns How long to wait before the next. */
  async function attempt(): Promise<number> {
    try {
      const from = await lease.takeOrRenew(term !== undefined);
      failures = 0;
      isForbidden = false;
      if (stopping.signal.aborted) return 0;
      if (from === undefined) follow();
      else lead(from);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      failed(error);
    }
    if (term !== undefined) return timings.retryMs;
    return isForbidden ? forbiddenMs : timings.retryMs * (1 + Math.random() * jitter);
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const pauseMs = await attempt();
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  const running = run();
  return {
    standing: () => (term !== undefined ? 'Leading' : isForbidden ? 'Forbidden' : 'Following'),
    onTerm(listener) {
      listeners.push(listener);
      if (term !== undefined) listener(term);
    },
    async stop() {
      stopping.abort(new Error('the election was stopped'));
      term?.end('this replica stops');
      await running;
      await lease.release().catch((error: unknown) => log.debug({ err: error }, 'the Lease was not given back'));
    },
  };
}
