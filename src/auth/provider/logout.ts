// What is asked of a provider when somebody signs out here: to end its own session too, and to take a refresh token back.
import * as oidc from 'openid-client';
import type { Identity } from '../../model/identity.ts';
import { signInError } from './faults.ts';
import type { Tokens } from '../session/record.ts';
import type { OidcSettings } from '../../model/settings.ts';

/** Who signs out. */
export interface SigningOut {
  readonly identity: Identity;
  readonly tokens: Tokens;
}

// Servers take some 8 KiB of a request's first line, and the rest of ours wants its part.
const maxHintLength = 6_000;

/** `undefined` where there is no such place. @throws {ProviderError} */
export function endSessionUrl(
  configuration: oidc.Configuration,
  { name }: OidcSettings,
  of: SigningOut,
  returnTo: string,
  state: string,
): string | undefined {
  if (configuration.serverMetadata().end_session_endpoint === undefined) return undefined;
  try {
    return oidc.buildEndSessionUrl(configuration, { ...hint(of), post_logout_redirect_uri: returnTo, state }).href;
  } catch (cause) {
    throw signInError(name, cause);
  }
}

// RP-Initiated Logout 1.0, section 2. The library adds `client_id`. With a hint that is no id token a provider may ask the
// person whether they mean it, and for Entra ID it is the claim `login_hint`, where there is one.
function hint({ identity: { claims, email, user }, tokens: { idToken } }: SigningOut): Record<string, string> {
  if (idToken.length <= maxHintLength) return { id_token_hint: idToken };
  const said = claims['login_hint'];
  return { logout_hint: typeof said === 'string' ? said : (email ?? user) };
}

// There a revoked token takes with it the person's consent and every other token of this client, on whichever device.
const revokeEverything: ReadonlySet<string> = new Set(['https://accounts.google.com']);

/** Gives the refresh token back (RFC 7009), where the provider takes it and nothing else with it. @throws {ProviderError} */
export async function revoke(
  configuration: oidc.Configuration,
  { name }: OidcSettings,
  { refreshToken }: Tokens,
): Promise<void> {
  const { revocation_endpoint: endpoint, issuer } = configuration.serverMetadata();
  if (refreshToken === undefined || endpoint === undefined || revokeEverything.has(issuer)) return;
  try {
    await oidc.tokenRevocation(configuration, refreshToken, { token_type_hint: 'refresh_token' });
  } catch (cause) {
    throw signInError(name, cause);
  }
}
