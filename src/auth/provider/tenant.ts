// Providers that are several: each tenant has its own issuer, and the discovery document names them all by one pattern (Entra ID).
import assert from 'node:assert';
import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import type { OidcSettings } from '../../model/settings.ts';
import type { Discovered } from './discovery.ts';
import { ProviderError } from './error.ts';
import type { TokenAnswer } from './tokens.ts';

const place = '{tenantid}';

/** Whether an issuer stands for one of several tenants. */
export const isPattern = (issuer: string) => issuer.includes(place);

/**
 * The issuer of the tenant that an id token names, where it is among those whose people may sign in. The token is not
 * believed yet: every check, its signature too, comes after, and is made against this very issuer.
 * @throws {ProviderError} `denied`: another tenant. `invalid`: none.
 */
function issuerOfTenant({ name, tenants = [] }: OidcSettings, pattern: string, idToken: string): string {
  const tenant = tenantIn(idToken);
  if (tenant === undefined)
    throw new ProviderError('invalid', `IdentityProvider ${name} gave an id token of no tenant`);
  if (!tenants.includes(tenant.toLowerCase()))
    throw new ProviderError('denied', `IdentityProvider ${name}: people of the tenant ${tenant} may not sign in`);
  return pattern.replace(place, tenant);
}

function tenantIn(idToken: string): string | undefined {
  try {
    const { tid } = decodeJwt(idToken);
    return typeof tid === 'string' && /^[0-9a-fA-F-]{36}$/.test(tid) ? tid : undefined;
  } catch {
    return undefined;
  }
}

export interface Granted {
  readonly answer: TokenAnswer;
  /** The provider whose answer it is: one tenant, where it is several. */
  readonly by: Discovered;
}

/**
 * Makes a token request. Of a provider that is several the answer is fetched first, and then checked as the answer of the
 * tenant that it names: the library wants to know the issuer before it looks.
 */
export async function grantBy(
  settings: OidcSettings,
  provider: Discovered,
  grant: (configuration: oidc.Configuration) => Promise<TokenAnswer>,
): Promise<Granted> {
  const { issuer } = provider.configuration.serverMetadata();
  if (!isPattern(issuer)) return { answer: await grant(provider.configuration), by: provider };
  const fetched = await fetchOnly(provider, issuer, grant);
  const idToken = await idTokenIn(fetched);
  const by = idToken === undefined ? provider : provider.withIssuer(issuerOfTenant(settings, issuer, idToken));
  const { issuer: own } = by.configuration.serverMetadata();
  return { answer: await grant(by.withIssuer(own, () => Promise.resolve(fetched)).configuration), by };
}

async function fetchOnly(
  provider: Discovered,
  issuer: string,
  grant: (configuration: oidc.Configuration) => Promise<TokenAnswer>,
): Promise<Response> {
  let fetched: Response | undefined;
  const call = provider.configuration[oidc.customFetch];
  assert(call !== undefined, 'a provider is called by our own fetch');
  const fetching = provider.withIssuer(issuer, async (url, options) => {
    fetched = await call(url, options);
    throw new Error('fetched, and not looked at yet');
  });
  try {
    await grant(fetching.configuration);
  } catch (error) {
    if (fetched === undefined) throw error;
  }
  assert(fetched !== undefined, 'a grant ends with an answer or an error');
  return fetched;
}

async function idTokenIn(response: Response): Promise<string | undefined> {
  try {
    const { id_token: idToken } = (await response.clone().json()) as { readonly id_token?: unknown };
    return typeof idToken === 'string' ? idToken : undefined;
  } catch {
    return undefined;
  }
}
