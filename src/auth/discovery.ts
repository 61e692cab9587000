// What a provider says of itself (OpenID Connect Discovery 1.0): fetched once, kept while it is fresh, and used on while the provider is away.
import * as oidc from 'openid-client';
import type { ProviderSettings } from '../model/settings.ts';
import { ProviderError } from './provider-error.ts';

/** How long one call to a provider may take. */
export const callTimeoutMs = 5_000;
const rediscoverAfterMs = 3_600_000;
// After a failed discovery the next is not tried at once: ten tabs are one call, not ten.
const retryAfterMs = 1_000;

/** The function that gives a provider's configuration whenever it is asked for. It throws {@link ProviderError} `unavailable`. */
export function createDiscovery(
  settings: ProviderSettings,
  fetch: oidc.CustomFetch,
  now: () => number,
): () => Promise<oidc.Configuration> {
  let discovered: { readonly configuration: oidc.Configuration; readonly at: number } | undefined;
  let discovering: Promise<oidc.Configuration> | undefined;
  let failed: { readonly error: ProviderError; readonly at: number } | undefined;

  async function discover(): Promise<oidc.Configuration> {
    try {
      const configuration = await oidc.discovery(new URL(settings.issuer), settings.clientId, undefined, undefined, {
        execute: settings.allowInsecure ? [oidc.allowInsecureRequests] : [],
        timeout: callTimeoutMs / 1000,
        [oidc.customFetch]: fetch,
      });
      const ready = withClientAuthentication(configuration, settings, fetch);
      // Throws where the endpoint is missing, or nowhere that a browser should be sent.
      oidc.buildAuthorizationUrl(ready, {});
      discovered = { configuration: ready, at: now() };
      failed = undefined;
      return ready;
    } catch (cause) {
      const error = new ProviderError(
        'unavailable',
        `IdentityProvider ${settings.name} cannot be discovered at ${settings.issuer}`,
        { cause },
      );
      failed = { error, at: now() };
      // What was known before goes on being used: a provider that is away for a moment has not changed its endpoints.
      if (discovered !== undefined) return discovered.configuration;
      throw error;
    } finally {
      discovering = undefined;
    }
  }

  return async () => {
    if (discovered !== undefined && now() - discovered.at < rediscoverAfterMs) return discovered.configuration;
    if (failed !== undefined && now() - failed.at < retryAfterMs) {
      if (discovered === undefined) throw failed.error;
      return discovered.configuration;
    }
    discovering ??= discover();
    return discovering;
  };
}

// RFC 8414, section 2: where a provider does not say how clients authenticate, it is client_secret_basic.
function withClientAuthentication(
  found: oidc.Configuration,
  settings: ProviderSettings,
  fetch: oidc.CustomFetch,
): oidc.Configuration {
  const methods = found.serverMetadata().token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const secret = settings.clientSecret?.reveal();
  const authentication =
    secret === undefined
      ? oidc.None()
      : methods.includes('client_secret_basic')
        ? oidc.ClientSecretBasic(secret)
        : oidc.ClientSecretPost(secret);
  const ready = new oidc.Configuration(found.serverMetadata(), settings.clientId, undefined, authentication);
  ready.timeout = callTimeoutMs / 1000;
  ready[oidc.customFetch] = fetch;
  // The id token's signature is checked although it came over TLS from the token endpoint: one check more, one trust less.
  oidc.enableNonRepudiationChecks(ready);
  if (settings.allowInsecure) oidc.allowInsecureRequests(ready);
  return ready;
}
