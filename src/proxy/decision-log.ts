// What is told of a decision at the moment when it is made: the counters, and a line of the decision log.
import { groupsInLine } from '../model/decision-line.ts';
import type { DecisionLine } from '../model/decision-line.ts';
import type { Session } from '../model/identity.ts';
import type { Cause, Explanation, Verdict } from '../model/verdict.ts';
import type { Logger, Metrics } from '../telemetry.ts';
import { explanationOf } from './decision.ts';
import type { Decided } from './decision.ts';

export const decisionLogs = ['all', 'denied', 'none'] as const;
export type DecisionLog = (typeof decisionLogs)[number];

export interface DecisionTelling {
  readonly log: Logger;
  readonly metrics: Metrics;
  /** `denied`: whatever is not a plain yes. */
  readonly decisionLog: DecisionLog;
}

/** An allowed request is explained only where its line is written: explaining costs more than deciding does. */
export function createDecisionLog({ log, metrics, decisionLog }: DecisionTelling): (decided: Decided) => void {
  return (decided) => {
    const { route, verdict } = decided;
    const { decision, trial } = verdict;
    if (trial !== undefined) metrics.trialDecisions.inc({ decision, trial });
    const isWritten = decisionLog === 'all' || (decisionLog === 'denied' && !isPlainYes(verdict));
    const isExplained = route.denied === undefined && (isWritten || decision !== 'Allow');
    const explanation = isExplained ? explanationOf(decided) : undefined;
    const reason = decision === 'Allow' ? undefined : explanation?.cause.reasons[0];
    metrics.decisions.inc({ decision, reason: reason ?? 'none' });
    if (isWritten) log.info(lineOf(decided, explanation), 'decision');
  };
}

function isPlainYes({ decision, trial = decision }: Verdict): boolean {
  return decision === 'Allow' && trial === 'Allow';
}

/** The logger adds the rest. Field by field, so that nothing is told that is not meant to be. */
function lineOf(
  { id, route, facts, verdict, session }: Decided,
  { cause = { reasons: [] }, trialCause = { reasons: [] } }: Partial<Explanation> = {},
): Omit<DecisionLine, 'time' | 'msg'> {
  const { decision, stepUp, trial } = verdict;
  const { host, method, path, ip } = facts;
  return {
    id,
    route: route.id,
    ingress: `${route.ingress.namespace}/${route.ingress.name}`,
    host,
    method,
    path,
    client: ip,
    ...(session && personOf(session)),
    verdict: decision,
    ...(stepUp && { stepUp }),
    ...causeOf(cause),
    ...(route.denied !== undefined && { fault: route.denied }),
    ...(trial !== undefined && { trial: { verdict: trial, ...causeOf(trialCause) } }),
  };
}

function causeOf({ policy, rule, reasons }: Cause): Pick<DecisionLine, 'policy' | 'rule' | 'reasons'> {
  return { ...(policy !== undefined && { policy }), ...(rule !== undefined && { rule }), reasons: [...reasons] };
}

type Person =
  | 'provider'
  | 'session'
  | 'user'
  | 'email'
  | 'groups'
  | 'groupsOmitted'
  | 'groupsUnknown'
  | 'serviceAccount';

function personOf(session: Session): Pick<DecisionLine, Person | 'authenticatedAt' | 'sessionStartedAt'> {
  const { id, provider, identity, authenticatedAt, startedAt } = session;
  const { user, email, groups, groupsUnknown, serviceAccount } = identity;
  return {
    provider,
    session: id.slice(0, 8),
    user,
    ...(email !== undefined && { email }),
    groups: groups.slice(0, groupsInLine),
    ...(groups.length > groupsInLine && { groupsOmitted: groups.length - groupsInLine }),
    ...(groupsUnknown && { groupsUnknown }),
    ...(serviceAccount !== undefined && { serviceAccount }),
    ...(isMoment(authenticatedAt) && { authenticatedAt: new Date(authenticatedAt).toISOString() }),
    sessionStartedAt: new Date(startedAt).toISOString(),
  };
}

/** It is what the provider said, and no calendar goes as far as a number does. */
function isMoment(milliseconds: number): boolean {
  return !Number.isNaN(new Date(milliseconds).getTime());
}
