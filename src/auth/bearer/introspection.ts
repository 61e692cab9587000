// Tokens that are no JWT: the provider is asked (RFC 7662), and its answer kept for a moment.
import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { ProviderError } from '../provider/error.ts';
import { believedMs } from './judged.ts';

/** A made-up token costs one question in this time. */
const unknownMs = 10_000;
const limit = 10_000;
/** Questions under way at one provider; who comes then is told to come again. */
const maxUnderWay = 32;

/** What the provider said; absent: the token is not active. */
export interface Introspected {
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** @throws {ProviderError} with code `unavailable`. */
export type Introspect = (token: string) => Promise<Introspected>;

/** @param ask The provider's answer, as it came. */
export function createIntrospection(
  ask: (token: string) => Promise<Readonly<Record<string, unknown>>>,
  now: () => number,
): Introspect {
  // One for each provider and its audiences: none of what is known here is ever another's.
  const known = new LRUCache<string, Introspected>({ max: limit });
  const asking = new Map<string, Promise<Introspected>>();

  async function introspect(token: string, key: string): Promise<Introspected> {
    try {
      const claims = await ask(token);
      const at = now();
      const expiresAt = typeof claims['exp'] === 'number' ? claims['exp'] * 1000 : Infinity;
      const isActive = claims['active'] === true && expiresAt > at;
      const answer = isActive ? { claims, until: Math.min(at + believedMs, expiresAt) } : { until: at + unknownMs };
      known.set(key, answer);
      return answer;
    } finally {
      asking.delete(key);
    }
  }

  return async (token) => {
    const key = hash('sha256', token, 'base64url');
    const found = known.get(key);
    if (found !== undefined && found.until > now()) return found;
    const underWay = asking.get(key);
    if (underWay !== undefined) return underWay;
    if (asking.size >= maxUnderWay) throw new ProviderError('unavailable', 'too many tokens are being asked about');
    const answer = introspect(token, key);
    asking.set(key, answer);
    return answer;
  };
}
