// A request that somebody asks about, as the proxy would see it arrive: the same canonical form, the same choice of a route.
import { workloadProvider } from '../model/identity.ts';
import type { Identity, Session } from '../model/identity.ts';
import { countsOn } from '../model/route.ts';
import type { HostRoutes, Route, RouteTable } from '../model/route.ts';
import { isPreflight } from '../proxy/cors.ts';
import { destinationOf } from '../proxy/destination.ts';
import { canonicalRequest } from '../proxy/request.ts';
import type { CanonicalRequest, Refusal } from '../proxy/request.ts';
import type { Hypothetical, Person } from './question.ts';

/** What becomes of a request before any policy is asked. */
export type Arrival =
  | { readonly kind: 'Refused'; readonly refusal: Refusal }
  | { readonly kind: 'RedirectedToHttps'; readonly asked: CanonicalRequest; readonly location: string }
  | { readonly kind: 'OwnAnswer'; readonly asked: CanonicalRequest }
  | { readonly kind: 'Challenge'; readonly asked: CanonicalRequest; readonly upstream: string }
  | { readonly kind: 'NoSuchHost'; readonly asked: CanonicalRequest }
  | { readonly kind: 'NoSuchPath'; readonly asked: CanonicalRequest; readonly host: HostRoutes }
  | ({ readonly kind: 'Preflight' } & Found)
  | ({ readonly kind: 'Routed' } & Found);

interface Found {
  readonly asked: CanonicalRequest;
  readonly host: HostRoutes;
  readonly route: Route;
}

/** @param httpsPort Where https is listened for; absent: nowhere. */
export function arrive(table: RouteTable, question: Hypothetical, httpsPort: number | undefined): Arrival {
  const { method, headers, from } = question;
  const { encrypted, authority, port, target } = splitUrl(question.url);
  const rawHeaders = ['Host', authority, ...headers.flat()];
  const canonical = canonicalRequest({ method, target, rawHeaders, peer: from, encrypted, port }, table.settings);
  if ('refused' in canonical) return { kind: 'Refused', refusal: canonical.refused };
  const asked = canonical.ok;
  const destination = destinationOf(table, asked, encrypted ? undefined : httpsPort);
  switch (destination.to) {
    case 'Solver':
      return { kind: 'Challenge', asked, upstream: destination.solver.upstream.name };
    case 'Https':
      return { kind: 'RedirectedToHttps', asked, location: destination.location };
    case 'OwnPlace':
      return { kind: 'OwnAnswer', asked };
    case 'NoSuchHost':
      return { kind: 'NoSuchHost', asked };
    case 'NoSuchPath':
      return { kind: 'NoSuchPath', asked, host: destination.host };
    case 'Route':
      return arriveAt({ asked, host: destination.host, route: destination.route });
  }
}

function arriveAt(found: Found): Arrival {
  const { asked, route } = found;
  const isAnswered = route.denied === undefined && route.cors !== undefined && isPreflight(asked);
  return isAnswered ? { kind: 'Preflight', ...found } : { kind: 'Routed', ...found };
}

// Not `new URL`, which would resolve dot segments and backslashes: what a client sends as it stands is what is judged. A
// fragment is never sent (RFC 9110 §4.2.5).
function splitUrl(url: string) {
  const [, scheme = '', authority = '', target = ''] = /^(https?):\/\/([^/?#]*)([^#]*)/i.exec(url) ?? [];
  const encrypted = scheme.toLowerCase() === 'https';
  const digits = /:([0-9]{1,5})$/.exec(authority)?.[1];
  return {
    encrypted,
    authority,
    port: digits === undefined ? (encrypted ? 443 : 80) : Number(digits),
    target: target.startsWith('/') ? target : `/${target}`,
  };
}

/**
 * Who vouches for somebody, as far as it counts on a route: where the question does not say, the provider where people sign
 * in by default, and for a workload the cluster.
 */
export function providerOf({ provider, serviceAccount }: Person, route: Route): string | undefined {
  if (serviceAccount !== undefined) return countsOn(route, workloadProvider) ? workloadProvider : undefined;
  const { providers } = route;
  return provider === undefined ? providers[0] : providers.find((name) => name === provider);
}

/** @param now Milliseconds since the epoch. */
export function sessionOf(person: Person, provider: string, now: number): Session {
  const { authenticatedAt } = person;
  const authenticated = authenticatedAt === undefined ? now : Date.parse(authenticatedAt);
  return {
    id: '',
    provider,
    identity: identityOf(person),
    authenticatedAt: authenticated,
    startedAt: authenticated,
    expiresAt: Number.POSITIVE_INFINITY,
  };
}

function identityOf({ user, email, groups, claims, serviceAccount }: Person): Identity {
  if (serviceAccount !== undefined) {
    const [namespace = '', name = ''] = serviceAccount.split('/');
    const { 'kubernetes.io': more } = claims;
    const told = { namespace, serviceaccount: { name }, ...(typeof more === 'object' && more) };
    const user = `system:serviceaccount:${namespace}:${name}`;
    return { user, serviceAccount, groups: [], claims: { ...claims, 'kubernetes.io': told } };
  }
  const address = email === undefined ? undefined : lowerCaseDomain(email);
  return { user: user ?? address ?? '', ...(address !== undefined && { email: address }), groups, claims };
}

/** As a sign-in does it. */
function lowerCaseDomain(email: string): string {
  const at = email.lastIndexOf('@');
  return email.slice(0, at) + email.slice(at).toLowerCase();
}
