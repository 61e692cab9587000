// Grants that nobody has used for a while, by a decision log: each route with each rule that could have let somebody in.
import { readDecisions } from './decisions.ts';
import { columns, printable } from './layout.ts';
import type { Opening } from '../review/answer.ts';

interface UnusedGrant {
  readonly route: string;
  /** Absent: the default access lets people in. */
  readonly policy?: string;
  /** Absent: the rules of the policy that have no name, which a log cannot tell apart. */
  readonly rule?: string;
  /** RFC 3339, within the log; absent: not once. */
  readonly lastUsed?: string;
}

export interface Unused {
  /** RFC 3339: what was used since then is not in the list. */
  readonly since: string;
  readonly grants: number;
  readonly unused: readonly UnusedGrant[];
  /** Why the log may not tell. */
  readonly warnings: readonly string[];
}

/** @param since Milliseconds since the epoch. @throws {UsageError} where the log cannot be read. */
export async function findUnused(openings: readonly Opening[], file: string, since: number): Promise<Unused> {
  const grants = new Map<string, UnusedGrant & { lastUsed?: string }>();
  for (const opening of openings) {
    for (const grant of grantsOf(opening)) grants.set(keyOf(grant), grant);
  }
  const log = await readDecisions({
    file,
    each: ({ route, policy, rule, verdict, time }) => {
      const grant = verdict === 'Allow' ? grants.get(keyOf({ route, policy, rule })) : undefined;
      if (grant !== undefined && (grant.lastUsed === undefined || grant.lastUsed < time)) grant.lastUsed = time;
    },
  });
  const moment = new Date(since).toISOString();
  const unused = [...grants.values()].filter(({ lastUsed }) => lastUsed === undefined || Date.parse(lastUsed) < since);
  return {
    since: moment,
    grants: grants.size,
    unused,
    warnings: [
      ...(log.decisions === 0 ? ['the log holds no decision'] : []),
      ...(log.first !== undefined && Date.parse(log.first) > since
        ? [`the log begins only at ${log.first}: it cannot tell of what was used before`]
        : []),
      ...(log.decisions > 0 && !log.holdsAllowed
        ? ['the log holds no request that was let in: was it written with --decision-log all?']
        : []),
      ...(log.unreadable > 0 ? [`lines of the log that could not be read: ${log.unreadable}`] : []),
    ],
  };
}

function grantsOf({ route: { id: route }, rules, broken, byDefault }: Opening): readonly UnusedGrant[] {
  if (broken.length > 0) return [];
  if (byDefault === 'Authenticated') return [{ route }];
  return rules
    .filter(({ grants }) => grants)
    .map(({ policy, rule }) => ({ route, policy, ...(rule !== undefined && { rule }) }));
}

function keyOf({ route, policy, rule }: { [Part in 'route' | 'policy' | 'rule']?: string | undefined }): string {
  return JSON.stringify([route, policy, rule]);
}

export function unusedText({ since, grants, unused, warnings }: Unused): string {
  const rows = unused.map(({ route, policy, rule, lastUsed }) => [
    route,
    policy ?? 'the default access',
    rule ?? (policy === undefined ? '' : 'rules without a name'),
    lastUsed ?? 'not once',
  ]);
  return [
    ...(rows.length === 0 ? [] : columns([['ROUTE', 'POLICY', 'RULE', 'LAST USED'], ...rows]).map(printable)),
    ...warnings.map((warning) => `warning: ${warning}`),
    `${unused.length} of ${grants} grants unused since ${since}`,
  ].join('\n');
}
