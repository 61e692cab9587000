// One decision: what it is made from, gathered from the request and the session, and what comes of it.
import type { Session } from '../model/identity.ts';
import { countsOn } from '../model/route.ts';
import type { Route, RouteTable } from '../model/route.ts';
import type { Explanation, Facts, Verdict } from '../model/verdict.ts';
import { evaluate } from '../policy/evaluate.ts';
import { explain } from '../policy/explain.ts';
import { destinationOf } from './destination.ts';
import type { CanonicalRequest } from './request.ts';

/** A decision with all that it was made from: it can be explained as long as it is kept. */
export interface Decided {
  /** Of the request. */
  readonly id: string;
  readonly route: Route;
  readonly session?: Session | undefined;
  readonly facts: Facts;
  readonly verdict: Verdict;
}

/** @param now Milliseconds since the epoch. */
export function decide(
  id: string,
  asked: CanonicalRequest,
  route: Route,
  session: Session | undefined,
  now: number,
): Decided {
  const { method, host, path, query, headers, client } = asked;
  const person = session && factsOfSession(session);
  const facts: Facts = { method, host, path, query, headers, ip: client.address, now, ...person };
  const verdict: Verdict = route.denied === undefined ? evaluate(route.access, facts) : { decision: 'Deny' };
  return { id, route, session, facts, verdict };
}

/**
 * The same request under way, by the table and the session of this moment; `undefined` where it leads nowhere any more:
 * nothing there refuses it, and it ends by itself.
 */
export function decideAgain(
  id: string,
  asked: CanonicalRequest,
  table: RouteTable,
  session: Session | undefined,
  now: number,
): Decided | undefined {
  const destination = destinationOf(table, asked, undefined);
  if (destination.to !== 'Route') return undefined;
  const { route } = destination;
  return decide(id, asked, route, session && countsOn(route, session.provider) ? session : undefined, now);
}

const explanations = new WeakMap<Decided, Explanation>();

/** How it came about: worked out when somebody asks first, and once. */
export function explanationOf(decided: Decided): Explanation {
  let explanation = explanations.get(decided);
  if (explanation === undefined) {
    explanation = explain(decided.route.access, decided.facts);
    explanations.set(decided, explanation);
  }
  return explanation;
}

function factsOfSession({
  identity,
  provider,
  authenticatedAt,
  startedAt,
}: Session): Pick<Facts, 'identity' | 'session'> {
  return { identity, session: { provider, authenticatedAt, startedAt } };
}
