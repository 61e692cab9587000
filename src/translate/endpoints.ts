// From the EndpointSlices of a Service to the endpoints of one of its ports: which are used, and which of the addresses of a pod.
import { z } from 'zod';
import { complain, shown } from './parse.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { endpointSlice } from '../model/objects.ts';
import type { EndpointSlice, KubernetesObject, ServiceSpec } from '../model/objects.ts';
import type { Endpoint } from '../model/route.ts';
import { isAddress } from '../policy/address.ts';

export type ServicePort = NonNullable<ServiceSpec['ports']>[number];

export interface ReadEndpoints {
  readonly endpoints: readonly Endpoint[];
  readonly diagnostics: readonly Diagnostic[];
}

/** @param zone The topology zone that we are in; absent: hints are not heeded. */
export function readEndpoints(
  slices: readonly KubernetesObject[],
  service: ServiceSpec,
  port: ServicePort,
  zone: string | undefined,
): ReadEndpoints {
  const readings = slices.map(readSlice);
  const all = readings.flatMap(({ value }) => (value === undefined ? [] : candidatesOf(value, service, port)));
  const usable = onePerPod(all, service.ipFamilies?.[0]);
  return {
    endpoints: inZone(usable, zone).map(({ endpoint }) => endpoint),
    diagnostics: readings.flatMap(({ diagnostics }) => diagnostics),
  };
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

/** An endpoint, and what decides whether it is used. */
interface Candidate {
  readonly endpoint: Endpoint;
  readonly family: EndpointSlice['addressType'];
  /** The pod behind it; absent: nobody says. */
  readonly pod?: string;
  /** Zones that it should serve. */
  readonly hints: readonly string[];
}

// The slice names its ports as the Service does, with the number that the pods listen on: a named targetPort is thereby
// resolved already. All but the first address of an endpoint are out of use (discovery.k8s.io/v1).
function candidatesOf(slice: EndpointSlice, service: ServiceSpec, { name = '' }: ServicePort): readonly Candidate[] {
  const port = slice.ports?.find((one) => (one.name ?? '') === name && (one.protocol ?? 'TCP') === 'TCP')?.port;
  if (port == null) return [];
  return (slice.endpoints ?? []).flatMap(({ addresses: [address], conditions, targetRef, hints }) => {
    const use = useOf(conditions ?? {}, service.publishNotReadyAddresses === true);
    if (address === undefined || use === 'None') return [];
    return {
      endpoint: { address, port, ...(use === 'Draining' && { draining: true }) },
      family: slice.addressType,
      ...(targetRef?.uid != null && { pod: targetRef.uid }),
      hints: (hints?.forZones ?? []).map(({ name: zone }) => zone),
    };
  });
}

type Conditions = NonNullable<NonNullable<NonNullable<EndpointSlice['endpoints']>[number]>['conditions']>;

// `ready` that is absent means yes, and `serving` means what `ready` does (discovery.k8s.io/v1). A pod that is going away is
// never ready, and may serve still: it is the last resort (KEP-1672).
function useOf({ ready, serving, terminating }: Conditions, evenNotReady: boolean): 'Full' | 'Draining' | 'None' {
  if (ready !== false || evenNotReady) return 'Full';
  return terminating === true && serving === true ? 'Draining' : 'None';
}

/**
 * An endpoint may stand in two slices for a moment, and a pod of two families stands in one of each: it counts once, by its
 * address of the Service's first family. Where a new pod has the address of one that is going away, the new one counts.
 */
function onePerPod(all: readonly Candidate[], family: string | undefined): readonly Candidate[] {
  const ranked = all.toSorted((a, b) => rankOf(a, family) - rankOf(b, family));
  const chosen = new Set<Candidate>();
  const seen = new Set<string>();
  for (const candidate of ranked) {
    const { endpoint, pod } = candidate;
    const place = `${endpoint.address} ${endpoint.port}`;
    if (seen.has(place) || (pod !== undefined && seen.has(pod))) continue;
    seen.add(place);
    if (pod !== undefined) seen.add(pod);
    chosen.add(candidate);
  }
  // In the order of the slices.
  return all.filter((candidate) => chosen.has(candidate));
}

function rankOf({ endpoint, family }: Candidate, preferred: string | undefined): number {
  return (endpoint.draining === true ? 2 : 0) + (preferred === undefined || family === preferred ? 0 : 1);
}

// As kube-proxy does: hints count where every ready endpoint has some, and ours are among them; else all are used, for a
// zone must never be left with nothing. The last resort is open to all zones.
function inZone(usable: readonly Candidate[], zone: string | undefined): readonly Candidate[] {
  const ready = usable.filter(({ endpoint }) => endpoint.draining !== true);
  const isHinted =
    ready.every(({ hints }) => hints.length > 0) && ready.some(({ hints }) => hints.includes(zone ?? ''));
  if (zone === undefined || !isHinted) return usable;
  return usable.filter(({ endpoint, hints }) => endpoint.draining === true || hints.includes(zone));
}
