// Whose host it is, whose route wins, and whose certificate is served: what Ingresses decide among each other.
import { checkDates, namesHost, readCertificate } from './certificate.ts';
import { settleTraffic } from './host-traffic.ts';
import type { HostClaim } from './ingress.ts';
import { complain } from './parse.ts';
import { createMemory } from './remember.ts';
import type { World } from './world.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { describeReference } from '../model/diagnostic.ts';
import { objectKey, referenceTo } from '../model/objects.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { Certificate, HostRoutes, Route } from '../model/route.ts';

export interface SettledHost {
  /** Absent: nobody may claim it who does. */
  readonly host?: HostRoutes;
  /** The namespace that it belongs to. */
  readonly owner?: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** Older first; what is as old, by namespace and name. Objects from files have no age. */
export function byAge(a: KubernetesObject, b: KubernetesObject): number {
  const [ageA, ageB] = [bornAt(a), bornAt(b)];
  if (ageA !== ageB) return ageA < ageB ? -1 : 1;
  const [keyA, keyB] = [objectKey(a.metadata), objectKey(b.metadata)];
  return keyA < keyB ? -1 : 1;
}

function bornAt({ metadata }: KubernetesObject): string {
  const { creationTimestamp } = metadata;
  return typeof creationTimestamp === 'string' ? creationTimestamp : '';
}

// Keyed by the oldest claim: it changes when, and only when, the Ingress behind it is read anew.
const rememberHost = createMemory<Required<Pick<SettledHost, 'host' | 'diagnostics'>>>();

/**
 * Settles one host. Its owner is the namespace of its oldest Ingress (promise 14): other namespaces add nothing.
 * @param claims Of this host, by age; at least one.
 */
export function settleHost(
  world: World,
  claims: readonly HostClaim[],
  authenticationHost: string | undefined,
): SettledHost | undefined {
  const [first] = claims;
  if (first === undefined) return undefined;
  const isReserved = first.host !== '' && first.host === authenticationHost;
  const owner = isReserved ? world.options.installationNamespace : first.ingress.metadata.namespace;
  const isOwners = ({ ingress }: HostClaim) => ingress.metadata.namespace === owner;
  const refusals = claims
    .filter((claim) => !isOwners(claim))
    .map((claim) => (isReserved ? reservedHost(claim) : ownedElsewhere(claim, first)));
  const allowed = claims.filter(isOwners);
  const [oldest] = allowed;
  // Not even as an empty host: it would stand before the wildcard whose certificate serves it.
  const owned = owner === undefined ? {} : { owner };
  if (oldest === undefined) return { ...owned, diagnostics: refusals };
  const { certificate, diagnostics: certificateDiagnostics } = chooseCertificate(world, allowed);
  // What is refused is no part of it: a host does not change because somebody else would like to have it.
  const settled = rememberHost(oldest, [...allowed, isReserved, certificate], () => {
    const conflicts: Diagnostic[] = [];
    const routes = isReserved ? [] : settleRoutes(allowed, conflicts);
    const traffic = settleTraffic(first.host, owner, allowed);
    return {
      host: { host: first.host, routes, ...(certificate && { certificate }), ...traffic.host },
      diagnostics: [...conflicts, ...traffic.diagnostics],
    };
  });
  return {
    ...owned,
    host: settled.host,
    diagnostics: [...refusals, ...certificateDiagnostics, ...settled.diagnostics],
  };
}

function ownedElsewhere({ ingress, host, path }: HostClaim, owner: HostClaim): Diagnostic {
  const named = host === '' ? 'every host that nobody names' : `the host ${host}`;
  const message = `${named} belongs to namespace ${owner.ingress.metadata.namespace ?? ''}, whose ${describeReference(referenceTo(owner.ingress))} ${precedes(owner, ingress)}: choose another host`;
  return { ...complain(ingress, 'HostOwnedElsewhere', path, message), host };
}

function precedes({ ingress }: HostClaim, other: KubernetesObject): string {
  return bornAt(ingress) === bornAt(other) ? 'comes first by its name' : 'is older';
}

function reservedHost({ ingress, host, path }: HostClaim): Diagnostic {
  const message = `${host} is the authentication host, which Sallyport serves itself: only an Ingress of its own namespace may name it, for its certificate`;
  return { ...complain(ingress, 'AuthenticationHostReserved', path, message), host };
}

// The same path in two Ingresses: the older one's is served, and the other hears of it.
function settleRoutes(claims: readonly HostClaim[], diagnostics: Diagnostic[]): readonly Route[] {
  const winners = new Map<string, { readonly route: Route; readonly claim: HostClaim }>();
  for (const claim of claims) {
    for (const route of claim.routes) {
      const key = `${route.match} ${route.path}`;
      const winner = winners.get(key);
      if (winner === undefined) winners.set(key, { route, claim });
      else if (winner.claim !== claim || winner.route.upstream !== route.upstream)
        diagnostics.push(conflict(claim, route, winner.claim));
    }
  }
  return [...winners.values()].map(({ route }) => route).sort(byPrecedence);
}

function conflict({ ingress, host, path }: HostClaim, route: Route, winner: HostClaim): Diagnostic {
  const by =
    winner.ingress === ingress
      ? 'an earlier path of this Ingress'
      : `${describeReference(referenceTo(winner.ingress))}, which ${precedes(winner, ingress)}`;
  const message = `${host}${route.path} (${route.match}) is served by ${by}: this one has no effect`;
  return { ...complain(ingress, 'ConflictingRoute', path, message), host };
}

/** Exact before prefix, longer before shorter, then by name so that the order is the same everywhere. */
function byPrecedence(a: Route, b: Route): number {
  if (a.match !== b.match) return a.match === 'Exact' ? -1 : 1;
  if (a.path.length !== b.path.length) return b.path.length - a.path.length;
  return a.path < b.path ? -1 : 1;
}

interface ChosenCertificate {
  readonly certificate?: Certificate;
  readonly diagnostics: readonly Diagnostic[];
}

// The first that can be had, from the oldest Ingress of the owner on; a Secret is only ever of its Ingress's own namespace.
function chooseCertificate(world: World, claims: readonly HostClaim[]): ChosenCertificate {
  const diagnostics: Diagnostic[] = [];
  for (const { ingress, host, tlsSecret } of claims) {
    if (tlsSecret === undefined) continue;
    const read = readNamed(world, ingress, host, tlsSecret);
    diagnostics.push(...read.diagnostics);
    if (read.certificate !== undefined) return { certificate: read.certificate, diagnostics };
  }
  return { diagnostics };
}

function readNamed(
  world: World,
  ingress: KubernetesObject,
  host: string,
  { key, path }: NonNullable<HostClaim['tlsSecret']>,
): ChosenCertificate {
  const secret = world.secret(key);
  if (secret === 'pending') return { diagnostics: [] };
  if (secret === 'missing') {
    const message = `there is no Secret ${key}, so ${host === '' ? 'this Ingress' : host} has no certificate from it`;
    return { diagnostics: [complain(ingress, 'SecretNotFound', path, message)] };
  }
  const { certificate, leaf, diagnostics } = readCertificate(secret);
  if (certificate === undefined || leaf === undefined) {
    const message = `Secret ${key} holds no certificate that can be served, so ${host === '' ? 'this Ingress' : host} has none from it`;
    return { diagnostics: [...diagnostics, complain(ingress, 'CertificateInvalid', path, message)] };
  }
  const dates = checkDates(ingress, path, certificate, leaf, world.now);
  if (host === '' || namesHost(leaf, host)) return { certificate, diagnostics: dates };
  const message = `the certificate in Secret ${key} does not name ${host}: browsers will warn`;
  return { certificate, diagnostics: [...dates, complain(ingress, 'CertificateMismatch', path, message, 'warning')] };
}
