// Who may open what: all that a person may open, and everyone, by rule, who may open a route.
import type { AttachedPolicy, Rule } from '../model/policy.ts';
import type { HostRoutes, Route, RouteTable } from '../model/route.ts';
import type { Decision } from '../model/verdict.ts';
import { inForce } from '../policy/compile.ts';
import type { Subject } from '../policy/subjects.ts';
import { decide } from '../proxy/decision.ts';
import { matchHost, matchPath } from '../proxy/match.ts';
import type { CanonicalRequest } from '../proxy/request.ts';
import { canonicalHostName } from '../proxy/address.ts';
import { canonicalTarget } from '../proxy/target.ts';
import { providerOf, sessionOf } from './arrival.ts';
import type { Person } from './question.ts';
import { showRoute } from './shown.ts';
import type { ShownRoute } from './shown.ts';
import { foresee } from './what-if.ts';
import { describeOperators, listed } from './words.ts';

/** One route, and whether a person may open it. */
export interface Reach {
  readonly route: ShownRoute;
  /** For every request; `Depends`: not the same for all of them. */
  readonly verdict: Decision | 'Depends';
  /** What it depends on. */
  readonly dependsOn: readonly Subject[];
  /** The verdict on GET of the route's own path, where that alone is certain. */
  readonly atItsPath?: Decision;
  /** Why everybody is refused, or why the person counts as nobody here. */
  readonly note?: string;
}

/** What no question about a person says; the path and the method only where not GET of the route itself is asked for. */
const unsaid = ['ip', 'time', 'headers', 'query', 'session', 'certificate'] as const satisfies Subject[];

/** @param now Milliseconds since the epoch: data sets grow stale. */
export function reachOf(table: RouteTable, person: Person, now: number): readonly Reach[] {
  return [...table.hosts.values()].flatMap(({ host, routes }) =>
    routes.map((route) => ({ route: showRoute(host, route), ...reach(host, route, person, now) })),
  );
}

function reach(host: string, route: Route, person: Person, now: number): Omit<Reach, 'route'> {
  if (route.denied !== undefined) return { verdict: 'Deny', dependsOn: [], note: route.denied };
  const { access, path } = route;
  const broken = inForce(access.policies).find(({ policy }) => policy.broken !== undefined);
  if (broken !== undefined) return { verdict: 'Deny', dependsOn: [], note: `${broken.policy.name} is broken` };
  const provider = providerOf(person, route);
  const session = provider === undefined ? undefined : sessionOf(person, provider, now);
  const { facts } = decide('', getOf(host, path), route, session, now);
  const open: readonly Subject[] = [...unsaid, ...(isOneHost(host) ? [] : ['host' as const])];
  const narrow = foresee(access, facts, open);
  const wide = foresee(access, facts, [...open, 'method', ...(isOnePath(route) ? [] : ['path' as const])]);
  return {
    verdict: wide.decision ?? 'Depends',
    dependsOn: wide.dependsOn,
    ...(wide.decision === undefined && narrow.decision !== undefined && { atItsPath: narrow.decision }),
    ...(provider === undefined && {
      note: whyNobody(route, person),
    }),
  };
}

function whyNobody({ providers }: Route, { serviceAccount }: Person): string {
  if (serviceAccount !== undefined) return 'no policy there speaks of a serviceAccount';
  return providers.length === 0 ? 'nobody can sign in there' : `people sign in at ${listed(providers)} there`;
}

function isOneHost(host: string): boolean {
  return host !== '' && !host.startsWith('*');
}

function isOnePath({ match }: Route): boolean {
  return match === 'Exact';
}

function getOf(host: string, path: string): CanonicalRequest {
  const address = '192.0.2.1';
  return {
    method: 'GET',
    scheme: 'https',
    host,
    authority: host,
    path,
    query: '',
    client: { address, chain: [address], scheme: 'https' },
    headers: new Map(),
  };
}

/** A rule that lets people in, or keeps them out. */
export interface ShownRule {
  readonly policy: string;
  readonly attachment: AttachedPolicy['attachment'];
  /** Audit: it is without effect. */
  readonly mode: 'Enforce' | 'Audit';
  readonly because?: string;
  readonly rule?: string;
  /** `spec.rules[0].allow` */
  readonly path: string;
  readonly action: 'allow' | 'deny';
  /** Whether it can let anybody in: a Mandatory policy can only refuse. */
  readonly grants: boolean;
  /** In words. */
  readonly who: string;
}

export interface Opening {
  readonly route: ShownRoute;
  /** Who gets in where every policy that allows somebody must allow them, and no deny holds. */
  readonly rules: readonly ShownRule[];
  /** Policies that refuse everybody until they are mended. */
  readonly broken: readonly { readonly policy: string; readonly why: string }[];
  /** No policy can let anybody in, and the default access decides. */
  readonly byDefault?: 'Deny' | 'Authenticated';
}

export type OpeningsAnswer = readonly Opening[] | { readonly mistake: string };

/** Of a host's every route; with a path, of the one that serves it. */
export function openingsOf(table: RouteTable, name: string): OpeningsAnswer {
  const slash = name.indexOf('/');
  const given = slash === -1 ? name : name.slice(0, slash);
  const host = hostNamed(table, given);
  if (host === undefined) return { mistake: `no route has the host ${given}` };
  if (slash === -1) return host.routes.map((route) => openingOf(host.host, route));
  const target = canonicalTarget(name.slice(slash));
  if ('detail' in target) return { mistake: target.detail };
  const route = matchPath(host, target.path);
  return route === undefined ? { mistake: `no route of ${given} has this path` } : [openingOf(host.host, route)];
}

function hostNamed(table: RouteTable, name: string): HostRoutes | undefined {
  const exact = table.hosts.get(name === '*' ? '' : name.toLowerCase());
  const isSomebodys = exact !== undefined && exact.solversOnly !== true;
  return isSomebodys ? exact : matchHost(table, canonicalHostName(name) ?? name);
}

/** Every rule of every route, for whoever asks which of them are used. */
export function allOpenings(table: RouteTable): readonly Opening[] {
  return [...table.hosts.values()].flatMap(({ host, routes }) => routes.map((route) => openingOf(host, route)));
}

function openingOf(host: string, route: Route): Opening {
  const { access, denied } = route;
  const policies = inForce(access.policies);
  const mayGrant = policies.some(({ attachment }) => attachment !== 'Mandatory');
  return {
    route: showRoute(host, route),
    rules: denied === undefined ? policies.flatMap(rulesOf) : [],
    broken: policies.flatMap(({ policy: { name, broken } }) =>
      broken === undefined ? [] : [{ policy: name, why: broken }],
    ),
    ...(denied === undefined && !mayGrant && { byDefault: access.defaultAccess }),
  };
}

function rulesOf(attached: AttachedPolicy): readonly ShownRule[] {
  if (attached.policy.broken !== undefined) return [];
  return attached.policy.rules.flatMap((rule, index) => [
    ...ruleOf(attached, rule, index, 'allow'),
    ...ruleOf(attached, rule, index, 'deny'),
  ]);
}

function ruleOf(
  { policy, attachment, because }: AttachedPolicy,
  rule: Rule,
  index: number,
  action: 'allow' | 'deny',
): readonly ShownRule[] {
  const written = rule[action];
  if (written === undefined) return [];
  const mode = policy.mode === 'Audit' ? 'Audit' : (rule.mode ?? 'Enforce');
  return [
    {
      policy: policy.name,
      attachment,
      mode,
      ...(because !== undefined && { because }),
      ...(rule.name !== undefined && { rule: rule.name }),
      path: `spec.rules[${index}].${action}`,
      action,
      grants: action === 'allow' && attachment !== 'Mandatory' && mode === 'Enforce',
      who: describeOperators(written),
    },
  ];
}
