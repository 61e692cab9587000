// How an application believes Sallyport: it verifies the signed JWT that came with the request, against the keys its own host publishes.
import type { IncomingMessage } from 'node:http';
import { createLocalJWKSet, decodeJwt, errors, jwtVerify } from 'jose';
import type { JSONWebKeySet, JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import { callLoopback } from './loopback.ts';

/** Who the application may believe is asking. */
export interface Person {
  readonly user: string;
  readonly email?: string;
  readonly name?: string;
  readonly groups: readonly string[];
}

export type Assertion =
  | { readonly verified: true; readonly claims: JWTPayload }
  | { readonly verified: false; readonly claims?: JWTPayload; readonly error: string };

/** Reads a request's assertion; `undefined` where it carries none. Never throws. */
export type ReadAssertion = (request: IncomingMessage) => Promise<Assertion | undefined>;

type KeySet = ReturnType<typeof createLocalJWKSet>;

const maxHosts = 16;
const keysMaxAgeMs = 300_000;
// A key id nobody knows may be one that was added just now, or nonsense: it is asked for at most this often.
const refetchAfterMs = 5_000;

/**
 * @param jwksUrl Where the keys are published; fetched with the Host of the request, for each host has keys of its own
 * address.
 */
export function createAssertionReader(jwksUrl: URL): ReadAssertion {
  const keySets = new LRUCache<string, { readonly keySet: KeySet; readonly fetchedAt: number }>({
    max: maxHosts,
    ttl: keysMaxAgeMs,
  });

  async function keysOf(host: string, newerThan: number): Promise<KeySet> {
    const known = keySets.get(host);
    if (known !== undefined && known.fetchedAt > newerThan) return known.keySet;
    const { status, body } = await callLoopback({ url: jwksUrl, headers: { host } });
    if (status !== 200) throw new Error(`the keys at ${jwksUrl.href} answered ${status}`);
    const keySet = createLocalJWKSet(JSON.parse(body) as JSONWebKeySet);
    keySets.set(host, { keySet, fetchedAt: Date.now() });
    return keySet;
  }

  async function verify(token: string, host: string): Promise<JWTPayload> {
    const options = { algorithms: ['ES256'], audience: [host, withoutPort(host)], requiredClaims: ['exp', 'sub'] };
    try {
      return (await jwtVerify(token, await keysOf(host, 0), options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      return (await jwtVerify(token, await keysOf(host, Date.now() - refetchAfterMs), options)).payload;
    }
  }

  return async (request) => {
    const token = request.headers['x-sallyport-jwt-assertion'];
    if (typeof token !== 'string') return undefined;
    try {
      return { verified: true, claims: await verify(token, request.headers.host ?? '') };
    } catch (error) {
      const claims = claimsUnverified(token);
      const reason = error instanceof Error ? error.message : String(error);
      return { verified: false, error: reason, ...(claims && { claims }) };
    }
  };
}

/** The person of an assertion that verified; nobody otherwise. */
export function personOf(assertion: Assertion | undefined): Person | undefined {
  if (assertion?.verified !== true) return undefined;
  const { sub, email, name, groups } = assertion.claims;
  return {
    user: sub ?? '',
    ...(typeof email === 'string' && { email }),
    ...(typeof name === 'string' && { name }),
    groups: Array.isArray(groups) ? groups.map(String) : [],
  };
}

function claimsUnverified(token: string): JWTPayload | undefined {
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}

function withoutPort(host: string): string {
  return host.replace(/:[0-9]+$/, '');
}
