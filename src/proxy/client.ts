// Who is at the other end: the client's address and scheme, after the load balancers that the class trusts.
import { addressSet, canonicalAddress } from './address.ts';
import type { AddressTest } from './address.ts';

export type HeaderIndex = ReadonlyMap<string, readonly string[]>;

export interface Client {
  /** What policies judge: the peer, or behind trusted proxies the right-most address that is none of theirs. */
  readonly address: string;
  /** The judged address first, then each trusted proxy, the peer last. What stands left of it in X-Forwarded-For, the client wrote. */
  readonly chain: readonly string[];
  readonly scheme: 'http' | 'https';
}

const trustedSets = new WeakMap<readonly string[], AddressTest>();

function trusts(trustedProxies: readonly string[]): AddressTest {
  let test = trustedSets.get(trustedProxies);
  if (test === undefined) {
    test = addressSet(trustedProxies);
    trustedSets.set(trustedProxies, test);
  }
  return test;
}

/** `peer` must be canonical. */
export function clientOf(
  peer: string,
  encrypted: boolean,
  headers: HeaderIndex,
  trustedProxies: readonly string[],
): Client {
  const ownScheme = encrypted ? 'https' : 'http';
  if (trustedProxies.length === 0) return { address: peer, chain: [peer], scheme: ownScheme };
  const isTrusted = trusts(trustedProxies);
  if (!isTrusted(peer)) return { address: peer, chain: [peer], scheme: ownScheme };
  const chain = forwardedChain(peer, headers, isTrusted);
  return { address: chain[0] ?? peer, chain, scheme: forwardedScheme(headers) ?? ownScheme };
}

function forwardedChain(peer: string, headers: HeaderIndex, isTrusted: AddressTest): string[] {
  const entries = (headers.get('x-forwarded-for') ?? []).join(',').split(',');
  const chain = [peer];
  while (entries.length > 0 && isTrusted(chain[0] ?? '')) {
    const address = entryAddress(entries.pop() ?? '');
    // Whoever wrote something unreadable is as far as anybody vouches.
    if (address === undefined) break;
    chain.unshift(address);
  }
  return chain;
}

/** Some load balancers add the port. */
function entryAddress(entry: string): string | undefined {
  const text = entry.trim();
  const withPort = /^(?:\[([^\]]+)\](?::[0-9]+)?|([0-9.]+):[0-9]+)$/.exec(text);
  return canonicalAddress(withPort?.[1] ?? withPort?.[2] ?? text);
}

/** The right-most: the one that the trusted peer wrote. */
function forwardedScheme(headers: HeaderIndex): 'http' | 'https' | undefined {
  const last = (headers.get('x-forwarded-proto') ?? []).join(',').split(',').at(-1)?.trim().toLowerCase();
  return last === 'http' || last === 'https' ? last : undefined;
}
