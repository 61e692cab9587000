// From an Ingress backend, its Service and its EndpointSlices to where requests go.
import { complain } from './parse.ts';
import { createMemory } from './remember.ts';
import type { World } from './world.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { endpointSlice, objectKey, serviceSpec } from '../model/objects.ts';
import type { EndpointSlice, IngressBackend, KubernetesObject, ServiceSpec } from '../model/objects.ts';
import type { Endpoint, Upstream } from '../model/route.ts';

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
  const spec = readService(service);
  if (spec === undefined) return wrong('ServiceNotFound', '.service.name', `Service ${key} cannot be read`);
  if (spec.type === 'ExternalName') {
    return wrong(
      'BackendUnsupported',
      '.service.name',
      `Service ${key} is an ExternalName, a way into other networks: those are not served`,
    );
  }
  const ports = spec.ports ?? [];
  const found = ports.find((one) => (port?.name === undefined ? one.port === port?.number : one.name === port.name));
  if (found === undefined) {
    const wanted = port?.name ?? port?.number ?? 'none';
    const known = ports.map((one) => (one.name === undefined ? one.port : `${one.port} (${one.name})`)).join(', ');
    return wrong(
      'ServicePortNotFound',
      '.service.port',
      `Service ${key} has no port ${wanted}; it has ${known === '' ? 'none' : known}`,
    );
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

const services = new WeakMap<KubernetesObject, ServiceSpec | null>();

function readService(service: KubernetesObject): ServiceSpec | undefined {
  const known = services.get(service);
  if (known !== undefined) return known ?? undefined;
  const spec = serviceSpec.safeParse(service.spec).data;
  services.set(service, spec ?? null);
  return spec;
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
      if (read?.addressType === 'FQDN') {
        const message = 'an EndpointSlice of names is a way into other networks: addresses are wanted';
        diagnostics.push(complain(slice, 'EndpointAddressRefused', 'addressType', message));
        return [];
      }
      return read === undefined ? [] : endpointsOf(read, port, spec.publishNotReadyAddresses === true);
    });
    const { name, namespace } = service.metadata;
    const isHttps = port.appProtocol === 'https' || port.appProtocol === 'kubernetes.io/wss';
    const upstream: Upstream = {
      name: `${namespace ?? ''}/${name}:${port.port}`,
      protocol: isHttps ? 'https' : 'http',
      ...(isHttps && { serverName: `${name}.${namespace ?? 'default'}.svc` }),
      endpoints: distinct(endpoints),
    };
    return { upstream, diagnostics };
  });
}

const slicesRead = new WeakMap<KubernetesObject, EndpointSlice | null>();

function readSlice(slice: KubernetesObject): EndpointSlice | undefined {
  const known = slicesRead.get(slice);
  if (known !== undefined) return known ?? undefined;
  const read = endpointSlice.safeParse(slice).data;
  slicesRead.set(slice, read ?? null);
  return read;
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
