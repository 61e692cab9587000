// Which endpoint serves next: round robin, past those that lately refused a connection, never at a refused address.
import { lookup as resolve } from 'node:dns';
import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import { LRUCache } from 'lru-cache';
import type { Endpoint, Upstream } from '../model/route.ts';
import { refusedAddresses } from './address.ts';
import type { AddressTest } from './address.ts';

export interface Balancer {
  /** The next endpoint but those already tried; or why there is none. */
  pick(upstream: Upstream, tried: ReadonlySet<Endpoint>): Endpoint | 'NoEndpoints' | 'AddressRefused';
  /** It could not be connected to: others come first for five seconds. */
  failed(endpoint: Endpoint): void;
  /** Resolves host names for connections, and fails with code `EADDRREFUSED` where one leads to a refused address. */
  readonly lookup: LookupFunction;
}

export interface BalancerOptions {
  /** Promise 15; off only without a cluster, where applications live on loopback. */
  readonly checkAddresses: boolean;
  /** Addresses, CIDRs, or host names. */
  readonly refusedAddresses: readonly string[];
  readonly now: () => number;
}

const failureMs = 5_000;
const failuresKept = 4_096;

export function createBalancer({ checkAddresses, refusedAddresses: others, now }: BalancerOptions): Balancer {
  const refused: AddressTest = checkAddresses ? refusedAddresses(others) : () => false;
  const cursors = new WeakMap<Upstream, number>();
  const failedUntil = new LRUCache<string, number>({ max: failuresKept });
  const key = ({ address, port }: Endpoint): string => `${address} ${port}`;
  const isFailing = (endpoint: Endpoint): boolean => (failedUntil.get(key(endpoint)) ?? 0) > now();
  // A host name is judged when it is resolved, at every connect; some clusters name their API server by one.
  const isRefused = ({ address }: Endpoint): boolean =>
    isIP(address) === 0 ? checkAddresses && others.includes(address.toLowerCase()) : refused(address);

  // What is going away comes last of all (KEP-1672).
  const rankOf = (endpoint: Endpoint): number => (endpoint.draining === true ? 2 : 0) + (isFailing(endpoint) ? 1 : 0);

  return {
    pick(upstream, tried) {
      const { endpoints } = upstream;
      const start = cursors.get(upstream) ?? 0;
      let best: { readonly endpoint: Endpoint; readonly at: number; readonly rank: number } | undefined;
      for (let step = 0; step < endpoints.length && best?.rank !== 0; step += 1) {
        const at = (start + step) % endpoints.length;
        const endpoint = endpoints[at];
        if (endpoint === undefined || tried.has(endpoint) || isRefused(endpoint)) continue;
        const rank = rankOf(endpoint);
        if (best === undefined || rank < best.rank) best = { endpoint, at, rank };
      }
      if (best === undefined) return endpoints.some(isRefused) ? 'AddressRefused' : 'NoEndpoints';
      cursors.set(upstream, best.at + 1);
      return best.endpoint;
    },
    failed(endpoint) {
      failedUntil.set(key(endpoint), now() + failureMs);
    },
    lookup: checkedLookup(refused),
  };
}

/** All answers must be allowed, not only the one that would be used: which one that is, whoever runs the name server decides. */
function checkedLookup(refused: AddressTest): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null) callback(error, []);
      else if (addresses.some(({ address }) => refused(address)) || first === undefined) {
        callback(
          Object.assign(new Error('the upstream name leads to a refused address'), { code: 'EADDRREFUSED' }),
          [],
        );
      } else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
