// An OpenID Connect provider: discovered, asked for a sign-in, and believed only after every check (OpenID Connect Core 1.0).
import { Agent, fetch as undiciFetch } from 'undici';
import type { Response as UndiciResponse } from 'undici';
import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import * as oidc from 'openid-client';
import type { ProviderSettings } from '../model/settings.ts';
import { identityOf, mergedClaims } from './claims.ts';
import { callTimeoutMs, createDiscovery } from './discovery.ts';
import type { Provider, ProviderOptions } from './provider.ts';
import { ProviderError } from './provider-error.ts';
import type { SignedIn } from './session.ts';

const maxAnswerBytes = 1 << 20;

// RFC 6761, section 6.3: names under .localhost are the loopback's. glibc's resolver does not know.
const lookupLocalhost: LookupFunction = (hostname, options, callback) => {
  if (!hostname.endsWith('.localhost')) return lookup(hostname, options, callback);
  return options.all === true ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4);
};

export function createOidcProvider(settings: ProviderSettings, { now = Date.now }: ProviderOptions): Provider {
  const agent = new Agent({
    connect: { lookup: lookupLocalhost, timeout: callTimeoutMs, ...(settings.ca !== undefined && { ca: settings.ca }) },
    headersTimeout: callTimeoutMs,
    bodyTimeout: callTimeoutMs,
    maxResponseSize: maxAnswerBytes,
  });
  const providerFetch: oidc.CustomFetch = async (url, options) => {
    const { body, headers, method, redirect, signal } = options;
    const init = {
      headers,
      method,
      redirect,
      ...(body != null && { body: body as string }),
      ...(signal && { signal }),
    };
    return readWhole(await undiciFetch(url, { ...init, dispatcher: agent }));
  };

  const configuration = createDiscovery(settings, providerFetch, now);

  return {
    settings,
    async authorizationUrl(redirectUri, { state, nonce, verifier }, { somebodyElse = false, withinSeconds } = {}) {
      const config = await configuration();
      const parameters = {
        ...(somebodyElse && { prompt: askingPrompt(config) }),
        ...(withinSeconds !== undefined && { max_age: String(withinSeconds) }),
        ...settings.authorizationParameters,
        redirect_uri: redirectUri,
        scope: supportedScopes(settings, config).join(' '),
        response_type: 'code',
        state,
        nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      };
      return oidc.buildAuthorizationUrl(config, parameters).href;
    },

    async exchange({ url, challenge }, at, withinSeconds) {
      const config = await configuration();
      try {
        const answer = await oidc.authorizationCodeGrant(config, url, {
          expectedState: challenge.state,
          expectedNonce: challenge.nonce,
          pkceCodeVerifier: challenge.verifier,
          idTokenExpected: true,
          ...(withinSeconds !== undefined && { maxAge: withinSeconds }),
        });
        return await signedIn(config, settings, answer, at);
      } catch (cause) {
        throw providerError(settings, cause);
      }
    },

    async refresh({ subject, identity, tokens }, at) {
      const config = await configuration();
      void [subject, identity, tokens, at, config];
      throw new ProviderError('unavailable', 'not yet');
    },

    async endSessionUrl(idToken, returnTo, state) {
      if (!settings.logoutAtProvider) return undefined;
      const config = await configuration();
      if (config.serverMetadata().end_session_endpoint === undefined) return undefined;
      const parameters = { id_token_hint: idToken, post_logout_redirect_uri: returnTo, state };
      try {
        return oidc.buildEndSessionUrl(config, parameters).href;
      } catch (cause) {
        throw providerError(settings, cause);
      }
    },

    async close() {
      await agent.close();
    },
  };
}

// An answer is read to its end here, unpacked, under the limit: the agent's own counts bytes before they are unpacked.
async function readWhole(response: UndiciResponse): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw new ProviderError('unavailable', `an answer is over ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  const { status, headers } = response;
  return new Response(bytes === 0 ? null : Buffer.concat(chunks), { status, headers: [...headers] });
}

// Providers refuse a sign-in that asks for a scope they do not know (Okta, Google): those they list are asked for alone.
function supportedScopes(settings: ProviderSettings, config: oidc.Configuration): readonly string[] {
  const supported = config.serverMetadata().scopes_supported;
  if (supported === undefined) return settings.scopes;
  return settings.scopes.filter((scope) => scope === 'openid' || supported.includes(scope));
}

// OpenID Connect Core 1.0, section 3.1.2.1. Choosing an account is what is wanted; who cannot offer that can ask for a password.
function askingPrompt(config: oidc.Configuration): string {
  const supported = config.serverMetadata().prompt_values_supported;
  const isGoogle = config.serverMetadata().issuer === 'https://accounts.google.com';
  return isGoogle || (Array.isArray(supported) && supported.includes('select_account')) ? 'select_account' : 'login';
}

async function signedIn(
  config: oidc.Configuration,
  settings: ProviderSettings,
  answer: Awaited<ReturnType<typeof oidc.authorizationCodeGrant>>,
  at: number,
): Promise<SignedIn> {
  const idClaims = answer.claims();
  if (idClaims === undefined || answer.id_token === undefined)
    throw new ProviderError('invalid', 'the answer has no id token');
  let claims: Record<string, unknown> = { ...idClaims };
  const wanted = [settings.claims.email, settings.claims.groups, settings.claims.user];
  if (config.serverMetadata().userinfo_endpoint !== undefined && wanted.some((name) => claims[name] === undefined)) {
    claims = mergedClaims(idClaims, await oidc.fetchUserInfo(config, answer.access_token, idClaims.sub));
  }
  const { refresh_token: refreshToken, access_token: accessToken, id_token: idToken } = answer;
  return {
    provider: settings.name,
    issuer: config.serverMetadata().issuer,
    subject: idClaims.sub,
    ...(typeof idClaims['sid'] === 'string' && { providerSessionId: idClaims['sid'] }),
    identity: identityOf(settings, claims),
    tokens: { idToken, accessToken, ...(refreshToken !== undefined && { refreshToken }) },
    authenticatedAt: typeof idClaims.auth_time === 'number' ? idClaims.auth_time * 1000 : at,
  };
}

// RFC 6749, section 4.1.2.1: the provider failed, and nobody was refused.
const busyErrors: ReadonlySet<string> = new Set(['server_error', 'temporarily_unavailable']);

function providerError(settings: ProviderSettings, cause: unknown): ProviderError {
  // The library wraps what it does not know: our own errors come back from under it.
  const own = cause instanceof oidc.ClientError ? cause.cause : cause;
  if (own instanceof ProviderError) return own;
  const said = (code: ProviderError['code'], what: string) =>
    new ProviderError(code, `IdentityProvider ${settings.name} ${what}`, { cause });
  if (cause instanceof oidc.AuthorizationResponseError)
    return said(busyErrors.has(cause.error) ? 'unavailable' : 'denied', `refused the sign-in: ${cause.error}`);
  if (cause instanceof oidc.ResponseBodyError)
    return said(cause.status >= 500 ? 'unavailable' : 'invalid', `refused the code: ${cause.error}`);
  if (cause instanceof oidc.ClientError && cause.code === 'OAUTH_RESPONSE_IS_NOT_CONFORM')
    return said('unavailable', 'answered something else than expected');
  if (cause instanceof oidc.ClientError && cause.code !== undefined && cause.code !== 'OAUTH_TIMEOUT')
    return said('invalid', `gave an answer that fails a check: ${cause.code}`);
  return said('unavailable', 'did not answer');
}
