// From an Ingress backend, its Service and its EndpointSlices to where requests go, and how they are said there.
import { readEndpoints } from './endpoints.ts';
import type { ServicePort } from './endpoints.ts';
import { readExternalName } from './external-name.ts';
import { complain, parseSpec } from './parse.ts';
import type { Parsed } from './parse.ts';
import { createMemory } from './remember.ts';
import { protocolOf, speakTo } from './upstream-protocol.ts';
import type { OwnTerms, UpstreamTerms } from './upstream-terms.ts';
import { createRefuse, refusalInputs, withoutRefused } from './refused-endpoints.ts';
import type { World } from './world.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { objectKey, serviceSpec } from '../model/objects.ts';
import type { IngressBackend, KubernetesObject, ServiceSpec } from '../model/objects.ts';
import type { Upstream } from '../model/route.ts';

export interface ReadUpstream {
  /** Absent: there is nothing to forward to. */
  readonly upstream?: Upstream;
  readonly diagnostics: readonly Diagnostic[];
}

/** Where a backend of an Ingress leads. `path` is the backend's field, for diagnostics on the Ingress. */
export function readUpstream(
  world: World,
  ingress: KubernetesObject,
  backend: IngressBackend,
  path: string,
  terms: UpstreamTerms,
): ReadUpstream {
  const wrong = (code: Diagnostic['code'], field: string, message: string) => ({
    diagnostics: [complain(ingress, code, `${path}${field}`, message)],
  });
  if (backend.resource !== undefined) {
    return wrong('BackendUnsupported', '.resource', 'a resource backend is not served here: name a Service');
  }
  if (backend.service === undefined) return wrong('BackendUnsupported', '', 'a backend needs a service');
  const { name, port } = backend.service;
  const key = `${ingress.metadata.namespace ?? ''}/${name}`;
  const service = world.inventory.services.get(key);
  if (service === undefined) return wrong('ServiceNotFound', '.service.name', `there is no Service ${key}`);
  const { value: spec, diagnostics: faults } = readService(service);
  if (spec === undefined) {
    const { diagnostics } = wrong('ServiceNotFound', '.service.name', `Service ${key} cannot be read`);
    return { diagnostics: [...diagnostics, ...faults] };
  }
  const found = findPort(spec, key, port);
  if ('lacks' in found) return wrong('ServicePortNotFound', '.service.port', found.lacks);
  const external = spec.type === 'ExternalName' ? readExternalName(spec, terms.class.externalNames) : undefined;
  if (external !== undefined && 'fault' in external) {
    return wrong('ExternalNameRefused', '.service.name', `Service ${key} ${external.fault}`);
  }
  const read = upstreamOf(
    world,
    { service, spec, port: found, ...(external && { externalName: external.name }) },
    terms,
  );
  if ('refused' in read) {
    return read.refused === 'Broken'
      ? { diagnostics: [] }
      : wrong(read.refused.code, '.service.port', read.refused.message);
  }
  const diagnostics = [...read.diagnostics, ...unknownProtocol(ingress, `${path}.service.port`, key, found, terms.own)];
  if (read.upstream.endpoints.length > 0) return { upstream: read.upstream, diagnostics };
  const message = `Service ${key} has no ready endpoint at port ${found.name ?? found.port}: requests get 503 until it has one`;
  return {
    upstream: read.upstream,
    diagnostics: [...diagnostics, complain(ingress, 'NoEndpoints', `${path}.service.name`, message, 'warning')],
  };
}

const services = new WeakMap<KubernetesObject, Parsed<ServiceSpec>>();

function readService(service: KubernetesObject): Parsed<ServiceSpec> {
  const known = services.get(service);
  if (known !== undefined) return known;
  const parsed = parseSpec(service, serviceSpec);
  services.set(service, parsed);
  return parsed;
}

type WantedPort = NonNullable<IngressBackend['service']>['port'];

function findPort(spec: ServiceSpec, key: string, wanted: WantedPort): ServicePort | { readonly lacks: string } {
  // The same number may stand there for UDP, too: HTTP/3 beside HTTP/1.
  const ports = (spec.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP');
  const { name, number } = wanted ?? {};
  const found = ports.find((one) => (name === undefined ? one.port === number : one.name === name));
  if (found !== undefined) return found;
  // A Service that is only a name need list no ports.
  if (spec.type === 'ExternalName' && number !== undefined && number >= 1 && number <= 65_535) {
    return externalPort(spec, number);
  }
  const known = ports.map((one) => (one.name === undefined ? one.port : `${one.port} (${one.name})`)).join(', ');
  const has = known === '' ? 'none' : known;
  const asked = name ?? number;
  if (asked === undefined) return { lacks: `a port name or number is wanted; Service ${key} has ${has}` };
  return { lacks: `Service ${key} has no TCP port ${asked}; it has ${has}` };
}

const externalPorts = new WeakMap<ServiceSpec, Map<number, ServicePort>>();

/** The same object for the same port: what is remembered of it hangs there. */
function externalPort(spec: ServiceSpec, number: number): ServicePort {
  const known = externalPorts.get(spec) ?? new Map<number, ServicePort>();
  externalPorts.set(spec, known);
  const port = known.get(number) ?? { port: number };
  known.set(number, port);
  return port;
}

interface Target {
  readonly service: KubernetesObject;
  readonly spec: ServiceSpec;
  readonly port: ServicePort;
  readonly externalName?: string;
}

type PortUpstream =
  | { readonly upstream: Upstream; readonly diagnostics: readonly Diagnostic[] }
  | { readonly refused: Exclude<ReturnType<typeof speakTo>, { readonly protocol: string }> };

// Of each Ingress with terms of its own apart, and of all without any together: a balancer goes round one and the same upstream.
const memories = new WeakMap<OwnTerms, ReturnType<typeof createMemory<PortUpstream>>>();

// Keyed by the port's own object, which lives as long as its Service stays the same.
function upstreamOf(world: World, target: Target, terms: UpstreamTerms): PortUpstream {
  const remember = memories.get(terms.own) ?? createMemory<PortUpstream>();
  memories.set(terms.own, remember);
  const slices = world.slices(objectKey(target.service.metadata));
  const { zone } = world.options;
  const inputs = [terms.class, zone, ...refusalInputs(world), ...slices];
  return remember(target.port, inputs, () => makeUpstream(world, target, terms, slices));
}

function makeUpstream(
  world: World,
  { service, spec, port, externalName }: Target,
  terms: UpstreamTerms,
  slices: readonly KubernetesObject[],
): PortUpstream {
  const { name, namespace = '' } = service.metadata;
  const described = `port ${port.port} of Service ${namespace}/${name}`;
  const ownName = externalName ?? `${name}.${namespace === '' ? 'default' : namespace}.svc`;
  const spoken = speakTo(terms, port.appProtocol, described, ownName);
  if (spoken === 'Broken' || 'code' in spoken) return { refused: spoken };
  const read =
    externalName === undefined
      ? readEndpoints(slices, spec, port, world.options.zone)
      : { endpoints: [{ address: externalName, port: port.port }], diagnostics: [] };
  const { endpoints, diagnostics } = withoutRefused(service, read.endpoints, createRefuse(world));
  return {
    upstream: { name: `${namespace}/${name}:${port.port}`, ...spoken, endpoints },
    diagnostics: [...read.diagnostics, ...diagnostics],
  };
}

function unknownProtocol(
  ingress: KubernetesObject,
  path: string,
  key: string,
  { port, appProtocol }: ServicePort,
  { protocol }: OwnTerms,
): readonly Diagnostic[] {
  if (protocol !== undefined || protocolOf(appProtocol) !== undefined) return [];
  const message = `port ${port} of Service ${key} has the appProtocol ${appProtocol ?? ''}, which is not known here: HTTP/1.1 in plain text is spoken, unless the annotation upstream-protocol says otherwise`;
  return [complain(ingress, 'BackendUnsupported', path, message, 'warning')];
}
