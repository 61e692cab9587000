// A logged decision as facts to judge anew, and what they lack: a log holds no header, no query and no claim.
import type { Criterion } from '../model/criteria.ts';
import type { DecisionLine } from '../model/decision-line.ts';
import type { Access, AttachedPolicy } from '../model/policy.ts';
import { countsOn } from '../model/route.ts';
import type { Route } from '../model/route.ts';
import type { Facts } from '../model/verdict.ts';
import { compileCel } from '../policy/cel.ts';
import { inForce } from '../policy/compile.ts';
import { criteriaOf } from '../policy/placed.ts';

/** A session counts where its provider does. */
function isSignedIn({ user, provider }: DecisionLine, route: Route): boolean {
  return user !== undefined && provider !== undefined && countsOn(route, provider);
}

/** Headers and query are empty: `missingFor` says where that matters. */
export function factsOfLine(line: DecisionLine, route: Route): Facts {
  const { method, host, path, client, time } = line;
  const person = isSignedIn(line, route) ? personOf(line) : {};
  return { method, host, path, query: '', headers: new Map(), ip: client, now: Date.parse(time), ...person };
}

function personOf(line: DecisionLine): Pick<Facts, 'identity' | 'session'> {
  const {
    user = '',
    email,
    serviceAccount,
    groups = [],
    groupsUnknown,
    provider = '',
    authenticatedAt = '',
    sessionStartedAt = '',
  } = line;
  return {
    identity: {
      user,
      ...(email !== undefined && { email }),
      ...(serviceAccount !== undefined && { serviceAccount }),
      groups,
      ...(groupsUnknown && { groupsUnknown }),
      claims: {},
    },
    session: { provider, authenticatedAt: Date.parse(authenticatedAt), startedAt: Date.parse(sessionStartedAt) },
  };
}

/** What a line does not hold. */
export type Missing = 'headers' | 'query' | 'claims' | 'all groups' | 'when they signed in' | 'who asked';

/** What the criteria that govern a route look at, as far as a line may not hold it. */
interface Needs {
  readonly headers: boolean;
  readonly query: boolean;
  readonly claims: boolean;
  readonly groups: boolean;
  readonly times: boolean;
  readonly preflight: boolean;
}

const needsByAccess = new WeakMap<Access, Needs>();

/** What a decision at this route hangs on, and the line does not hold. */
export function missingFor(line: DecisionLine, route: Route): readonly Missing[] {
  // The route was at fault then, and nobody looked who it was.
  if (line.fault !== undefined) return ['who asked'];
  let needs = needsByAccess.get(route.access);
  if (needs === undefined) {
    needs = needsOf(route.access);
    needsByAccess.set(route.access, needs);
  }
  const { headers, query, claims, groups, times, preflight } = needs;
  const signedIn = isSignedIn(line, route);
  const isDateless = line.authenticatedAt === undefined || line.sessionStartedAt === undefined;
  const missing: readonly (readonly [Missing, boolean])[] = [
    ['headers', headers || (preflight && line.method === 'OPTIONS')],
    ['query', query],
    // Without a session whatever asks who it is has its answer.
    ['claims', claims && signedIn],
    ['all groups', groups && signedIn && line.groupsOmitted !== undefined],
    ['when they signed in', times && signedIn && isDateless],
  ];
  return missing.filter(([, isMissing]) => isMissing).map(([name]) => name);
}

function needsOf({ policies }: Access): Needs {
  const criteria = inForce(policies).flatMap(criteriaAt);
  const asks = (...names: readonly (keyof Criterion)[]): boolean =>
    criteria.some(({ criterion }) => names.some((name) => criterion[name] !== undefined));
  const cels = criteria.flatMap(({ criterion: { cel }, dataSets }) =>
    cel === undefined ? [] : [readsOf(cel, dataSets)],
  );
  const reads = (what: Missing): boolean => cels.some((missing) => missing.includes(what));
  return {
    headers: asks('header') || reads('headers'),
    query: asks('query') || reads('query'),
    claims: asks('claim', 'acr', 'authenticationMethod') || reads('claims'),
    groups: asks('groups') || reads('all groups'),
    times: asks('authenticatedWithin', 'sessionAge') || reads('when they signed in'),
    preflight: asks('corsPreflight'),
  };
}

function criteriaAt({ policy: { rules, dataSets = {} } }: AttachedPolicy) {
  return [...criteriaOf(rules)].map(({ criterion }) => ({ criterion, dataSets: Object.keys(dataSets) }));
}

/** A field that is read is named in the expression; a word that only looks like one costs a judgement, and nothing worse. */
function readsOf(expression: string, dataSets: readonly string[]): readonly Missing[] {
  const compiled = compileCel(expression, dataSets);
  if ('mistake' in compiled) return [];
  const { reads } = compiled;
  const names = (words: RegExp): boolean => (reads.has('identity') || reads.has('session')) && words.test(expression);
  const missing: readonly (readonly [Missing, boolean])[] = [
    ['headers', reads.has('headers')],
    ['query', reads.has('query')],
    ['claims', names(/\b(claims|name|acr|amr)\b/)],
    ['all groups', names(/\bgroups\b/)],
    ['when they signed in', names(/\b(authenticatedAt|startedAt)\b/)],
  ];
  return missing.filter(([, isMissing]) => isMissing).map(([name]) => name);
}
