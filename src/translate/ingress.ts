// From one Ingress to its routes, host by host, before anybody asks whose hosts they are.
import { bind, clusterPoliciesOf, ownPolicies } from './binding.ts';
import type { Binding } from './binding.ts';
import { complain, parseField } from './parse.ts';
import type { Parsed } from './parse.ts';
import { createMemory } from './remember.ts';
import { controllerName } from './settings.ts';
import type { ClassReading } from './settings.ts';
import { readUpstream } from './upstream.ts';
import type { World } from './world.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { ingressClassSpec, ingressSpec, objectKey } from '../model/objects.ts';
import type { IngressBackend, IngressSpec, KubernetesObject } from '../model/objects.ts';
import type { Route } from '../model/route.ts';

/** An Ingress's routes for one host. */
export interface HostClaim {
  readonly ingress: KubernetesObject;
  /** As in HostRoutes: `` for no host. */
  readonly host: string;
  /** Where the Ingress names the host, for diagnostics. */
  readonly path: string;
  readonly routes: readonly Route[];
  /** The TLS Secret that the Ingress names for this host, `namespace/name`. */
  readonly tlsSecret?: { readonly key: string; readonly path: string };
}

export interface IngressReading {
  readonly ingress: KubernetesObject;
  readonly claims: readonly HostClaim[];
  readonly binding: Binding;
  readonly diagnostics: readonly Diagnostic[];
}

const legacyClassAnnotation = 'kubernetes.io/ingress.class';

/** Whether an Ingress is of the class that is served: by field, else by the legacy annotation, else by default. */
export function isServed(ingress: KubernetesObject, { ingressClass, isDefault }: ClassReading): boolean {
  if (ingressClass === undefined) return false;
  const spec: unknown = ingress.spec;
  const named: unknown =
    typeof spec === 'object' && spec !== null && 'ingressClassName' in spec ? spec.ingressClassName : undefined;
  const className = named ?? ingress.metadata.annotations?.[legacyClassAnnotation];
  return className === undefined ? isDefault : className === ingressClass.metadata.name;
}

/** Whether an IngressClass is one of ours, whatever its name. */
export function isOurClass(ingressClass: KubernetesObject): boolean {
  return ingressClassSpec.safeParse(ingressClass.spec).data?.controller === controllerName;
}

const specs = new WeakMap<KubernetesObject, Parsed<IngressSpec>>();

function readSpec(ingress: KubernetesObject) {
  const known = specs.get(ingress);
  if (known !== undefined) return known;
  const parsed = parseField(ingress, ingressSpec, ingress.spec, 'spec');
  specs.set(ingress, parsed);
  return parsed;
}

const rememberIngress = createMemory<IngressReading>();

/** Everything that an Ingress asks for. Made anew only when it, or something that it refers to, has changed. */
export function readIngress(world: World, reading: ClassReading, ingress: KubernetesObject): IngressReading {
  const { value: spec, diagnostics } = readSpec(ingress);
  const own = ownPolicies(world, ingress);
  const cluster = clusterPoliciesOf(world, ingress.metadata.namespace ?? '');
  const inputs = [
    reading.settings,
    ...own.flatMap(({ name, object }) => [name, object]),
    ...cluster.flatMap(({ object, attached }) => [object, attached.policy.broken]),
    ...[...reading.providers.values()].map(({ object }) => object),
    world.inventory.namespaces.get(ingress.metadata.namespace ?? ''),
    ...(spec === undefined ? [] : referredTo(world, ingress, spec)),
  ];
  return rememberIngress(ingress, inputs, () => {
    const binding = bind(world, ingress, reading, own, cluster);
    if (spec === undefined)
      return { ingress, claims: [], binding, diagnostics: [...diagnostics, ...binding.diagnostics] };
    const claims = readClaims(world, ingress, spec, binding);
    return { ingress, claims: claims.claims, binding, diagnostics: [...binding.diagnostics, ...claims.diagnostics] };
  });
}

/** The Services that an Ingress names, and their EndpointSlices. */
function referredTo(world: World, ingress: KubernetesObject, spec: IngressSpec): readonly unknown[] {
  const backends = [
    spec.defaultBackend,
    ...(spec.rules ?? []).flatMap((rule) => rule.http?.paths.map((one) => one.backend) ?? []),
  ];
  const names = new Set(backends.flatMap((backend) => backend?.service?.name ?? []));
  return [...names].flatMap((name) => {
    const key = `${ingress.metadata.namespace ?? ''}/${name}`;
    return [world.inventory.services.get(key), ...world.slices(key)];
  });
}

interface Claims {
  readonly claims: readonly HostClaim[];
  readonly diagnostics: readonly Diagnostic[];
}

function readClaims(world: World, ingress: KubernetesObject, spec: IngressSpec, binding: Binding): Claims {
  const diagnostics: Diagnostic[] = [];
  const builder = createRouteBuilder(world, ingress, binding, diagnostics);
  const byHost = new Map<string, { path: string; routes: Route[] }>();
  const claim = (host: string, path: string) => {
    const known = byHost.get(host) ?? { path, routes: [] };
    byHost.set(host, known);
    return known;
  };

  for (const [index, rule] of (spec.rules ?? []).entries()) {
    const rulePath = `spec.rules[${index}]`;
    const host = readHost(ingress, rule.host, `${rulePath}.host`, diagnostics);
    if (host === undefined) continue;
    if (host === '' && !binding.isPublic) diagnostics.push(loginWithoutHost(ingress, rulePath));
    const { routes } = claim(host, rule.host === undefined ? rulePath : `${rulePath}.host`);
    for (const [position, one] of (rule.http?.paths ?? []).entries()) {
      const path = `${rulePath}.http.paths[${position}]`;
      const route = builder.route(host, one, path);
      if (route !== undefined) routes.push(route);
    }
  }
  if (spec.defaultBackend !== undefined) {
    // For the hosts that it names, where nothing else of theirs matches; without any, for whatever nobody claims.
    if (byHost.size === 0) claim('', 'spec.defaultBackend');
    for (const [host, { routes }] of byHost) routes.push(builder.fallback(host, spec.defaultBackend));
  }
  return {
    claims: [...byHost].map(([host, { path, routes }]) => ({
      ingress,
      host,
      path,
      routes,
      ...tlsOf(ingress, spec, host),
    })),
    diagnostics,
  };
}

function createRouteBuilder(world: World, ingress: KubernetesObject, binding: Binding, diagnostics: Diagnostic[]) {
  const { name, namespace = '' } = ingress.metadata;
  const { access, provider, denied } = binding;
  const build = (
    host: string,
    match: Route['match'],
    path: string,
    backend: IngressBackend,
    backendPath: string,
  ): Route => {
    const read = readUpstream(world, ingress, backend, backendPath);
    diagnostics.push(...read.diagnostics);
    return {
      id: `${objectKey(ingress.metadata)} ${host}${match === 'Exact' ? '=' : ''}${path}`,
      ingress: { namespace, name },
      path,
      match,
      access,
      ...(provider !== undefined && { provider }),
      ...(denied !== undefined && { denied }),
      ...(read.upstream && { upstream: read.upstream }),
    };
  };
  return {
    fallback: (host: string, backend: IngressBackend) => build(host, 'Prefix', '/', backend, 'spec.defaultBackend'),

    route(
      host: string,
      one: { path?: string | undefined; pathType: string; backend: IngressBackend },
      at: string,
    ): Route | undefined {
      const path = canonicalPath(one.path ?? '/');
      if (path === undefined) {
        const message = `"${one.path}" is not a path: it must begin with / and hold no //, . or .. segment, encoded slash, ? or #`;
        diagnostics.push(complain(ingress, 'PathInvalid', `${at}.path`, message));
        return undefined;
      }
      // ImplementationSpecific is served as Prefix, and so is said in the reference.
      const isExact = one.pathType === 'Exact';
      const written = isExact || path === '/' ? path : path.replace(/\/$/, '');
      return build(host, isExact ? 'Exact' : 'Prefix', written, one.backend, `${at}.backend`);
    },
  };
}

const hostPattern = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

function readHost(
  ingress: KubernetesObject,
  host: string | undefined,
  path: string,
  diagnostics: Diagnostic[],
): string | undefined {
  if (host === undefined || host === '') return '';
  if (
    host.length <= 253 &&
    hostPattern.test(host) &&
    !(host.startsWith('*.') && !host.slice(2).includes('.') && host.slice(2) !== 'localhost')
  )
    return host;
  const message = `"${host}" is not a host: a lower-case name is wanted, or * and a name of two labels or more, without a port`;
  diagnostics.push(complain(ingress, 'HostInvalid', path, message));
  return undefined;
}

function loginWithoutHost(ingress: KubernetesObject, path: string): Diagnostic {
  const message = 'a rule without a host never starts a sign-in: name a host, or make the Ingress public';
  return complain(ingress, 'LoginWithoutHost', path, message, 'warning');
}

/** A path in the form in which requests are matched: see proxy/request. `undefined` where no request can ever have it. */
export function canonicalPath(path: string): string | undefined {
  if (
    !path.startsWith('/') ||
    path.length > 8192 ||
    /[?#\\\s]|\/\/|%(?![0-9a-fA-F]{2})|%(2f|5c|[01][0-9a-f]|7f)/i.test(path)
  )
    return undefined;
  if (!path.isWellFormed()) return undefined;
  const encoded = encodeURI(path).replaceAll('%25', '%');
  const canonical = encoded.replaceAll(/%[0-9a-fA-F]{2}/g, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : escape.toUpperCase();
  });
  const hasDots = canonical.split('/').some((segment) => /^\.{1,2}(;|$)/.test(segment));
  return hasDots ? undefined : canonical;
}

function tlsOf(ingress: KubernetesObject, spec: IngressSpec, host: string): Pick<HostClaim, 'tlsSecret'> {
  for (const [index, { hosts, secretName }] of (spec.tls ?? []).entries()) {
    if (secretName === undefined || secretName === '') continue;
    if (hosts === undefined || hosts.length === 0 || hosts.includes(host)) {
      return {
        tlsSecret: { key: `${ingress.metadata.namespace ?? ''}/${secretName}`, path: `spec.tls[${index}].secretName` },
      };
    }
  }
  return {};
}
