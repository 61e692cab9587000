// What an application gets instead of what was asked: the path, canonical again or not passed on at all, and the Host.
import { isIP } from 'node:net';
import type { Route, Upstream } from '../model/route.ts';
import { compileRewrite } from '../policy/rewrite.ts';
import type { CompiledRewrite } from '../policy/rewrite.ts';
import type { CanonicalRequest } from './request.ts';
import { canonicalTarget } from './target.ts';
import type { Target } from './target.ts';

/** A path of a route with another in the place of the route's own. Both are canonical, and so is what comes of them, save in length. */
export function withPrefix(route: Pick<Route, 'path' | 'match'>, prefix: string, path: string): string {
  const own = route.path === '/' ? '' : route.path;
  const rest = route.match === 'Exact' ? '' : path.slice(own.length);
  const whole = (prefix === '/' ? '' : prefix) + rest;
  return whole === '' ? '/' : whole;
}

/** What is sent in the request line, or why nothing may be. The policy has judged what was asked; the query stays as it is. */
export function sentTarget(route: Route, { path, query }: Target): Target | { readonly fault: string } {
  const by = route.rewrite?.path;
  if (by === undefined) return { path, query };
  const made = by.kind === 'Prefix' ? { path: withPrefix(route, by.prefix, path) } : compiled(by).apply(path);
  if (made === 'Unmatched') return { path, query };
  if (made === 'Error') return { fault: 'the path is too long for the pattern that rewrites it' };
  return isCanonical(made.path)
    ? { path: made.path, query }
    : { fault: 'what the path is rewritten to is none that is passed on' };
}

/** There is no second parser: what is sent is a path that we should have taken ourselves, and climbs nowhere. */
function isCanonical(path: string): boolean {
  const target = canonicalTarget(path);
  return 'path' in target && target.path === path && target.query === '';
}

type ByPattern = Extract<NonNullable<Route['rewrite']>['path'], { kind: 'Pattern' }>;

const known = new WeakMap<ByPattern, CompiledRewrite>();

function compiled(by: ByPattern): CompiledRewrite {
  const before = known.get(by);
  if (before !== undefined) return before;
  const made = compileRewrite(by.pattern, by.substitution);
  // Translation has compiled it, too.
  if ('mistake' in made) throw new Error(`rewrite of a route does not compile: ${made.mistake}`);
  known.set(by, made);
  return made;
}

/** The Host that is sent: the one asked for, where the route says nothing else. */
export function sentHost(
  { rewrite, upstream }: Pick<Route, 'rewrite' | 'upstream'>,
  { authority }: CanonicalRequest,
): string {
  const by = rewrite?.host;
  if (by?.kind === 'Literal') return by.host;
  return by === undefined || upstream === undefined ? authority : hostOf(upstream);
}

/** The name that an upstream is known by: of its certificate, of an external name, or of its Service. */
function hostOf(upstream: Upstream): string {
  const [, namespace = '', service = '', port = ''] = /^([^/]*)\/([^:]*):(.*)$/.exec(upstream.name) ?? [];
  const external = upstream.endpoints.map(({ address }) => address).find((address) => isIP(address) === 0);
  const name = upstream.protocol === 'https' ? upstream.tls.serverName : (external ?? `${service}.${namespace}.svc`);
  return port === (upstream.protocol === 'https' ? '443' : '80') || port === '' ? name : `${name}:${port}`;
}

/** What the client sees above the application's paths, for those that make links of it; undefined where they see the same. */
export function outerPrefix({ rewrite, path, match }: Route): string | undefined {
  return rewrite?.path?.kind === 'Prefix' && match === 'Prefix' && path !== '/' ? path : undefined;
}
