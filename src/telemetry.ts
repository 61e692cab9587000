// The logger, and the name of every metric, in one place.
import { pino } from 'pino';
import type { Logger, LoggerOptions } from 'pino';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export type { Logger } from 'pino';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** JSON lines on stdout, or wherever `write` puts them: `time` in RFC 3339, `level` as a word, `msg`. */
export function createLogger(level: LogLevel, write?: (line: string) => void): Logger {
  const settings: LoggerOptions = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
  };
  return write === undefined ? pino(settings) : pino(settings, { write });
}

/** Every metric there is. Labels are closed lists: no host, path or person, so the page's size does not grow with use. */
export interface Metrics {
  readonly registry: Registry;
  /** By `outcome`: how the request ended (see proxy/handle). */
  readonly requests: Counter<'outcome'>;
  readonly requestSeconds: Histogram;
  /** By `reason` too: the first one of a refusal or of a sign-in asked for, `none` where there is none. */
  readonly decisions: Counter<'decision' | 'reason'>;
  /** What was decided, and what would have been, were everything in Audit enforced. */
  readonly trialDecisions: Counter<'decision' | 'trial'>;
  readonly openStreams: Gauge;
  /** By `outcome`: `Succeeded`, `Unavailable` or a SignInFailure. */
  readonly signIns: Counter<'outcome'>;
  /** By `outcome`: `Refreshed`, `Unavailable`, `Orphaned` or `Ended`. */
  readonly refreshes: Counter<'outcome'>;
  /** By `outcome`: `Read`, `Unavailable` or `Denied`. */
  readonly directoryReads: Counter<'outcome'>;
  /** By `groups`: `Stale`, or `Unknown`. */
  readonly directoryOutdated: Counter<'groups'>;
  /** Told by providers, by `channel` (`Back`, `Front`) and `outcome`: `Ended`, `NoSession`, `Refused`, `Replayed` or `Unavailable`. */
  readonly providerLogouts: Counter<'channel' | 'outcome'>;
  readonly rounds: Counter;
  readonly roundSeconds: Histogram;
  readonly translatedIngresses: Counter;
  readonly hostsSent: Counter;
  readonly tableHosts: Gauge;
  readonly diagnostics: Gauge<'severity'>;
  /** By `secret`, `namespace/name`: of those that expire first, twenty at the most. */
  readonly certificateExpiry: Gauge<'secret'>;
  /** By `resource`: seconds since the API server last said anything about it. */
  readonly watchSilenceSeconds: Gauge<'resource'>;
  readonly watchRestarts: Counter<'resource'>;
  readonly apiServerErrors: Counter;
  /** 1 while this replica holds the Lease. */
  readonly leader: Gauge;
  readonly storeSeconds: Histogram<'operation'>;
  /** By `code`: `unavailable`, `full` or `busy`. */
  readonly storeErrors: Counter<'code'>;
  /** 1, or 0 while it does not answer. */
  readonly storeUp: Gauge;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, labelNames: [...labelNames], registers });
  const gauge = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name, help, labelNames: [...labelNames], registers });
  const histogram = <L extends string = never>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly L[] = [],
  ) => new Histogram<L>({ name, help, buckets, labelNames: [...labelNames], registers });
  return {
    registry,
    requests: counter('sallyport_requests_total', 'Requests by how they ended.', ['outcome']),
    requestSeconds: histogram(
      'sallyport_request_seconds',
      'Time from request to end of answer.',
      [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60],
    ),
    decisions: counter('sallyport_decisions_total', 'Decisions, with the first reason of what was not allowed.', [
      'decision',
      'reason',
    ]),
    trialDecisions: counter(
      'sallyport_trial_decisions_total',
      'Decisions where something is in Audit, with what they would be without it.',
      ['decision', 'trial'],
    ),
    openStreams: gauge('sallyport_open_streams', 'Upgraded connections open now.'),
    signIns: counter('sallyport_sign_ins_total', 'Sign-ins by how they ended.', ['outcome']),
    refreshes: counter('sallyport_refreshes_total', 'Sessions refreshed at their provider, by how it ended.', [
      'outcome',
    ]),
    directoryReads: counter('sallyport_directory_reads_total', "Reads of a person's groups in a directory.", [
      'outcome',
    ]),
    directoryOutdated: counter(
      'sallyport_directory_outdated_total',
      'Times a session was opened with groups that a directory had not confirmed in time: the last ones known, or unknown ones.',
      ['groups'],
    ),
    providerLogouts: counter(
      'sallyport_provider_logouts_total',
      'Times that a provider said somebody had signed out there, by how it ended here.',
      ['channel', 'outcome'],
    ),
    rounds: counter('sallyport_rounds_total', 'Times the objects were translated.'),
    roundSeconds: histogram(
      'sallyport_round_seconds',
      'Time of one translation.',
      [0.0005, 0.002, 0.01, 0.05, 0.25, 1, 5],
    ),
    translatedIngresses: counter(
      'sallyport_translated_ingresses_total',
      'Ingresses translated: those that a change touched, and no other.',
    ),
    hostsSent: counter('sallyport_hosts_sent_total', 'Hosts that this proxy was sent, because they changed or went.'),
    tableHosts: gauge('sallyport_table_hosts', 'Hosts in the route table.'),
    diagnostics: gauge('sallyport_diagnostics', 'Things wrong with objects now.', ['severity']),
    certificateExpiry: gauge(
      'sallyport_certificate_expiry_timestamp_seconds',
      'When a certificate that is served expires: of the twenty that do so first.',
      ['secret'],
    ),
    watchSilenceSeconds: gauge(
      'sallyport_watch_silence_seconds',
      'Time since the API server last said anything about a resource.',
      ['resource'],
    ),
    watchRestarts: counter('sallyport_watch_restarts_total', 'Watches that had to be opened again.', ['resource']),
    apiServerErrors: counter('sallyport_api_server_errors_total', 'Requests to the API server that failed.'),
    leader: gauge('sallyport_leader', 'Whether this replica leads, and writes statuses and Events: 1, or 0.'),
    storeSeconds: histogram(
      'sallyport_store_seconds',
      'Time of one call to the session store, whatever its end.',
      [0.0005, 0.002, 0.01, 0.05, 0.25, 1, 5],
      ['operation'],
    ),
    storeErrors: counter('sallyport_store_errors_total', 'Calls to the session store that failed.', ['code']),
    storeUp: gauge('sallyport_store_up', 'Whether the session store answers: 1, or 0 while it is away.'),
  };
}
