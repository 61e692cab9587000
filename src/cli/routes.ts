// The routes of `sallyport check`: a row each, and below it every policy that governs it, and why.
import type { AttachedPolicy, Policy } from '../model/policy.ts';
import type { HostRoutes, Route } from '../model/route.ts';
import { describeOperators } from '../review/words.ts';
import { columns, printable, wrap } from './layout.ts';
import { count } from './tally.ts';

/** A route as `-o json` prints it. */
export interface ListedRoute {
  readonly host: string;
  readonly path: string;
  readonly ingress: string;
  readonly upstream: string;
  /** In a word: `public`, `authenticated`, `denied`, `2 policies`. */
  readonly access: string;
  /** Why nobody gets in, whatever its policies say. */
  readonly denied?: string;
  readonly defaultAccess: string;
  readonly policies: readonly ListedPolicy[];
}

interface ListedPolicy {
  readonly policy: string;
  readonly attachment: AttachedPolicy['attachment'];
  readonly mode: Policy['mode'];
  readonly because?: string;
  readonly broken?: string;
  /** Of rules that are in Audit while the policy is enforced. */
  readonly rulesInAudit?: number;
  /** What annotations amount to, spelt as a Policy would. */
  readonly sugarFor?: Policy['rules'];
  readonly dataSets?: readonly { readonly name: string; readonly entries?: number; readonly staleAt?: string }[];
}

export function listRoutes(hosts: ReadonlyMap<string, HostRoutes>): readonly ListedRoute[] {
  const byName = [...hosts.values()].toSorted((a, b) => (a.host < b.host ? -1 : 1));
  return byName.flatMap(({ host, routes }) => routes.map((route) => listRoute(host, route)));
}

function listRoute(host: string, route: Route): ListedRoute {
  const { path, match, ingress, access, denied } = route;
  return {
    host: host === '' ? '*' : host,
    path: `${path}${match === 'Exact' ? ' (exact)' : ''}`,
    ingress: `${ingress.namespace}/${ingress.name}`,
    upstream: leadsTo(route),
    access: inAWord(route),
    ...(denied !== undefined && { denied }),
    defaultAccess: access.defaultAccess,
    policies: access.policies.map(listPolicy),
  };
}

function leadsTo({ upstream, redirect, maintenance }: Route): string {
  if (redirect !== undefined) return `redirect (${redirect.status})`;
  if (upstream === undefined) return 'none';
  const instead = maintenance === undefined ? '' : 'in maintenance: ';
  return `${instead}${upstream.name} (${count(upstream.endpoints.length, 'endpoint')})`;
}

function inAWord({ denied, access: { policies, defaultAccess } }: Route): string {
  if (denied !== undefined || policies.some(({ policy }) => policy.broken !== undefined)) return 'denied';
  const [first] = policies;
  if (first === undefined) return defaultAccess === 'Deny' ? 'denied' : 'authenticated';
  if (policies.length > 1 || !isSugar(first.policy)) {
    return policies.length === 1 ? '1 policy' : `${policies.length} policies`;
  }
  const [criterion] = first.policy.rules[0]?.allow?.or ?? [];
  if (criterion?.accept !== undefined) return 'public';
  return criterion?.authenticatedUser === undefined ? 'annotations' : 'authenticated';
}

function isSugar({ name }: Policy): boolean {
  return name.startsWith('annotations of ');
}

function listPolicy({ policy, attachment, because }: AttachedPolicy): ListedPolicy {
  const { name, mode, rules, dataSets, broken } = policy;
  const rulesInAudit = mode === 'Audit' ? 0 : rules.filter((rule) => rule.mode === 'Audit').length;
  return {
    policy: name,
    attachment,
    mode,
    ...(because !== undefined && { because }),
    ...(broken !== undefined && { broken }),
    ...(rulesInAudit > 0 && { rulesInAudit }),
    ...(isSugar(policy) && { sugarFor: rules }),
    ...(dataSets && {
      dataSets: Object.entries(dataSets).map(([set, { content, staleAt }]) => ({
        name: set,
        ...(content !== undefined && { entries: Object.keys(content).length }),
        ...(staleAt !== undefined && { staleAt: new Date(staleAt).toISOString() }),
      })),
    }),
  };
}

/** Policies stand below the first of several routes that they govern alike, so that an Ingress of ten paths is readable. */
export function routesText(routes: readonly ListedRoute[]): string {
  const rows = routes.map((route, index) => [
    route.host,
    route.path,
    route.ingress,
    route.upstream,
    isGovernedAs(route, routes[index - 1]) && hasMore(route) ? `${route.access}, as above` : route.access,
  ]);
  const [heading = '', ...lines] = columns([['HOST', 'PATH', 'INGRESS', 'UPSTREAM', 'ACCESS'], ...rows]);
  return [
    heading,
    ...lines.flatMap((line, index) => {
      const route = routes[index];
      return route === undefined || isGovernedAs(route, routes[index - 1]) ? [line] : [line, ...policyLines(route)];
    }),
  ]
    .map(printable)
    .join('\n');
}

function isGovernedAs(route: ListedRoute, other: ListedRoute | undefined): boolean {
  return other !== undefined && route.host === other.host && governance(route) === governance(other);
}

function governance({ denied, defaultAccess, policies }: ListedRoute): string {
  return JSON.stringify([denied, defaultAccess, policies]);
}

function hasMore(route: ListedRoute): boolean {
  return policyLines(route).length > 0;
}

function policyLines(route: ListedRoute): readonly string[] {
  const { access, denied, defaultAccess, policies } = route;
  // The word beside the route says it all.
  if (access === 'public' || (access === 'authenticated' && policies.length > 0)) return [];
  const rows = policies.map((one) => [
    `  ${one.policy}`,
    one.attachment,
    one.broken === undefined ? one.mode : 'broken',
    reasonOf(one),
  ]);
  return [
    ...(denied === undefined ? [] : [`  denied: ${denied}`]),
    ...(policies.length === 0 ? [`  no policy, and the default access is ${defaultAccess}`] : []),
    ...columns(rows),
  ].flatMap((line) => wrap(line, 6).split('\n'));
}

function reasonOf({ because = '', sugarFor, rulesInAudit }: ListedPolicy): string {
  if (sugarFor !== undefined) return sugarFor.map(({ allow = {} }) => describeOperators(allow)).join(', or ');
  return rulesInAudit === undefined ? because : `${because}; ${count(rulesInAudit, 'rule')} in Audit`;
}
