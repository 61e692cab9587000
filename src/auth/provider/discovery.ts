// What a provider says of itself (OpenID Connect Discovery 1.0): fetched once, kept while it is fresh, and used on while the provider is away.
import * as oidc from 'openid-client';
import type { OidcSettings } from '../../model/settings.ts';
import { clientAuthentication } from './client-authentication.ts';
import { callTimeoutMs } from './fetch.ts';
import type { ProviderFetch } from './fetch.ts';
import { ProviderError } from './error.ts';
import { isPattern } from './tenant.ts';

const rediscoverAfterMs = 3_600_000;
// After a failed discovery the next is not tried at once: ten tabs are one call, not ten.
const retryAfterMs = 1_000;
/** Who answered so long ago still does. */
const heardRecentlyMs = 10_000;

/** OpenID Connect Core 1.0, section 2, allows "a few minutes"; a minute is what servers with NTP never need. */
const clockToleranceSeconds = 60;

/** A provider as it is known. */
export interface Discovered {
  readonly configuration: oidc.Configuration;
  /** The same for userinfo, where it is a signed JWT: the library checks its signature. */
  readonly forUserinfo: oidc.Configuration;
  /** The same under another issuer, and perhaps with another way to call it. */
  withIssuer(issuer: string, fetch?: oidc.CustomFetch): Discovered;
}

export interface Discovery {
  /** @throws {ProviderError} `unavailable` */
  configuration(): Promise<Discovered>;
  /**
   * The same, from a provider that has answered something within the last ten seconds: it is asked again where it has not.
   * @throws {ProviderError} `unavailable`, also where the configuration is known
   */
  heardRecently(): Promise<Discovered>;
}

export function createDiscovery(
  settings: OidcSettings,
  { fetch, heardAt }: Pick<ProviderFetch, 'fetch' | 'heardAt'>,
  now: () => number,
): Discovery {
  let discovered: (Discovered & { readonly at: number }) | undefined;
  let discovering: Promise<Discovered> | undefined;
  let failed: { readonly error: ProviderError; readonly at: number } | undefined;

  async function discover(): Promise<Discovered> {
    try {
      const found = known(await fetchMetadata(settings, fetch), settings, fetch);
      // Throws where the endpoint is missing, or nowhere that a browser should be sent.
      oidc.buildAuthorizationUrl(found.configuration, {});
      discovered = { ...found, at: now() };
      failed = undefined;
      return discovered;
    } catch (cause) {
      const what = `IdentityProvider ${settings.name} cannot be discovered at ${settings.issuer}`;
      const error = new ProviderError('unavailable', `${what}${hint(settings, cause)}`, { cause });
      failed = { error, at: now() };
      throw error;
    } finally {
      discovering = undefined;
    }
  }

  function discoverOnce(): Promise<Discovered> {
    if (failed !== undefined && now() - failed.at < retryAfterMs) return Promise.reject(failed.error);
    discovering ??= discover();
    return discovering;
  }

  async function configuration(): Promise<Discovered> {
    if (discovered !== undefined && now() - discovered.at < rediscoverAfterMs) return discovered;
    try {
      return await discoverOnce();
    } catch (error) {
      // What was known before goes on being used: a provider that is away for a moment has not changed its endpoints.
      if (discovered !== undefined) return discovered;
      throw error;
    }
  }

  return {
    configuration,
    heardRecently: () => (now() - heardAt() < heardRecentlyMs ? configuration() : discoverOnce()),
  };
}

async function fetchMetadata(settings: OidcSettings, fetch: oidc.CustomFetch): Promise<oidc.ServerMetadata> {
  const { issuer, tenants, clientId, allowInsecure } = settings;
  // Asked for by its full name, a document may name another issuer: of a provider that is several, it names a pattern.
  const url = tenants === undefined ? issuer : `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const found = await oidc.discovery(new URL(url), clientId, undefined, undefined, {
    execute: allowInsecure ? [oidc.allowInsecureRequests] : [],
    timeout: callTimeoutMs / 1000,
    [oidc.customFetch]: fetch,
  });
  const metadata = found.serverMetadata();
  const isSeveral = isPattern(metadata.issuer);
  if (isSeveral && tenants === undefined)
    throw new Error(`${issuer} is the issuer of many tenants: list those whose people may sign in under oidc.tenants`);
  if (tenants !== undefined && (!isSeveral || new URL(metadata.issuer).origin !== new URL(issuer).origin))
    throw new Error(`${metadata.issuer} is one issuer: leave oidc.tenants away`);
  // The library takes https://example.com and https://example.com/ for one; tokens do not (Core 1.0, section 2: exactly).
  if (!isSeveral && metadata.issuer !== issuer) throw new Error(calledItself(metadata.issuer));
  return metadata;
}

function known(metadata: oidc.ServerMetadata, settings: OidcSettings, fetch: oidc.CustomFetch): Discovered {
  const forUserinfo = configured(metadata, settings, fetch);
  oidc.enableNonRepudiationChecks(forUserinfo);
  return {
    configuration: configured(metadata, settings, fetch),
    forUserinfo,
    withIssuer: (issuer, call = fetch) => known({ ...metadata, issuer }, settings, call),
  };
}

/** How we speak with a provider that says this of itself. */
function configured(
  metadata: oidc.ServerMetadata,
  settings: OidcSettings,
  fetch: oidc.CustomFetch,
): oidc.Configuration {
  const client = {
    [oidc.clockTolerance]: clockToleranceSeconds,
    // RFC 8705, section 5: where clients with certificates are to call.
    use_mtls_endpoint_aliases: settings.clientAuthentication?.method === 'TlsClientAuth',
  };
  const made = new oidc.Configuration(metadata, settings.clientId, client, clientAuthentication(metadata, settings));
  made.timeout = callTimeoutMs / 1000;
  made[oidc.customFetch] = fetch;
  if (settings.allowInsecure) oidc.allowInsecureRequests(made);
  return made;
}

// The likeliest mistake of all: an issuer with a slash more or less. What the provider says of itself is what is right.
const calledItself = (issuer: string) => `it calls itself ${JSON.stringify(issuer)}, and the issuer must be the same`;

function hint({ issuer }: OidcSettings, cause: unknown): string {
  if (!(cause instanceof oidc.ClientError)) return cause instanceof Error ? `: ${cause.message}` : '';
  const { body } = (cause.cause ?? {}) as { readonly body?: { readonly issuer?: unknown } };
  const said = body?.issuer;
  return typeof said === 'string' && said !== issuer ? `: ${calledItself(said)}` : '';
}
