// A provider's keys, by which its tokens' signatures are checked: fetched when they are needed, and again when a token names one that is new.
import { compactVerify, createRemoteJWKSet, customFetch, errors } from 'jose';
import type { JWK } from 'jose';
import type { CustomFetch, ServerMetadata } from 'openid-client';
import { callTimeoutMs } from './fetch.ts';
import { ProviderError } from './error.ts';

/** What is believed of a signature: public keys alone, never `none`, never a key that the provider shares with us. */
const algorithms =
  'ES256 ES384 ES512 PS256 PS384 PS512 RS256 RS384 RS512 EdDSA Ed25519 ML-DSA-44 ML-DSA-65 ML-DSA-87'.split(' ');

/** After a fetch the next for an unknown key waits so long: tokens that name keys at random are one call, not many. */
const refetchAfterMs = 5_000;
const keepMs = 600_000;

// What these say is about the token. All else is about fetching the keys.
const faults: ReadonlySet<string> = new Set([
  errors.JWKSNoMatchingKey.code,
  errors.JWKSMultipleMatchingKeys.code,
  errors.JWSSignatureVerificationFailed.code,
  errors.JWSInvalid.code,
  errors.JOSEAlgNotAllowed.code,
  errors.JOSENotSupported.code,
]);

/** From whom we have a token: from its token endpoint, or from anybody. */
export type Bringer = 'Provider' | 'Anybody';

/** Checks that a provider signed a token. */
export interface ProviderKeys {
  /** @throws {ProviderError} `invalid`: the signature is not the provider's. `unavailable`: its keys cannot be had. */
  verify(server: ServerMetadata, token: string, from: Bringer): Promise<void>;
}

export function createProviderKeys(name: string, fetch: CustomFetch): ProviderKeys {
  let known: { readonly uri: string; readonly keys: ReturnType<typeof createRemoteJWKSet> } | undefined;

  function keysAt(uri: string) {
    if (known?.uri === uri) return known.keys;
    const keys = createRemoteJWKSet(new URL(uri), {
      timeoutDuration: callTimeoutMs,
      cooldownDuration: refetchAfterMs,
      cacheMaxAge: keepMs,
      [customFetch]: (url, options) =>
        fetch(url, { ...options, body: undefined, headers: Object.fromEntries(options.headers) }),
    });
    known = { uri, keys };
    return keys;
  }

  return {
    async verify({ jwks_uri: uri, issuer }, token, from) {
      if (uri === undefined || !URL.canParse(uri))
        throw new ProviderError('unavailable', `IdentityProvider ${name} does not say where its keys are`);
      try {
        const keys = keysAt(uri);
        const { protectedHeader } = await compactVerify(token, keys, { algorithms }).catch(async (error: unknown) => {
          // Only strangers can name keys at random: what the provider itself has just signed with is a key of its.
          const isNew = error instanceof errors.JWKSNoMatchingKey && from === 'Provider' && keys.coolingDown;
          if (!isNew) throw error;
          await keys.reload();
          return compactVerify(token, keys, { algorithms });
        });
        checkKeyIssuer(
          keys.jwks()?.keys.find(({ kid }) => kid === protectedHeader.kid),
          issuer,
        );
      } catch (cause) {
        if (cause instanceof errors.JOSEError && faults.has(cause.code))
          throw new ProviderError(
            'invalid',
            `IdentityProvider ${name} gave a token with a wrong signature: ${cause.code}`,
            { cause },
          );
        throw new ProviderError('unavailable', `the keys of IdentityProvider ${name} cannot be had`, { cause });
      }
    },
  };
}

// Entra ID publishes the keys of all tenants in one place, and says of each whose tokens it signs.
function checkKeyIssuer(key: JWK | undefined, issuer: string): void {
  const of = (key as Readonly<Record<string, unknown>> | undefined)?.['issuer'];
  if (typeof of !== 'string' || of === issuer) return;
  const [start = '', end = ''] = of.split('{tenantid}');
  const isOurs = of.includes('{tenantid}') && issuer.startsWith(start) && issuer.endsWith(end);
  if (!isOurs) throw new errors.JWKSNoMatchingKey(`the key is one of ${of}`);
}
