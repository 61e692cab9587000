// From one Ingress to its routes, host by host, before anybody asks whose hosts they are.
import { readCors } from './cors.ts';
import { clusterPoliciesOf, ownPolicies } from './attachment.ts';
import { bind } from './binding.ts';
import type { Binding } from './binding.ts';
import { complain, metadataEntry, parseSpec, shown } from './parse.ts';
import type { Parsed } from './parse.ts';
import { isHostName } from './host-name.ts';
import type { HostTraffic } from './host-traffic.ts';
import { readPath } from './path.ts';
import type { IngressPath } from './path.ts';
import { createMemory } from './remember.ts';
import type { ClassReading } from './settings.ts';
import { namedProviders } from './sign-in.ts';
import { isChallengePath } from './solver.ts';
import { namedSecrets, readTraffic } from './traffic.ts';
import type { Traffic } from './traffic.ts';
import { readUpstream } from './upstream.ts';
import type { World } from './world.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { ingressSpec, objectKey } from '../model/objects.ts';
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
  /** What the Ingress says of its hosts. */
  readonly traffic: HostTraffic;
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
  const className = classNameOf(ingress);
  return className === undefined ? isDefault : className === ingressClass.metadata.name;
}

/** The class that an Ingress names, if it does. */
export function classNameOf(ingress: KubernetesObject): unknown {
  const spec: unknown = ingress.spec;
  const named: unknown =
    typeof spec === 'object' && spec !== null && 'ingressClassName' in spec ? spec.ingressClassName : undefined;
  return named ?? metadataEntry(ingress, 'annotations', legacyClassAnnotation);
}

const specs = new WeakMap<KubernetesObject, Parsed<IngressSpec>>();

function readSpec(ingress: KubernetesObject) {
  const known = specs.get(ingress);
  if (known !== undefined) return known;
  const parsed = parseSpec(ingress, ingressSpec);
  specs.set(ingress, parsed);
  return parsed;
}

const rememberIngress = createMemory<IngressReading>();

/** Everything that an Ingress asks for. Made anew only when it, or something that it refers to, has changed. */
export function readIngress(world: World, reading: ClassReading, ingress: KubernetesObject): IngressReading {
  const { value: spec, diagnostics } = readSpec(ingress);
  const own = ownPolicies(world, ingress);
  const cluster = clusterPoliciesOf(world, ingress.metadata.namespace ?? '');
  const { defaultAccess, providers } = reading.settings;
  const inputs = [
    defaultAccess,
    providers.join(' '),
    ...own.flatMap(({ name, because, reading: policy }) => [
      name,
      because,
      policy?.policy,
      ...(policy === undefined ? [] : namedProviders(reading, policy.object).map((provider) => provider?.object)),
    ]),
    // One that cannot be judged in this namespace is made anew each time, and always says the same.
    ...cluster.flatMap(({ object, attached }) => [object, attached.because, attached.policy.broken ?? attached.policy]),
    world.inventory.namespaces.get(ingress.metadata.namespace ?? ''),
    Object.keys(reading.settings.identityHeaders.claims).join(' '),
    ...namedSecrets(world, ingress).values(),
    reading.upstream,
    ...(spec === undefined ? [] : referredTo(world, ingress, spec)),
  ];
  return rememberIngress(ingress, inputs, () => {
    world.translated();
    const binding = bind(world, ingress, reading, own, cluster);
    if (spec === undefined)
      return { ingress, claims: [], binding, diagnostics: [...diagnostics, ...binding.diagnostics] };
    const claims = readClaims(world, ingress, spec, binding, reading, readTraffic(world, ingress, reading.settings));
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

function readClaims(
  world: World,
  ingress: KubernetesObject,
  spec: IngressSpec,
  binding: Binding,
  reading: ClassReading,
  traffic: Traffic,
): Claims {
  const diagnostics: Diagnostic[] = [...traffic.diagnostics];
  const builder = createRouteBuilder(world, ingress, binding, reading, traffic, diagnostics);
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
    const { routes } = claim(host, rule.host === undefined ? rulePath : `${rulePath}.host`);
    for (const [position, one] of (rule.http?.paths ?? []).entries()) {
      const at = `${rulePath}.http.paths[${position}]`;
      const route = builder.route(host, one, at);
      if (route !== undefined) routes.push(route);
      if (isChallengePath(one.path ?? '') && !binding.isPublic) diagnostics.push(challengeBehindPolicies(ingress, at));
    }
  }
  if (spec.defaultBackend !== undefined) {
    // For the hosts that it names, where nothing else of theirs matches; without any, for whatever nobody claims.
    if ((spec.rules ?? []).length === 0) claim('', 'spec.defaultBackend');
    const open = [...byHost].filter(([, { routes }]) => !routes.some(servesAll));
    for (const [host, { routes }] of open) routes.push(builder.fallback(host, spec.defaultBackend));
    if (open.length === 0) diagnostics.push(unreachableDefault(ingress));
  }
  if (spec.defaultBackend === undefined && (spec.rules ?? []).length === 0) {
    diagnostics.push(
      complain(ingress, 'ObjectInvalid', 'spec', 'rules or a defaultBackend is needed: nothing is served'),
    );
  }
  const hostless = byHost.get('');
  if (hostless !== undefined && !binding.isPublic) diagnostics.push(loginWithoutHost(ingress, hostless.path));
  return {
    claims: [...byHost].map(([host, { path, routes }]) => ({
      ingress,
      host,
      path,
      routes,
      traffic: traffic.host,
      ...tlsOf(ingress, spec, host),
    })),
    diagnostics,
  };
}

function createRouteBuilder(
  world: World,
  ingress: KubernetesObject,
  { access, providers, workloads, ...binding }: Binding,
  reading: ClassReading,
  traffic: Traffic,
  diagnostics: Diagnostic[],
) {
  const { name, namespace = '' } = ingress.metadata;
  const denied = binding.denied ?? traffic.denied;
  const { cors, diagnostics: corsDiagnostics } = readCors(ingress);
  diagnostics.push(...corsDiagnostics);
  const terms = { class: reading.upstream, own: traffic.upstream };
  const build = (
    host: string,
    match: Route['match'],
    path: string,
    backend: IngressBackend,
    backendPath: string,
  ): Route => {
    // What sends people elsewhere needs no application.
    const read = traffic.route.redirect
      ? { diagnostics: [] }
      : readUpstream(world, ingress, backend, backendPath, terms);
    diagnostics.push(...read.diagnostics);
    return {
      id: `${objectKey(ingress.metadata)} ${host}${match === 'Exact' ? '=' : ''}${path}`,
      ingress: { namespace, name },
      path,
      match,
      access,
      providers,
      ...(workloads && { workloads }),
      ...(denied !== undefined && { denied }),
      ...(cors && { cors }),
      ...(read.upstream && { upstream: read.upstream }),
      ...traffic.route,
    };
  };
  return {
    fallback: (host: string, backend: IngressBackend) => build(host, 'Prefix', '/', backend, 'spec.defaultBackend'),

    route(host: string, one: IngressPath & { readonly backend: IngressBackend }, at: string): Route | undefined {
      const read = readPath(ingress, one, at);
      diagnostics.push(...read.diagnostics);
      return read.path && build(host, read.path.match, read.path.path, one.backend, `${at}.backend`);
    },
  };
}

function readHost(
  ingress: KubernetesObject,
  host: string | undefined,
  path: string,
  diagnostics: Diagnostic[],
): string | undefined {
  if (host === undefined || host === '') return '';
  if (
    isHostName(host.replace(/^\*\./, '')) &&
    host.length <= 253 &&
    !(host.startsWith('*.') && !host.slice(2).includes('.') && host.slice(2) !== 'localhost')
  )
    return host;
  const message = `${shown(host)} is not a host: a lower-case name without a port is wanted, or *. before a name of two labels or more`;
  diagnostics.push(complain(ingress, 'HostInvalid', path, message));
  return undefined;
}

function loginWithoutHost(ingress: KubernetesObject, path: string): Diagnostic {
  const message =
    'without a host nobody can sign in: where its policies ask who somebody is, the answer is no. Name a host, or make the Ingress public';
  return complain(ingress, 'LoginWithoutHost', path, message, 'warning');
}

// cert-manager's edit-in-place: nothing tells such a path from any other of the Ingress, whose owner closed it.
function challengeBehindPolicies(ingress: KubernetesObject, at: string): Diagnostic {
  const message =
    'an ACME server cannot sign in, and this path is behind the policies of this Ingress like any other: let cert-manager make an Ingress of its own, without acme.cert-manager.io/http01-edit-in-place';
  return complain(ingress, 'ChallengeBehindPolicies', `${at}.path`, message, 'warning');
}

function servesAll({ match, path }: Route): boolean {
  return match === 'Prefix' && path === '/';
}

function unreachableDefault(ingress: KubernetesObject): Diagnostic {
  const message =
    'nothing leads to this backend: it answers for the hosts of this Ingress, and each of them serves / or is refused';
  return complain(ingress, 'ConflictingRoute', 'spec.defaultBackend', message, 'warning');
}

// An entry that names the host, else one that names its wildcard, else one that names none and is for all.
function tlsOf(ingress: KubernetesObject, spec: IngressSpec, host: string): Pick<HostClaim, 'tlsSecret'> {
  const entries = (spec.tls ?? []).map(({ hosts = [], secretName = '' }, index) => ({ hosts, secretName, index }));
  const named = entries.filter(({ secretName }) => secretName !== '');
  const wildcard = `*${host.slice(host.indexOf('.'))}`;
  const found =
    named.find(({ hosts }) => hosts.includes(host)) ??
    named.find(({ hosts }) => host.includes('.') && hosts.includes(wildcard)) ??
    named.find(({ hosts }) => hosts.length === 0);
  if (found === undefined) return {};
  const key = `${ingress.metadata.namespace ?? ''}/${found.secretName}`;
  return { tlsSecret: { key, path: `spec.tls[${found.index}].secretName` } };
}
