// `sallyport check DIR --replay LOG`: logged decisions, judged anew under the policies of a folder.
import type { DecisionLine } from '../model/decision-line.ts';
import type { HostRoutes, Route, RouteTable } from '../model/route.ts';
import { defaultClassSettings } from '../model/settings.ts';
import type { Cause, Decision } from '../model/verdict.ts';
import { evaluate } from '../policy/evaluate.ts';
import { explain } from '../policy/explain.ts';
import { matchRoute } from '../proxy/match.ts';
import { readDecisions } from './decisions.ts';
import type { DecisionsRead } from './decisions.ts';
import { factsOfLine, missingFor } from './logged-facts.ts';
import type { Missing } from './logged-facts.ts';
import { printable } from './layout.ts';
import { onlyRefusals } from './report.ts';
import { count, createTallies, describeCause, describeWhen, describeWho } from './tally.ts';
import type { Tally } from './tally.ts';

interface ChangeKey {
  readonly from: Decision;
  readonly to: Decision | 'NoRoute';
  /** The route of the folder; where it has none, the one that the log names. */
  readonly route: string;
  readonly policy?: string;
  readonly rule?: string;
  readonly fault?: string;
}

interface UnjudgedKey {
  readonly route: string;
  /** What a decision there hangs on, and no line holds. */
  readonly missing: readonly Missing[];
}

export interface Replay {
  readonly log: DecisionsRead;
  readonly same: number;
  readonly changed: number;
  readonly unjudged: number;
  readonly changes: readonly (ChangeKey & Tally)[];
  /** What would change besides, were what is in Audit in the folder enforced. */
  readonly changesIfEnforced: readonly (ChangeKey & Tally)[];
  readonly notJudged: readonly (UnjudgedKey & Tally)[];
  /** Requests left out of the lists, of which there were too many. */
  readonly omitted: number;
}

/** @throws {UsageError} where the log cannot be read. */
export async function replayDecisions(file: string, hosts: ReadonlyMap<string, HostRoutes>): Promise<Replay> {
  const table: RouteTable = { generation: 1, settings: defaultClassSettings, hosts };
  const [changes, changesIfEnforced] = [createTallies<ChangeKey>(), createTallies<ChangeKey>()];
  const notJudged = createTallies<UnjudgedKey>();
  let [same, changed, unjudged] = [0, 0, 0];
  const log = await readDecisions({
    file,
    each: (line) => {
      const route = matchRoute(table, line.host, line.path);
      const judged = judge(line, route);
      if ('missing' in judged) {
        unjudged += 1;
        notJudged.add({ route: route?.id ?? line.route, missing: judged.missing }, line, []);
        return;
      }
      const { decision, trial = decision } = judged;
      if (decision === line.verdict) same += 1;
      else {
        changed += 1;
        const { reasons, ...key } = causeOf(line, route, 'cause');
        changes.add({ from: line.verdict, to: decision, ...key }, line, reasons);
      }
      if (trial === decision || decision === 'NoRoute' || trial === 'NoRoute') return;
      const { reasons, ...key } = causeOf(line, route, 'trialCause');
      changesIfEnforced.add({ from: decision, to: trial, ...key }, line, reasons);
    },
  });
  return {
    log,
    same,
    changed,
    unjudged,
    changes: changes.all(),
    changesIfEnforced: changesIfEnforced.all(),
    notJudged: notJudged.all(),
    omitted: changes.omitted + changesIfEnforced.omitted + notJudged.omitted,
  };
}

type Judged =
  | { readonly decision: Decision | 'NoRoute'; readonly trial?: Decision }
  | { readonly missing: readonly Missing[] };

function judge(line: DecisionLine, route: Route | undefined): Judged {
  if (route === undefined) return { decision: 'NoRoute' };
  if (route.denied !== undefined) return { decision: 'Deny' };
  const missing = missingFor(line, route);
  return missing.length > 0 ? { missing } : evaluate(route.access, factsOfLine(line, route));
}

function causeOf(
  line: DecisionLine,
  route: Route | undefined,
  which: 'cause' | 'trialCause',
): Cause & Pick<ChangeKey, 'route' | 'fault'> {
  if (route === undefined) return { route: line.route, reasons: [] };
  if (route.denied !== undefined) return { route: route.id, fault: route.denied, reasons: [] };
  return { route: route.id, reasons: [], ...explain(route.access, factsOfLine(line, route))[which] };
}

/** For a person. */
export function describeReplay(replay: Replay): string {
  const { log, same, changed, unjudged, changes, changesIfEnforced, notJudged, omitted } = replay;
  const span = log.first === undefined ? '' : `, from ${log.first} to ${log.last}`;
  return [
    `Replayed ${count(log.decisions, 'decision')}${span}`,
    ...(log.unreadable > 0 ? [`${count(log.unreadable, 'line')} could not be read: torn, or of another version`] : []),
    ...section('Would change:', changes, describeChange),
    ...section('Would change, were what is in Audit enforced:', changesIfEnforced, describeChange),
    ...section('Cannot be judged, as what a decision there hangs on is not in the log:', notJudged, (row) => [
      `  ${printable(row.route)}: ${row.missing.join(', ')}`,
      `    ${describeWho(row)}`,
    ]),
    ...(omitted > 0 ? ['', `Left out, for there are too many routes and rules: ${count(omitted, 'request')}`] : []),
    '',
    ...(log.decisions > 0 && !log.holdsAllowed ? [onlyRefusals] : []),
    `${count(changed, 'decision')} would change, ${same} would not, ${unjudged} cannot be judged.`,
  ].join('\n');
}

function section<Row>(
  title: string,
  rows: readonly Row[],
  describe: (row: Row) => readonly string[],
): readonly string[] {
  return rows.length === 0 ? [] : ['', title, ...rows.flatMap(describe)];
}

function describeChange(row: ChangeKey & Tally): readonly string[] {
  const isGone = row.to === 'NoRoute';
  return [
    `  ${row.from} → ${isGone ? 'no route' : row.to} at ${printable(row.route)}`,
    `    ${isGone ? 'nothing serves this host and path' : describeCause(row)}`,
    `    ${describeWho(row)}`,
    `    ${describeWhen(row)}`,
  ];
}
