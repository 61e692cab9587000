// Endpoints that no application may be (promise 15): addresses that the proxy never connects to, and the API server's own.
import { complain } from './parse.ts';
import type { World } from './world.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { endpointSlice, objectKey } from '../model/objects.ts';
import type { KubernetesObject } from '../model/objects.ts';
import { refusedRanges } from '../model/refused-addresses.ts';
import type { Endpoint } from '../model/route.ts';
import { parseRange, rangesTest } from '../policy/address.ts';

/** Why an endpoint is none; undefined where it is one. */
export type Refuse = (endpoint: Endpoint) => string | undefined;

/** The API server keeps this object itself: whoever can change it leads every program of the cluster astray already. */
const apiServerSlice = 'default/kubernetes';

/** What a refusal is made from: it stays the same until this changes. */
export function refusalInputs({ inventory, options }: World): readonly unknown[] {
  return [options.fromFolder, options.refusedAddresses, inventory.endpointSlices.get(apiServerSlice)];
}

/** In a folder, where one tenant tries things on their own computer, nothing is refused. */
export function createRefuse({ inventory, options }: World): Refuse {
  if (options.fromFolder) return () => undefined;
  const places = placesOf(inventory.endpointSlices.get(apiServerSlice));
  const isRefused = addressTest(options.refusedAddresses ?? none);
  return ({ address, port }) => {
    if (places.has(`${address} ${port}`)) return 'is the API server';
    return isRefused(address)
      ? 'is no address of an application: loopback, link-local, metadata, or our own'
      : undefined;
  };
}

const none: readonly string[] = [];
const tests = new WeakMap<readonly string[], ReturnType<typeof rangesTest>>();

function addressTest(others: readonly string[]): ReturnType<typeof rangesTest> {
  const known = tests.get(others);
  if (known !== undefined) return known;
  const test = rangesTest([...refusedRanges, ...others].flatMap((range) => parseRange(range) ?? []));
  tests.set(others, test);
  return test;
}

const placesBySlice = new WeakMap<KubernetesObject, ReadonlySet<string>>();

function placesOf(slice: KubernetesObject | undefined): ReadonlySet<string> {
  if (slice === undefined) return new Set();
  const known = placesBySlice.get(slice);
  if (known !== undefined) return known;
  const { data } = endpointSlice.safeParse(slice);
  const ports = (data?.ports ?? []).flatMap(({ port }) => port ?? []);
  const addresses = (data?.endpoints ?? []).flatMap((endpoint) => endpoint.addresses);
  const places = new Set(addresses.flatMap((address) => ports.map((port) => `${address} ${port}`)));
  placesBySlice.set(slice, places);
  return places;
}

/** Leaves out what is refused, and says so once for each reason. */
export function withoutRefused(
  service: KubernetesObject,
  endpoints: readonly Endpoint[],
  refuse: Refuse,
): { readonly endpoints: readonly Endpoint[]; readonly diagnostics: readonly Diagnostic[] } {
  const reasons = new Map<string, Endpoint>();
  const kept = endpoints.filter((endpoint) => {
    const reason = refuse(endpoint);
    if (reason !== undefined && !reasons.has(reason)) reasons.set(reason, endpoint);
    return reason === undefined;
  });
  if (reasons.size === 0) return { endpoints, diagnostics: [] };
  const diagnostics = [...reasons].map(([reason, { address, port }]) => {
    const message = `an EndpointSlice of Service ${objectKey(service.metadata)} leads to ${address}, port ${port}, which ${reason}: such endpoints are left out`;
    return complain(service, 'EndpointAddressRefused', '', message);
  });
  return { endpoints: kept, diagnostics };
}
