// The last decisions, kept so that an operator can ask why: the facts and the policies that judged them, and no credential.
import type { Access } from '../model/policy.ts';
import type { Route } from '../model/route.ts';
import type { Explanation, Facts } from '../model/verdict.ts';
import { criteriaOfAccess, headersOf, subjectsOf } from '../policy/subjects.ts';
import { explanationOf } from './decision.ts';
import type { Decided } from './decision.ts';

/** A decision as it is remembered. */
export interface KeptDecision {
  readonly requestId: string;
  /** With the policies of then. */
  readonly route: Route;
  /** With those headers alone that a policy asks for, and the query where one does. */
  readonly facts: Facts;
  /** Absent: `facts` suffice to come by it. There where it hung on what is not kept, such as a cookie. */
  readonly explanation?: Explanation;
}

export interface Decisions {
  keep(decided: Decided): void;
  /** Undefined: there was no such request, it was not decided upon, or it is forgotten. */
  find(requestId: string): KeptDecision | undefined;
}

/** As many of those that were let in, and as many of the others: a busy application does not push out whom it refused. */
export const keptDecisions = 500;

export function createDecisions(limit = keptDecisions): Decisions {
  const admitted = createRing<KeptDecision>(limit);
  const others = createRing<KeptDecision>(limit);
  return {
    keep(decided) {
      const { id, route, facts, verdict } = decided;
      const ring = verdict.decision === 'Allow' ? admitted : others;
      const wanted = wantedOf(route.access);
      const explanation = wanted.hangsOnMore ? explanationOf(decided) : undefined;
      ring.push({ requestId: id, route, facts: reduce(facts, wanted), ...(explanation && { explanation }) });
    },
    find: (requestId) => [...others.all(), ...admitted.all()].find((kept) => kept.requestId === requestId),
  };
}

/** The last `limit` items; the oldest makes room. */
function createRing<T>(limit: number) {
  const items: T[] = [];
  let next = 0;
  return {
    push: (item: T) => {
      items[next] = item;
      next = (next + 1) % limit;
    },
    all: (): readonly T[] => items,
  };
}

interface Wanted {
  readonly headers: readonly string[];
  readonly query: boolean;
  /** A credential, or whichever header a CEL expression may come to name. */
  readonly hangsOnMore: boolean;
}

const credentials: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization']);
const wantedByAccess = new WeakMap<Access, Wanted>();

function wantedOf(access: Access): Wanted {
  let wanted = wantedByAccess.get(access);
  if (wanted === undefined) {
    const criteria = criteriaOfAccess(access);
    const named = criteria.map(headersOf);
    const headers = [...new Set(named.flatMap((names) => (names === 'Any' ? [] : names)))];
    wanted = {
      headers: headers.filter((name) => !credentials.has(name)),
      query: criteria.some((criterion) => subjectsOf(criterion).has('query')),
      hangsOnMore: named.includes('Any') || headers.some((name) => credentials.has(name)),
    };
    wantedByAccess.set(access, wanted);
  }
  return wanted;
}

const noHeaders: Facts['headers'] = new Map();

function reduce(facts: Facts, { headers, query }: Wanted): Facts {
  const kept = headers.flatMap((name) => {
    const values = facts.headers.get(name);
    return values === undefined ? [] : [[name, values] as const];
  });
  return { ...facts, headers: kept.length === 0 ? noHeaders : new Map(kept), query: query ? facts.query : '' };
}
