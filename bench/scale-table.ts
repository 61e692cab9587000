// The figures of a run at scale as the rows of its table, each held against what it must reach.
import { percentile } from './scale-traffic.ts';
import type { Traffic } from './scale-traffic.ts';

export interface Figures {
  /** What the API server alone takes to list; the start is what comes on top. */
  readonly listMs: number;
  readonly startMs: number;
  /** Hosts that did not serve yet when it was ready. */
  readonly late: number;
  readonly single: {
    readonly changes: number;
    readonly perSecond: number;
    readonly latenciesMs: readonly number[];
    readonly translated: number;
    readonly sent: number;
    readonly cpuSeconds: number;
  };
  readonly many: { readonly changes: number; readonly acknowledgedMs: number; readonly servedMs: number };
  readonly flow: {
    readonly calm: Traffic;
    readonly busy: Traffic;
    readonly astray: number;
    readonly changes: number;
    readonly perSecond: number;
    readonly seconds: number;
  };
  /** Megabytes. */
  readonly rss: { readonly atRest: number; readonly atEnd: number };
  /** Bytes. */
  readonly page: { readonly small: number; readonly large: number };
}

export interface Row {
  readonly what: string;
  readonly figure: string;
  readonly must: string;
  readonly aim: string;
  readonly verdict: string;
}

const verdictOf = (value: number, must: number, aim: number) =>
  value <= aim ? 'aim reached' : value <= must ? 'met' : '**missed**';
const ms = (value: number) => `${value.toFixed(0)} ms`;

export function rowsOf(figures: Figures): readonly Row[] {
  return [...rowsOfChanges(figures), ...rowsOfTraffic(figures.flow), ...rowsOfSize(figures)];
}

function rowsOfChanges({ listMs, startMs, late, single, many }: Figures): readonly Row[] {
  const [p50, p99] = [percentile(single.latenciesMs, 0.5), percentile(single.latenciesMs, 0.99)];
  return [
    {
      what: `start → every route serves, and ready, beyond the API server's own ${ms(listMs)} to list`,
      figure: `${(startMs / 1000).toFixed(1)} s (${late} routes after ready)`,
      must: '5 s',
      aim: '2 s',
      verdict: verdictOf(startMs, 5_000, 2_000),
    },
    {
      what: `one apply acknowledged → serving, p50 / p99, at ${single.perSecond} changes a second`,
      figure: `${ms(p50)} / ${ms(p99)}`,
      must: '20 / 80 ms',
      aim: '10 / 50 ms',
      verdict: p50 <= 10 && p99 <= 50 ? 'aim reached' : verdictOf(Math.max(p50 / 20, p99 / 80), 1, 0),
    },
    {
      what: `${many.changes} changes at once → all serving, after the last was acknowledged (${ms(many.acknowledgedMs)} after the first was sent)`,
      figure: ms(many.servedMs),
      must: '2 s',
      aim: '1 s',
      verdict: verdictOf(many.servedMs, 2_000, 1_000),
    },
  ];
}

function rowsOfTraffic({ calm, busy, astray, ...flow }: Figures['flow']): readonly Row[] {
  const [calm99, busy99] = [percentile(calm.latenciesMs, 0.99), percentile(busy.latenciesMs, 0.99)];
  const failures = [...busy.statuses]
    .filter(([status]) => status !== 200)
    .map(([status, times]) => `${times} × ${status}`);
  return [
    {
      what: `${flow.perSecond} requests a second over all hosts during ${flow.seconds} s of ${flow.changes} changes: failed / to an address gone for 1 s`,
      figure: `${busy.failed}${failures.length > 0 ? ` (${failures.join(', ')})` : ''} of ${busy.requests} / ${astray}`,
      must: '0 / 0',
      aim: '',
      verdict: busy.failed + astray === 0 ? 'met' : '**missed**',
    },
    {
      what: `their p99; without changes it is ${calm99.toFixed(1)} ms`,
      figure: `${busy99.toFixed(1)} ms, ${(busy99 / calm99).toFixed(2)}×`,
      must: '',
      aim: '1.5×',
      verdict: busy99 / calm99 <= 1.5 ? 'aim reached' : '**missed**',
    },
  ];
}

function rowsOfSize({ single, rss, page }: Figures): readonly Row[] {
  const cpuMs = (single.cpuSeconds / single.changes) * 1_000;
  return [
    {
      what: 'RSS of the one process that is control, auth and proxy: at rest / after all this',
      figure: `${rss.atRest.toFixed(0)} / ${rss.atEnd.toFixed(0)} MB`,
      must: '400 MB (control)',
      aim: '250 MB',
      verdict: verdictOf(Math.max(rss.atRest, rss.atEnd), 400, 250),
    },
    {
      what: `work for ${single.changes} changes, each to one host: Ingresses translated / hosts sent`,
      figure: `${single.translated} / ${single.sent}; ${ms(cpuMs)} of the processor each, with the requests that look`,
      must: 'only those',
      aim: '',
      verdict: single.translated === single.changes && single.sent === single.changes ? 'met' : '**missed**',
    },
    {
      // What it may grow by is the expiry of twenty certificates, however many there are.
      what: 'metrics page at 10 routes / now',
      figure: `${page.small} / ${page.large} bytes`,
      must: 'the same size',
      aim: '64 KB',
      verdict: page.large <= page.small + 4_096 ? verdictOf(page.large, 0, 65_536) : '**missed**',
    },
  ];
}
