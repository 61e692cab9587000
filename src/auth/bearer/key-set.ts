// The public keys of an issuer: asked for when they are needed, and again when a token names one that is not among them.
import { createLocalJWKSet, errors, jwtVerify } from 'jose';
import type { JSONWebKeySet, JWTVerifyOptions, JWTVerifyResult } from 'jose';

// Asymmetric ones alone, so that no public key can ever serve as a secret (RFC 8725, section 3.1).
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** Keys older than this are asked for again. */
const freshMs = 600_000;
/** While the issuer is away its keys serve on for so long; a key that it has withdrawn serves no longer. */
const staleMs = 3_600_000;
/** Whoever sends tokens with made-up key ids causes one question in this time. */
const againMs = 10_000;
const retryMs = 1_000;

export interface KeySet {
  /** Has the keys asked for where they are not fresh. @throws whatever `fetchKeys` throws where there are none to be had. */
  current(): Promise<unknown>;
  /**
   * Verifies signature and registered claims (RFC 8725).
   * @throws {errors.JOSEError} where the token fails; whatever `fetchKeys` throws where there are no keys to be had.
   */
  verify(token: string, options: JWTVerifyOptions): Promise<JWTVerifyResult>;
}

interface Held {
  readonly find: ReturnType<typeof createLocalJWKSet>;
  readonly at: number;
}

export function createKeySet(fetchKeys: () => Promise<JSONWebKeySet>, now: () => number): KeySet {
  let held: Held | undefined;
  let fetching: Promise<Held> | undefined;
  let failed: { readonly error: unknown; readonly at: number } | undefined;

  async function fetchNew(): Promise<Held> {
    try {
      held = { find: createLocalJWKSet(await fetchKeys()), at: now() };
      failed = undefined;
      return held;
    } catch (error) {
      failed = { error, at: now() };
      throw error;
    } finally {
      fetching = undefined;
    }
  }

  async function current(maxAgeMs: number): Promise<Held> {
    if (held !== undefined && now() - held.at < maxAgeMs) return held;
    const isUsable = held !== undefined && now() - held.at < staleMs;
    const pauseMs = isUsable ? againMs : retryMs;
    try {
      if (failed !== undefined && now() - failed.at < pauseMs) throw failed.error;
      return await (fetching ??= fetchNew());
    } catch (error) {
      if (held !== undefined && isUsable) return held;
      throw error;
    }
  }

  return {
    current: () => current(freshMs),
    async verify(token, options) {
      const keys = await current(freshMs);
      try {
        return await verifyWith(keys, token, options);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        const newer = await current(againMs);
        if (newer === keys) throw error;
        return verifyWith(newer, token, options);
      }
    },
  };
}

// Nothing in a token's header says where its key comes from: `jku`, `x5u`, `jwk` and `x5c` are not looked at.
async function verifyWith({ find }: Held, token: string, given: JWTVerifyOptions): Promise<JWTVerifyResult> {
  const options = { ...given, algorithms };
  try {
    return await jwtVerify(token, find, options);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    // A token without a key id, and several keys that could have signed it.
    for await (const key of error) {
      try {
        return await jwtVerify(token, key, options);
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}
