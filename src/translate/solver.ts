// From an Ingress that cert-manager makes to answer an ACME challenge (HTTP-01) to what is served of it: one path, and nothing else.
import { complain, metadataEntry, parseSpec, shown } from './parse.ts';
import { createMemory } from './remember.ts';
import { readUpstream } from './upstream.ts';
import { freeTerms, noTerms } from './upstream-terms.ts';
import type { World } from './world.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { ingressSpec } from '../model/objects.ts';
import type { IngressSpec, KubernetesObject } from '../model/objects.ts';
import type { Solver } from '../model/route.ts';

/** A solver that an Ingress asks for, before anybody asks whose host it is. */
export interface SolverClaim {
  readonly ingress: KubernetesObject;
  readonly host: string;
  /** Where the Ingress names the host, for diagnostics. */
  readonly path: string;
  readonly solver: Solver;
}

export interface SolverReading {
  readonly ingress: KubernetesObject;
  readonly claims: readonly SolverClaim[];
  readonly diagnostics: readonly Diagnostic[];
}

const challengePrefix = '/.well-known/acme-challenge/';
// RFC 8555, section 8.3: of the base64url alphabet. Real ones have 43 characters and 87 at the most.
const challengePath = /^\/\.well-known\/acme-challenge\/[A-Za-z0-9_-]{1,128}$/;

/** Whether an Ingress says that it is a solver: whoever sets the label gets no more than a solver does. */
export function isSolver(ingress: KubernetesObject): boolean {
  return metadataEntry(ingress, 'labels', 'acme.cert-manager.io/http01-solver') === 'true';
}

/** Whether a path of an ordinary Ingress is there for an ACME server, which cannot sign in. */
export function isChallengePath(path: string): boolean {
  return path.startsWith(challengePrefix);
}

const rememberSolver = createMemory<SolverReading>();

/** Made anew only when the Ingress, its Services or their EndpointSlices have changed. */
export function readSolver(world: World, ingress: KubernetesObject): SolverReading {
  const { value: spec, diagnostics } = parseSpec(ingress, ingressSpec);
  if (spec === undefined) return { ingress, claims: [], diagnostics };
  return rememberSolver(ingress, servicesOf(world, ingress, spec), () => readRules(world, ingress, spec));
}

function servicesOf({ inventory, slices }: World, ingress: KubernetesObject, spec: IngressSpec): readonly unknown[] {
  const names = (spec.rules ?? []).flatMap(
    ({ http }) => http?.paths.flatMap(({ backend }) => backend.service?.name ?? []) ?? [],
  );
  return [...new Set(names)].flatMap((name) => {
    const key = `${ingress.metadata.namespace ?? ''}/${name}`;
    return [inventory.services.get(key), ...slices(key)];
  });
}

function readRules(world: World, ingress: KubernetesObject, spec: IngressSpec): SolverReading {
  const claims: SolverClaim[] = [];
  const diagnostics: Diagnostic[] = [];
  const refuse = (path: string, message: string) => diagnostics.push(complain(ingress, 'SolverInvalid', path, message));
  if (spec.defaultBackend !== undefined) refuse('spec.defaultBackend', `a solver has none: ${solverIs}`);
  for (const [index, { host = '', http }] of (spec.rules ?? []).entries()) {
    const at = `spec.rules[${index}]`;
    if (!hostPattern.test(host)) {
      refuse(`${at}.host`, `${shown(host)} is not a name that an ACME server asks over http: ${solverIs}`);
      continue;
    }
    for (const [position, { path, pathType, backend }] of (http?.paths ?? []).entries()) {
      const field = `${at}.http.paths[${position}]`;
      if (path === undefined || !challengePath.test(path)) {
        refuse(`${field}.path`, `${shown(path)} is no challenge, and is not served: ${solverIs}`);
      } else if (pathType === 'Prefix') {
        refuse(`${field}.pathType`, `a challenge is Exact or ImplementationSpecific: ${solverIs}`);
      } else {
        const read = readUpstream(world, ingress, backend, `${field}.backend`, terms);
        diagnostics.push(...read.diagnostics);
        if (read.upstream === undefined) continue;
        claims.push({ ingress, host, path: `${at}.host`, solver: { path, upstream: read.upstream } });
      }
    }
  }
  return { ingress, claims, diagnostics };
}

// A challenge is no secret, and cert-manager's solver speaks plain text, whatever the class asks of applications.
const terms = { class: freeTerms, own: noTerms };
// No wildcard: HTTP-01 cannot prove one (RFC 8555, section 7.1.3).
const hostPattern = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const solverIs = `an Ingress labelled acme.cert-manager.io/http01-solver serves ${challengePrefix}TOKEN of one host, and nothing else`;
