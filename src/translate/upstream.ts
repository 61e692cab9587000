// From an Ingress backend, its Service and its EndpointSlices to where requests go.
import { z } from 'zod';
import { complain, parseSpec, shown } from './parse.ts';
import type { Parsed } from './parse.ts';
import { createMemory } from './remember.ts';
import type { World } from './world.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { endpointSlice, objectKey, serviceSpec } from '../model/objects.ts';
import type { EndpointSlice, IngressBackend, KubernetesObject, ServiceSpec } from '../model/objects.ts';
import type { Endpoint, Upstream } from '../model/route.ts';
import { isAddress } from '../policy/address.ts';

export interface ReadUpstream {
  /** Absent: there is nothing to forward to. */
  readonly upstream?: Upstream;
  readonly diagnostics: readonly Diagnostic[];
}

type ServicePort = NonNullable<ServiceSpec['ports']>[number];

/** Where a backend of an Ingress leads. `path` is the backend's field, for diagnostics on the Ingress. */
export function readUpstream(
  world: World,
  ingress: KubernetesObject,
  backend: IngressBackend,
  path: string,
): ReadUpstream {
  const wrong = (code: Diagnostic['code'], field: string, message: string) => ({
    diagnostics: [complain(ingress, code, `${path}${field}`, message)],
  });
  if (backend.resource !== undefined) {
    return wrong('BackendUnsupported', '.resource', 'a resource backend is not served here: name a Service');
  }
  if (backend.service === undefined) return wrong('BackendUnsupported', '', 'a backend needs a service');
  const { name, port } = backend.service;
  const key = objectKey({
    ...(ingress.metadata.namespace !== undefined && { namespace: ingress.metadata.namespace }),
    name,
  });
  const service = world.inventory.services.get(key);
  if (service === undefined) return wrong('ServiceNotFound', '.service.name', `there is no Service ${key}`);
  const { value: spec, diagnostics: faults } = readService(service);
  if (spec === undefined) {
    const { diagnostics } = wrong('ServiceNotFound', '.service.name', `Service ${key} cannot be read`);
    return { diagnostics: [...diagnostics, ...faults] };
  }
  if (spec.type === 'ExternalName') {
    return wrong(
      'BackendUnsupported',
      '.service.name',
      `Service ${key} is an ExternalName, a way into other networks: those are not served`,
    );
  }
  // The same number may stand there for UDP, too: HTTP/3 beside HTTP/1.
  const ports = (spec.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP');
  const found = ports.find((one) => (port?.name === undefined ? one.port === port?.number : one.name === port.name));
  if (found === undefined) {
    const wanted = port?.name ?? port?.number;
    const known = ports.map((one) => (one.name === undefined ? one.port : `${one.port} (${one.name})`)).join(', ');
    const lacks = wanted === undefined ? 'a port name or number is wanted' : `Service ${key} has no TCP port ${wanted}`;
    const has = wanted === undefined ? `Service ${key} has` : 'it has';
    return wrong('ServicePortNotFound', '.service.port', `${lacks}; ${has} ${known === '' ? 'none' : known}`);
  }
  if (found.appProtocol === 'kubernetes.io/h2c') {
    return wrong(
      'BackendUnsupported',
      '.service.port',
      `port ${found.port} of Service ${key} speaks h2c, which is not supported yet`,
    );
  }
  const { upstream, diagnostics } = upstreamOf(world, service, spec, found);
  if (upstream.endpoints.length > 0) return { upstream, diagnostics };
  const message = `Service ${key} has no ready endpoint at port ${found.name ?? found.port}: requests get 503 until it has one`;
  return {
    upstream,
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

interface PortUpstream {
  readonly upstream: Upstream;
  readonly diagnostics: readonly Diagnostic[];
}

// Keyed by the port's own object, which lives as long as its Service stays the same.
const rememberUpstream = createMemory<PortUpstream>();

function upstreamOf(world: World, service: KubernetesObject, spec: ServiceSpec, port: ServicePort): PortUpstream {
  const slices = world.slices(objectKey(service.metadata));
  return rememberUpstream(port, slices, () => {
    const diagnostics: Diagnostic[] = [];
    const endpoints = slices.flatMap((slice) => {
      const read = readSlice(slice);
      diagnostics.push(...read.diagnostics);
      return read.value ? endpointsOf(read.value, port, spec.publishNotReadyAddresses === true) : [];
    });
    const { name, namespace } = service.metadata;
    const isHttps = port.appProtocol === 'https' || port.appProtocol === 'kubernetes.io/wss';
    const upstream: Upstream = {
      name: `${namespace ?? ''}/${name}:${port.port}`,
      ...(isHttps
        ? { protocol: 'https', tls: { serverName: `${name}.${namespace ?? 'default'}.svc` } }
        : { protocol: 'http' }),
      endpoints: distinct(endpoints),
    };
    return { upstream, diagnostics };
  });
}

interface SliceReading {
  readonly value?: EndpointSlice;
  readonly diagnostics: readonly Diagnostic[];
}

const slicesRead = new WeakMap<KubernetesObject, SliceReading>();

function readSlice(slice: KubernetesObject): SliceReading {
  const known = slicesRead.get(slice);
  if (known !== undefined) return known;
  const read = parseSlice(slice);
  slicesRead.set(slice, read);
  return read;
}

// The API server has checked an address that is in a slice of addresses; nobody has in a file.
function parseSlice(slice: KubernetesObject): SliceReading {
  const { data: value, error } = endpointSlice.safeParse(slice);
  if (value === undefined) {
    const [issue] = error?.issues ?? [];
    const message = `${issue?.message ?? 'it is wrong'}; nothing of this EndpointSlice is used`;
    return { diagnostics: [complain(slice, 'ObjectInvalid', z.core.toDotPath(issue?.path ?? []), message)] };
  }
  if (value.addressType === 'FQDN') {
    const message = 'an EndpointSlice of names is a way into other networks: addresses are wanted';
    return { diagnostics: [complain(slice, 'EndpointAddressRefused', 'addressType', message)] };
  }
  if (value.ports?.some(({ port }) => port != null && (port < 1 || port > 65_535)) === true) {
    const message = 'a port is a number from 1 to 65535; nothing of this EndpointSlice is used';
    return { diagnostics: [complain(slice, 'ObjectInvalid', 'ports', message)] };
  }
  const endpoints = value.endpoints ?? [];
  const wrong = endpoints.flatMap(({ addresses }) => addresses.slice(0, 1)).find((address) => !isAddress(address));
  if (wrong === undefined) return { value, diagnostics: [] };
  const message = `${shown(wrong)} is not an address: endpoints like this are left out`;
  return {
    value: { ...value, endpoints: endpoints.filter(({ addresses: [address = ''] }) => isAddress(address)) },
    diagnostics: [complain(slice, 'EndpointAddressRefused', 'endpoints', message)],
  };
}

// The slice names its ports as the Service does, with the number that the pods listen on: a named targetPort is thereby
// resolved already. `ready` may be absent and then means yes (discovery.k8s.io/v1).
function endpointsOf(slice: EndpointSlice, port: ServicePort, evenNotReady: boolean): readonly Endpoint[] {
  const slicePort = slice.ports?.find(({ name }) => (name ?? '') === (port.name ?? ''))?.port;
  if (slicePort == null) return [];
  return (slice.endpoints ?? [])
    .filter(({ conditions }) => evenNotReady || conditions?.ready !== false)
    .flatMap(({ addresses }) => addresses.slice(0, 1).map((address) => ({ address, port: slicePort })));
}

function distinct(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  return [...new Map(endpoints.map((endpoint) => [`${endpoint.address} ${endpoint.port}`, endpoint])).values()];
}
