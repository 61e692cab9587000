// Whose host it is, whose route wins, and whose certificate is served: what Ingresses decide among each other.
import { checkDates, namesHost, readCertificate } from './certificate.ts';
import { settleTraffic } from './host-traffic.ts';
import type { HostClaim } from './ingress.ts';
import { complain } from './parse.ts';
import { createMemory } from './remember.ts';
import { pathOwnedElsewhere, shareOf } from './sharing.ts';
import type { Share } from './sharing.ts';
import type { World } from './world.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { describeReference } from '../model/diagnostic.ts';
import type { HostSharing } from '../model/hosts-spec.ts';
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
 * Settles one host. Its owner is the namespace of its oldest Ingress (promise 14): others add nothing, save paths of a host
 * that the class shares.
 * @param claims Of this host, by age; at least one.
 */
export function settleHost(
  world: World,
  claims: readonly HostClaim[],
  authenticationHost: string | undefined,
  sharing: HostSharing,
): SettledHost | undefined {
  const [first] = claims;
  if (first === undefined) return undefined;
  const isReserved = first.host !== '' && first.host === authenticationHost;
  const owner = isReserved ? world.options.installationNamespace : first.ingress.metadata.namespace;
  const refusals: Diagnostic[] = [];
  const allowed = claims.filter((claim) => {
    const { namespace = '' } = claim.ingress.metadata;
    if (namespace === owner) return true;
    const share = isReserved ? 'NotShared' : shareOf(world, sharing, claim.host, namespace);
    if (share !== 'Shared') refusals.push(isReserved ? reservedHost(claim) : ownedElsewhere(claim, first, share));
    return share === 'Shared';
  });
  const [oldest] = allowed;
  // Not even as an empty host: it would stand before the wildcard whose certificate serves it.
  const owned = owner === undefined ? {} : { owner };
  if (oldest === undefined) return { ...owned, diagnostics: refusals };
  // What concerns the host as a whole is its owner's to say, whoever adds paths.
  const owners = allowed.filter(({ ingress }) => ingress.metadata.namespace === owner);
  const chosen = chooseCertificate(world, owners);
  const { certificate } = chosen;
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
  const unused = unusedCertificates(allowed, owner, chosen);
  return {
    ...owned,
    host: settled.host,
    diagnostics: [...refusals, ...chosen.diagnostics, ...unused, ...settled.diagnostics],
  };
}

function ownedElsewhere({ ingress, host, path }: HostClaim, owner: HostClaim, share: Share): Diagnostic {
  const named = host === '' ? 'every host that nobody names' : `the host ${host}`;
  const unreadable = share === 'NamespaceUnreadable';
  const advice = unreadable
    ? `the class shares it with namespaces by their labels, and Namespace ${ingress.metadata.namespace ?? ''} cannot be read`
    : 'choose another host';
  const message = `${named} belongs to namespace ${owner.ingress.metadata.namespace ?? ''}, whose ${describeReference(referenceTo(owner.ingress))} ${precedes(owner, ingress)}: ${advice}`;
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
  const owner = claims[0]?.ingress.metadata.namespace ?? '';
  const isShared = claims.some(({ ingress }) => ingress.metadata.namespace !== owner);
  const winners = new Map<string, { readonly route: Route; readonly claim: HostClaim }>();
  const above = (path: string) => winners.get(`Prefix ${path}`)?.claim.ingress;
  for (const claim of claims) {
    for (const route of claim.routes) {
      const key = `${route.match} ${route.path}`;
      const winner = winners.get(key);
      const elsewhere = isShared ? pathOwnedElsewhere(claim, route, owner, above) : undefined;
      if (elsewhere !== undefined) diagnostics.push(elsewhere);
      else if (winner === undefined) winners.set(key, { route, claim });
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
  /** Whose it is. */
  readonly claim?: HostClaim;
  readonly diagnostics: readonly Diagnostic[];
}

// The first that can be had, from the oldest Ingress of the owner on; a Secret is only ever of its Ingress's own namespace.
function chooseCertificate(world: World, claims: readonly HostClaim[]): ChosenCertificate {
  const diagnostics: Diagnostic[] = [];
  for (const claim of claims) {
    const { ingress, host, tlsSecret } = claim;
    if (tlsSecret === undefined) continue;
    const read = readNamed(world, ingress, host, tlsSecret);
    diagnostics.push(...read.diagnostics);
    if (read.certificate !== undefined) return { certificate: read.certificate, claim, diagnostics };
  }
  return { diagnostics };
}

// A host has one certificate: whoever names another hears that it is not theirs that is served.
function unusedCertificates(
  claims: readonly HostClaim[],
  owner: string | undefined,
  { claim: chosen }: ChosenCertificate,
): readonly Diagnostic[] {
  return claims.flatMap(({ ingress, host, tlsSecret }, index) => {
    if (tlsSecret === undefined) return [];
    const { key, path } = tlsSecret;
    const isOwners = ingress.metadata.namespace === owner;
    // One that comes before the chosen cannot be had, and that is told.
    if (isOwners && (chosen === undefined || key === chosen.tlsSecret?.key || index < claims.indexOf(chosen)))
      return [];
    const by =
      isOwners && chosen !== undefined
        ? `${chosen.tlsSecret?.key ?? ''}, which ${describeReference(referenceTo(chosen.ingress))} names, which ${precedes(chosen, ingress)}`
        : `its owner, namespace ${owner ?? ''}`;
    const named = host === '' ? 'a host that nobody names' : host;
    const message = `${named} has the certificate of ${by}: that of Secret ${key} is not used`;
    return [{ ...complain(ingress, 'CertificateConflict', path, message, 'warning'), host }];
  });
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
  const dates = checkDates(ingress, path, certificate, leaf, world);
  if (host === '' || namesHost(leaf, host)) return { certificate, diagnostics: dates };
  const message = `the certificate in Secret ${key} does not name ${host}: browsers will warn`;
  return { certificate, diagnostics: [...dates, complain(ingress, 'CertificateMismatch', path, message, 'warning')] };
}
