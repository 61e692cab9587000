// Whose host it is, whose route wins, and whose certificate is served: what Ingresses decide among each other.
import { namesHost, readCertificate } from './certificate.ts';
import type { HostClaim } from './ingress.ts';
import { complain } from './parse.ts';
import { createMemory } from './remember.ts';
import type { World } from './world.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { describeReference } from '../model/diagnostic.ts';
import { objectKey, referenceTo } from '../model/objects.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { Certificate, HostRoutes, Route } from '../model/route.ts';

export interface Settled {
  readonly host: HostRoutes;
  readonly diagnostics: readonly Diagnostic[];
}

/** Older first; what is as old, by namespace and name. Objects from files have no age. */
export function byAge(a: KubernetesObject, b: KubernetesObject): number {
  const [ageA, ageB] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  if (ageA !== ageB) return ageA < ageB ? -1 : 1;
  const [keyA, keyB] = [objectKey(a.metadata), objectKey(b.metadata)];
  return keyA < keyB ? -1 : 1;
}

// Keyed by the oldest claim: it changes when, and only when, the Ingress behind it is read anew.
const rememberHost = createMemory<Settled>();

/**
 * Settles one host. Its owner is the namespace of its oldest Ingress (promise 14): other namespaces add nothing.
 * @param claims Of this host, by age; at least one.
 */
export function settleHost(
  world: World,
  claims: readonly HostClaim[],
  authenticationHost: string | undefined,
): Settled | undefined {
  const [first] = claims;
  if (first === undefined) return undefined;
  const isReserved = first.host !== '' && first.host === authenticationHost;
  const allowed = isReserved ? installationClaims(world, claims) : ownClaims(claims);
  const certificate = chooseCertificate(world, allowed);
  const inputs = [
    ...claims,
    isReserved,
    certificate.certificate,
    ...certificate.diagnostics.map(({ message }) => message),
  ];
  return rememberHost(first, inputs, () => {
    const refused = claims.filter((claim) => !allowed.includes(claim));
    const diagnostics = [
      ...refused.map((claim) => (isReserved ? reservedHost(claim) : ownedElsewhere(claim, first))),
      ...certificate.diagnostics,
    ];
    const routes = isReserved ? [] : settleRoutes(allowed, diagnostics);
    const host = { host: first.host, routes, ...(certificate.certificate && { certificate: certificate.certificate }) };
    return { host, diagnostics };
  });
}

function ownClaims(claims: readonly HostClaim[]): readonly HostClaim[] {
  const owner = claims[0]?.ingress.metadata.namespace;
  return claims.filter(({ ingress }) => ingress.metadata.namespace === owner);
}

function installationClaims({ options }: World, claims: readonly HostClaim[]): readonly HostClaim[] {
  return claims.filter(({ ingress }) => ingress.metadata.namespace === options.installationNamespace);
}

function ownedElsewhere({ ingress, host, path }: HostClaim, owner: HostClaim): Diagnostic {
  const named = host === '' ? 'requests without a host of their own' : `the host ${host}`;
  const message = `${named} belongs to namespace ${owner.ingress.metadata.namespace ?? ''}, whose ${describeReference(referenceTo(owner.ingress))} is the oldest that names it: choose another host`;
  return complain(ingress, 'HostOwnedElsewhere', path, message);
}

function reservedHost({ ingress, host, path }: HostClaim): Diagnostic {
  const message = `${host} is the authentication host: Sallyport serves it itself, and only its own namespace may name it`;
  return complain(ingress, 'AuthenticationHostReserved', path, message);
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
      : `${describeReference(referenceTo(winner.ingress))}, which is older`;
  const message = `${host}${route.path} (${route.match}) is served by ${by}: this one has no effect`;
  return complain(ingress, 'ConflictingRoute', path, message);
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

// The certificate of the oldest Ingress of the owner that names one; a Secret is only ever of its Ingress's own namespace.
function chooseCertificate(world: World, claims: readonly HostClaim[]): ChosenCertificate {
  const claim = claims.find(({ tlsSecret }) => tlsSecret !== undefined);
  if (claim?.tlsSecret === undefined) return { diagnostics: [] };
  const { key, path } = claim.tlsSecret;
  const secret = world.secret(key);
  if (secret === 'pending') return { diagnostics: [] };
  if (secret === 'missing') {
    return {
      diagnostics: [
        complain(
          claim.ingress,
          'SecretNotFound',
          path,
          `there is no Secret ${key}: ${claim.host} has no certificate of its own`,
        ),
      ],
    };
  }
  const { certificate, leaf, diagnostics } = readCertificate(secret);
  if (certificate === undefined || leaf === undefined) return { diagnostics };
  const warnings: Diagnostic[] = [];
  if (claim.host !== '' && !namesHost(leaf, claim.host)) {
    warnings.push(
      complain(
        claim.ingress,
        'CertificateMismatch',
        path,
        `the certificate in Secret ${key} does not name ${claim.host}: browsers will warn`,
        'warning',
      ),
    );
  }
  if (leaf.validToDate.getTime() <= world.now) {
    warnings.push(
      complain(
        secret,
        'CertificateInvalid',
        'data[tls.crt]',
        `this certificate expired on ${leaf.validToDate.toISOString()}`,
        'warning',
      ),
    );
  }
  return { certificate, diagnostics: warnings };
}
