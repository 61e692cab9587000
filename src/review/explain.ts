// Would a request pass, and why: the proxy's own canonical form, route and decision, told with all that led to them.
import type { Diagnostic } from '../model/diagnostic.ts';
import { describeReference } from '../model/diagnostic.ts';
import type { HostRoutes, Route, RouteTable } from '../model/route.ts';
import type { StepUp } from '../model/step-up.ts';
import type { Cause, Decision, Explanation, Facts, Verdict } from '../model/verdict.ts';
import { inForce } from '../policy/compile.ts';
import { explain } from '../policy/explain.ts';
import { explainVerdict } from '../policy/sentences.ts';
import { decide } from '../proxy/decision.ts';
import type { KeptDecision } from '../proxy/decisions.ts';
import { matchHost } from '../proxy/match.ts';
import { isInsecure } from '../proxy/request.ts';
import type { CanonicalRequest } from '../proxy/request.ts';
import { arrive, providerOf, sessionOf } from './arrival.ts';
import type { Arrival } from './arrival.ts';
import { letThroughEnding } from './let-through.ts';
import type { Ending } from './let-through.ts';
import { neighboursOf } from './neighbours.ts';
import type { Neighbour } from './neighbours.ts';
import type { Hypothetical, Person } from './question.ts';
import { showPolicy, showRoute } from './shown.ts';
import type { ShownPolicy, ShownRoute } from './shown.ts';
import { listed } from './words.ts';

/** What is being served, and what is wrong with the objects behind it. */
export interface Served {
  readonly table: RouteTable;
  readonly diagnostics: readonly Diagnostic[];
  /** Where https is listened for; absent: nowhere. */
  readonly httpsPort: number | undefined;
}

export interface Asked {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  /** The client's address. */
  readonly from: string;
  /** RFC 3339. */
  readonly at: string;
  /** Absent: nobody is signed in, or their sign-in does not count here. */
  readonly as?: {
    readonly user: string;
    readonly email?: string;
    /** A workload, and no person. */
    readonly serviceAccount?: string;
    readonly groups: readonly string[];
  };
}

export interface ExplainAnswer {
  readonly asked?: Asked;
  readonly requestId?: string;
  readonly verdict: Decision;
  /** The verdict, were everything in Audit enforced. */
  readonly trial?: Decision;
  readonly stepUp?: StepUp;
  /**
   * How such a request ends, in the words of the access log. On a Login: for a person; a program is told `Unauthenticated`.
   * Absent of a request that happened: the access log has how it did end.
   */
  readonly outcome?: string;
  /** In sentences: the verdict and what stands beside it. */
  readonly why: readonly string[];
  readonly cause?: Cause;
  readonly route: ShownRoute | null;
  readonly neighbours: readonly Neighbour[];
  readonly policies: readonly ShownPolicy[];
  /** What is wrong with the objects that decide here. */
  readonly faults: readonly Diagnostic[];
}

/** @param now Milliseconds since the epoch. */
export function explainRequest(served: Served, question: Hypothetical, now: number): ExplainAnswer {
  const { table, httpsPort } = served;
  const at = question.at === undefined ? now : Date.parse(question.at);
  const arrival = arrive(table, question, httpsPort);
  if (arrival.kind === 'Refused') {
    const why = [`The proxy refuses it with ${arrival.refusal.status}: ${arrival.refusal.detail}`];
    return { verdict: 'Deny', outcome: 'BadRequest', why, route: null, neighbours: [], policies: [], faults: [] };
  }
  if (arrival.kind !== 'Routed') return unjudged(served, arrival, at);
  const { asked, host, route } = arrival;
  const { as } = question;
  const provider = as && providerOf(as, route);
  const session = as && provider !== undefined ? sessionOf(as, provider, at) : undefined;
  const { facts, verdict } = decide('', asked, route, session, at);
  const explanation = route.denied === undefined ? explain(route.access, facts) : undefined;
  const passed = outcomeOf(served.table, verdict, host, route, asked);
  return {
    asked: askedOf(facts),
    ...judged(route, verdict, explanation),
    outcome: passed.outcome,
    why: [
      ...(as === undefined || provider !== undefined ? [] : [whyNobody(route, as)]),
      ...whyOf(route, explanation),
      passed.sentence,
    ],
    route: showRoute(host.host, route),
    neighbours: around(served, asked, { host, route }),
    faults: faultsOf(served, route),
  };
}

/** A request that happened, by the facts and the policies of then. */
export function explainKept(served: Served, kept: KeptDecision): ExplainAnswer {
  const { requestId, route, facts } = kept;
  const explanation = route.denied === undefined ? (kept.explanation ?? explain(route.access, facts)) : undefined;
  const verdict = explanation?.verdict ?? { decision: 'Deny' };
  const host = matchHost(served.table, facts.host);
  const isCurrent = host?.routes.includes(route) === true;
  return {
    asked: askedOf(facts),
    requestId,
    ...judged(route, verdict, explanation),
    why: [
      ...whyOf(route, explanation),
      ...(isCurrent
        ? []
        : ['Its route, or what governs it, has changed since: the same request may end otherwise now.']),
    ],
    route: showRoute(host?.host ?? facts.host, route),
    neighbours: [],
    faults: faultsOf(served, route),
  };
}

type Unjudged = Exclude<Arrival, { kind: 'Refused' } | { kind: 'Routed' }>;

/** Where no policy has a say. */
function unjudged(served: Served, arrival: Unjudged, at: number): ExplainAnswer {
  const { asked, kind } = arrival;
  const { method, host, path, client } = asked;
  const common = {
    asked: { method, host, path, from: client.address, at: new Date(at).toISOString() },
    outcome: kind,
    policies: [],
    faults: [],
  };
  const chosen = matchHost(served.table, host);
  const neighbours = around(served, asked, chosen && { host: chosen });
  switch (arrival.kind) {
    case 'OwnAnswer':
      return {
        ...common,
        verdict: 'Allow',
        why: ['Sallyport answers this itself, whoever asks: it is never routed.'],
        route: null,
        neighbours: [],
      };
    case 'Challenge': {
      const why = [`It is an ACME challenge over plain http, which ${arrival.upstream} answers to anybody.`];
      return { ...common, verdict: 'Allow', why, route: null, neighbours: [] };
    }
    case 'Preflight': {
      const why = ['It is a CORS preflight, which Sallyport answers itself from the annotations of the Ingress.'];
      const route = showRoute(arrival.host.host, arrival.route);
      return { ...common, verdict: 'Allow', why, route, neighbours: [] };
    }
    case 'RedirectedToHttps': {
      const why = [`Over plain http it is sent to ${arrival.location} first: ask about that.`];
      return { ...common, verdict: 'Deny', why, route: null, neighbours: [] };
    }
    case 'NoSuchHost':
      return { ...common, verdict: 'Deny', why: [`404: no route has the host ${host}.`], route: null, neighbours };
    case 'NoSuchPath': {
      const why = [
        `404: no route of ${arrival.host.host === '' ? 'the catch-all host' : arrival.host.host} has this path.`,
      ];
      return { ...common, verdict: 'Deny', why, route: null, neighbours };
    }
  }
}

function around(
  { table, diagnostics }: Served,
  { host, path }: CanonicalRequest,
  chosen: { readonly host: HostRoutes; readonly route?: Route } | undefined,
): readonly Neighbour[] {
  return neighboursOf({ table, diagnostics, host, path, ...(chosen && { chosen }) });
}

function askedOf({ method, host, path, ip, now, identity }: Facts): Asked {
  const person = identity && {
    user: identity.user,
    ...(identity.email !== undefined && { email: identity.email }),
    ...(identity.serviceAccount !== undefined && { serviceAccount: identity.serviceAccount }),
    groups: identity.groups,
  };
  return { method, host, path, from: ip, at: new Date(now).toISOString(), ...(person && { as: person }) };
}

function judged({ access }: Route, verdict: Verdict, explanation: Explanation | undefined) {
  const { decision, trial, stepUp } = verdict;
  const attached = inForce(access.policies);
  return {
    verdict: decision,
    ...(trial !== undefined && { trial }),
    ...(stepUp && { stepUp }),
    ...(explanation && { cause: explanation.cause }),
    policies: (explanation?.policies ?? []).map((policy, index) => showPolicy(policy, attached[index])),
  };
}

function whyOf({ denied }: Route, explanation: Explanation | undefined): readonly string[] {
  if (denied !== undefined) return [`The route refuses everybody before a policy is asked: ${denied}.`];
  return explanation === undefined ? [] : explainVerdict(explanation);
}

function whyNobody({ providers }: Route, { provider: theirs, serviceAccount }: Person): string {
  if (serviceAccount !== undefined) {
    return 'Its token counts as nothing here: no policy that governs the route speaks of a serviceAccount.';
  }
  return providers.length === 0
    ? 'Nobody can be signed in here: the route has no identity provider.'
    : `A sign-in at ${theirs ?? 'another provider'} does not count here, where people sign in at ${listed(providers)}.`;
}

/** How the request ends after the decision (proxy/handle, steps 7 to 11). */
function outcomeOf(
  table: RouteTable,
  { decision }: Verdict,
  host: HostRoutes,
  route: Route,
  asked: CanonicalRequest,
): Ending {
  const { providers, workloads } = route;
  if (decision === 'Deny') return { outcome: 'Refused', sentence: 'It gets 403.' };
  if (decision === 'Allow') return letThroughEnding(table, route, asked);
  if (host.host === '') {
    return { outcome: 'Refused', sentence: 'It gets 403: a route without a host never starts a sign-in.' };
  }
  if (isInsecure(asked)) {
    return { outcome: 'InsecureTransport', sentence: 'It gets 403: over plain http nobody can sign in.' };
  }
  if (providers.length === 0) {
    const told =
      workloads === true
        ? 'A program gets 401, and a person 503: there is no identity provider to sign in at.'
        : 'It gets 503: there is no identity provider to sign in at.';
    return { outcome: 'NoProvider', sentence: told };
  }
  return {
    outcome: 'SignInStarted',
    sentence: `A person is sent to sign in at ${listed(providers)}; a program gets 401.`,
  };
}

function faultsOf({ diagnostics }: Served, route: Route): readonly Diagnostic[] {
  const { ingress, access, denied } = route;
  const leadsNowhere = route.upstream === undefined && route.redirect === undefined;
  const isAtFault = denied !== undefined || leadsNowhere || access.policies.some(({ policy }) => policy.broken);
  if (!isAtFault) return [];
  const names = new Set([
    `Ingress ${ingress.namespace}/${ingress.name}`,
    ...access.policies.map(({ policy }) => policy.name),
  ]);
  return diagnostics.filter(({ object }) => names.has(describeReference(object)));
}
