// `sallyport report`: from a decision log, who would have been refused by what is in Audit, and who was refused in fact.
import { parseArgs } from 'node:util';
import type { DecisionLine } from '../model/decision-line.ts';
import { readDecisions, readSince } from './decisions.ts';
import type { DecisionsRead } from './decisions.ts';
import { printable } from './layout.ts';
import { UsageError } from './settings.ts';
import { count, countPeople, createTallies, createTally, describeCause, describeWhen, describeWho } from './tally.ts';
import type { Tally } from './tally.ts';

export const reportHelp = `sallyport report [FILE|-]: from a decision log, what enforcing what is in Audit would change

  --since WHEN          A duration before now (24h, 7d) or a moment (2026-12-24T18:00:00Z). [all that the log holds]
  -o, --output text|json

It reads the lines of "sallyport run" from a file or from stdin, and passes over those that are no decisions.

Exit code: 0 whatever it finds, 2 wrong usage.
`;

interface Key {
  readonly route: string;
  /** What it would have been, or was. */
  readonly verdict: DecisionLine['verdict'];
  readonly policy?: string;
  readonly rule?: string;
  readonly fault?: string;
}
type Row = Key & Tally;

interface Report {
  readonly since?: string;
  readonly log: DecisionsRead;
  /** Let through, and would not have been. */
  readonly wouldRefuse: readonly Row[];
  /** Not let through, and would have been. */
  readonly wouldAdmit: readonly Row[];
  readonly refused: readonly Row[];
  /** Requests that were asked to sign in. */
  readonly askedToSignIn: number;
  /** Requests left out of the lists, of which there were too many. */
  readonly omitted: number;
  readonly summary: string;
}

/** Prints the report; returns the exit code. @throws {UsageError} */
export async function report(
  args: readonly string[],
  print: (text: string) => void,
  now = Date.now(),
): Promise<number> {
  const { file, since, output } = readArgs(args, now);
  const made = await makeReport(file, since);
  print(output === 'json' ? JSON.stringify(made, null, 2) : describe(made));
  return 0;
}

function readArgs(args: readonly string[], now: number) {
  const options = { since: { type: 'string' }, output: { type: 'string', short: 'o', default: 'text' } } as const;
  const { values, positionals } = parsed();
  const [file = '-', ...more] = positionals;
  if (more.length > 0) throw new UsageError('report: one file is wanted: sallyport report FILE');
  if (values.output !== 'text' && values.output !== 'json') throw new UsageError('report: -o is text or json');
  return { file, output: values.output, since: values.since === undefined ? undefined : readSince(values.since, now) };

  function parsed() {
    try {
      return parseArgs({ args: [...args], options, allowPositionals: true });
    } catch (error) {
      throw new UsageError(`report: ${error instanceof Error ? error.message : 'the flags cannot be read'}`);
    }
  }
}

async function makeReport(file: string, since?: number): Promise<Report> {
  const lists = { wouldRefuse: createTallies<Key>(), wouldAdmit: createTallies<Key>(), refused: createTallies<Key>() };
  let all: ReturnType<typeof createTally> | undefined;
  let [askedToSignIn, tried] = [0, 0];
  const log = await readDecisions({
    file,
    ...(since !== undefined && { since }),
    each: (line) => {
      const { verdict, trial } = line;
      if (trial !== undefined) tried += 1;
      if (verdict === 'Login') askedToSignIn += 1;
      if (verdict === 'Deny') lists.refused.add(keyOf(line, line), line, line.reasons);
      if (trial === undefined || (trial.verdict === 'Allow') === (verdict === 'Allow')) return;
      const list = verdict === 'Allow' ? lists.wouldRefuse : lists.wouldAdmit;
      list.add(keyOf(line, trial), line, trial.reasons);
      if (verdict !== 'Allow') return;
      all ??= createTally(line);
      all.count(line, []);
    },
  });
  const { wouldRefuse, wouldAdmit, refused } = lists;
  return {
    ...(since !== undefined && { since: new Date(since).toISOString() }),
    log,
    wouldRefuse: wouldRefuse.all(),
    wouldAdmit: wouldAdmit.all(),
    refused: refused.all(),
    askedToSignIn,
    omitted: wouldRefuse.omitted + wouldAdmit.omitted + refused.omitted,
    summary: summarize(log, tried, all?.tally),
  };
}

function keyOf(
  { route, fault }: DecisionLine,
  { verdict, policy, rule }: Pick<DecisionLine, 'verdict' | 'policy' | 'rule'>,
): Key {
  return {
    route,
    verdict,
    ...(policy !== undefined && { policy }),
    ...(rule !== undefined && { rule }),
    ...(fault !== undefined && { fault }),
  };
}

function summarize({ decisions, holdsAllowed }: DecisionsRead, tried: number, wouldRefuse: Tally | undefined): string {
  if (decisions === 0) return 'The log holds no decision of this time, so nothing can be said.';
  if (wouldRefuse !== undefined) {
    const { requests, people, anonymous } = wouldRefuse;
    const named = people.length === 0 ? [] : [countPeople(wouldRefuse)];
    const nobody = anonymous === 0 ? [] : [`${count(anonymous, 'request')} without a sign-in`];
    const who = [...named, ...nobody].join(' and ');
    return `Enforcing what is in Audit would have refused ${count(requests, 'request')} that ${requests === 1 ? 'was' : 'were'} let through: ${who}.`;
  }
  if (tried > 0 || !holdsAllowed) return 'Enforcing what is in Audit would have refused nobody who was let through.';
  return 'Nothing was in Audit where these decisions were made.';
}

function describe(report: Report): string {
  const { log, since, askedToSignIn, omitted, summary } = report;
  const span = log.first === undefined ? '' : `, from ${log.first} to ${log.last}`;
  return [
    `${count(log.decisions, 'decision')}${since === undefined ? '' : ` since ${since}`}${span}`,
    ...(log.unreadable > 0 ? [`${count(log.unreadable, 'line')} could not be read: torn, or of another version`] : []),
    ...section('Would have been refused, were what is in Audit enforced:', report.wouldRefuse),
    ...section('Would have been let in, were what is in Audit enforced:', report.wouldAdmit),
    ...section('Was refused:', report.refused),
    ...(askedToSignIn > 0 ? ['', `Asked to sign in: ${count(askedToSignIn, 'request')}`] : []),
    ...(omitted > 0 ? ['', `Left out, for there are too many routes and rules: ${count(omitted, 'request')}`] : []),
    '',
    ...(log.decisions > 0 && !log.holdsAllowed ? [onlyRefusals] : []),
    summary,
  ].join('\n');
}

/** Said wherever a log is read that cannot tell of those who were let in. */
export const onlyRefusals =
  'The log holds no plain yes, as --decision-log denied leaves them out: how many were let in is not known.';

function section(title: string, rows: readonly Row[]): readonly string[] {
  if (rows.length === 0) return [];
  return ['', title, ...rows.flatMap(describeRow)];
}

function describeRow(row: Row): readonly string[] {
  const asks = row.verdict === 'Login' ? ' (asked to sign in)' : '';
  return [
    `  ${printable(row.route)}${asks}`,
    `    ${describeCause(row)}`,
    `    ${describeWho(row)}`,
    `    ${describeWhen(row)}`,
  ];
}
