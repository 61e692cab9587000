// An OpenID Connect provider: discovered, asked for a sign-in, and believed only after every check (OpenID Connect Core 1.0).
import assert from 'node:assert';
import * as oidc from 'openid-client';
import type { OidcSettings } from '../../model/settings.ts';
import { createProgramsPort } from '../bearer/port.ts';
import { createPrograms } from '../bearer/programs.ts';
import { createDiscovery } from './discovery.ts';
import { createProviderFetch } from './fetch.ts';
import { refreshError, signInError } from './faults.ts';
import { ProviderError } from './error.ts';
import { createProviderKeys } from './keys.ts';
import { endSessionUrl, revoke } from './logout.ts';
import type { Demand, Provider, ProviderOptions } from './provider.ts';
import { grantBy } from './tenant.ts';
import type { Granted } from './tenant.ts';
import { refreshed, signedIn } from './tokens.ts';

export function createOidcProvider(settings: OidcSettings, { log, now = Date.now }: ProviderOptions): Provider {
  const { name } = settings;
  const calls = createProviderFetch(settings, now);
  const discovery = createDiscovery(settings, calls, now);
  const reading = { settings, keys: createProviderKeys(name, calls.fetch), log, told: new Set<string>() };

  const port = createProgramsPort({ name, discovery, fetch: calls.fetch, log, now });

  return {
    settings,
    ...(settings.programs && { programs: createPrograms(settings, settings.programs, port, now) }),
    async authorizationUrl(redirectUri, { state, nonce, verifier }, demand = {}) {
      const { configuration } = await discovery.configuration();
      const parameters = {
        ...(demand.somebodyElse === true && { prompt: askingPrompt(configuration) }),
        ...settings.authorizationParameters,
        ...demanded(demand),
        redirect_uri: redirectUri,
        scope: supportedScopes(settings, configuration).join(' '),
        response_type: 'code',
        state,
        nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      };
      return pushedOrPlain(settings, configuration, parameters);
    },

    async exchange({ url, challenge }, at, withinSeconds) {
      const provider = await discovery.configuration();
      try {
        const checks = {
          expectedState: challenge.state,
          expectedNonce: challenge.nonce,
          pkceCodeVerifier: challenge.verifier,
          idTokenExpected: true,
          ...(withinSeconds !== undefined && { maxAge: withinSeconds }),
        };
        const { answer, by } = await grantBy(settings, provider, (configuration) =>
          oidc.authorizationCodeGrant(configuration, url, checks),
        );
        return await signedIn(reading, by, answer, at);
      } catch (cause) {
        throw signInError(name, cause);
      }
    },

    async refresh(before, at) {
      const { refreshToken } = before.tokens;
      assert(refreshToken !== undefined, 'a session without a refresh token cannot be refreshed');
      const provider = await discovery.heardRecently();
      let granted: Granted;
      try {
        granted = await grantBy(settings, provider, (configuration) =>
          oidc.refreshTokenGrant(configuration, refreshToken),
        );
      } catch (cause) {
        throw refreshError(name, cause);
      }
      return refreshed(reading, granted.by, before, granted.answer, at);
    },

    async endSessionUrl(of, returnTo, state) {
      if (!settings.logoutAtProvider) return undefined;
      const { configuration } = await discovery.configuration();
      return endSessionUrl(configuration, settings, of, returnTo, state);
    },

    async revoke(tokens) {
      const { configuration } = await discovery.configuration();
      await revoke(configuration, settings, tokens);
    },

    signer: {
      issuer: settings.issuer,
      clientId: settings.clientId,
      async verify(token, issuer) {
        const server = (await discovery.configuration()).configuration.serverMetadata();
        if (server.issuer !== issuer)
          throw new ProviderError('invalid', `IdentityProvider ${name} does not call itself ${issuer}`);
        await reading.keys.verify(server, token, 'Anybody');
      },
    },

    close: () => calls.close(),
  };
}

// RFC 9126: what is asked goes to the provider directly, and the browser carries a reference to it.
async function pushedOrPlain(
  { name, pushedRequests }: OidcSettings,
  configuration: oidc.Configuration,
  parameters: Record<string, string>,
): Promise<string> {
  const { require_pushed_authorization_requests: isRequired } = configuration.serverMetadata();
  if (pushedRequests === 'Off' || (pushedRequests === 'Auto' && isRequired !== true))
    return oidc.buildAuthorizationUrl(configuration, parameters).href;
  try {
    return (await oidc.buildAuthorizationUrlWithPAR(configuration, parameters)).href;
  } catch (cause) {
    throw signInError(name, cause);
  }
}

// Providers refuse a sign-in that asks for a scope they do not know (Okta, Google): those they list are asked for alone.
function supportedScopes(settings: OidcSettings, configuration: oidc.Configuration): readonly string[] {
  const supported = configuration.serverMetadata().scopes_supported;
  if (supported === undefined) return settings.scopes;
  return settings.scopes.filter((scope) => scope === 'openid' || supported.includes(scope));
}

// OpenID Connect Core 1.0, section 3.1.2.1. A policy asks for it, so that nothing that is always asked for comes before it.
function demanded({ withinSeconds, acrValues, afresh = false }: Demand): Readonly<Record<string, string>> {
  return {
    ...(withinSeconds !== undefined && { max_age: String(withinSeconds) }),
    ...(acrValues !== undefined && { acr_values: acrValues.join(' ') }),
    ...(afresh && { prompt: 'login' }),
  };
}

// OpenID Connect Core 1.0, section 3.1.2.1. Choosing an account is what is wanted; who cannot offer that can ask for a password.
function askingPrompt(configuration: oidc.Configuration): string {
  const supported = configuration.serverMetadata().prompt_values_supported;
  const isGoogle = configuration.serverMetadata().issuer === 'https://accounts.google.com';
  return isGoogle || (Array.isArray(supported) && supported.includes('select_account')) ? 'select_account' : 'login';
}
