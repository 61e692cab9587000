// From an Ingress backend, its Service and its EndpointSlices to where requests go.
import { readEndpoints } from './endpoints.ts';
import type { ServicePort } from './endpoints.ts';
import { complain, parseSpec } from './parse.ts';
import type { Parsed } from './parse.ts';
import { createMemory } from './remember.ts';
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
    const { endpoints, diagnostics } = readEndpoints(slices, spec, port, world.options.zone);
    const { name, namespace } = service.metadata;
    const isHttps = port.appProtocol === 'https' || port.appProtocol === 'kubernetes.io/wss';
    const upstream: Upstream = {
      name: `${namespace ?? ''}/${name}:${port.port}`,
      ...(isHttps
        ? { protocol: 'https', tls: { serverName: `${name}.${namespace ?? 'default'}.svc` } }
        : { protocol: 'http' }),
      endpoints,
    };
    return { upstream, diagnostics };
  });
}
