// How the demo's OpenID provider is set up: one client, PKCE, the claims of each scope, and what oidc-provider would warn about.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { AdapterFactory, ClientMetadata, Configuration, JWK, KoaContextWithOIDC } from 'oidc-provider';
import { claimsOf, strengths } from './accounts.ts';
import type { Account } from './accounts.ts';
import { callLoopback } from './loopback.ts';
import { createMemory } from './memory.ts';
import { interactionPolicy } from './oidc-provider.ts';
import { errorPage, signedOutPage, signOutPage } from './provider-pages.ts';
import type { RenderedPage } from './html.ts';

/** What a restarted provider needs to be the same provider: keys, sessions, tokens. */
export interface ProviderState {
  readonly signingKey: JWK;
  readonly cookieKey: string;
  readonly memory: AdapterFactory;
}

export function createProviderState(): ProviderState {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    signingKey: {
      ...privateKey.export({ format: 'jwk' }),
      kid: randomBytes(8).toString('hex'),
      use: 'sig',
      alg: 'RS256',
    },
    cookieKey: randomBytes(32).toString('base64url'),
    memory: createMemory(),
  };
}

export interface ClientOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris: readonly string[];
  readonly backchannelLogoutUri?: string;
}

export interface SettingsParts {
  readonly client: ClientOptions;
  readonly accounts: ReadonlyMap<string, Account>;
  readonly state: ProviderState;
  readonly accessTokenSeconds: number;
}

const hourSeconds = 3600;

export function providerConfiguration({ client, accounts, state, accessTokenSeconds }: SettingsParts): Configuration {
  return {
    adapter: state.memory,
    clients: [clientMetadata(client)],
    jwks: { keys: [state.signingKey] },
    cookies: { keys: [state.cookieKey], names: { session: 'demo_idp_session' } },
    scopes: ['openid', 'offline_access'],
    acrValues: Object.values(strengths),
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'preferred_username'],
      groups: ['groups'],
    },
    // Most providers put the scopes' claims into the id token; by the letter they belong to userinfo alone.
    conformIdTokenClaims: false,
    findAccount: (_, sub) => {
      const account = accounts.get(sub);
      return account && { accountId: sub, claims: () => claimsOf(account) };
    },
    responseTypes: ['code'],
    pkce: { required: () => true },
    // By the letter offline_access needs prompt=consent; like the providers that people use, this one gives a refresh
    // token to whoever may have one. It ends with the person's session here.
    issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
    // Each refresh token works once, and the second use of one revokes the whole grant (RFC 9700, section 4.14.2).
    rotateRefreshToken: true,
    loadExistingGrant: grantAll,
    interactions: { policy: promptPolicy(), url: (_, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => show(ctx, signOutPage(form, isHintOfThisPerson(ctx))),
        postLogoutSuccessSource: (ctx) => show(ctx, signedOutPage()),
      },
    },
    renderError: (ctx, out) => show(ctx, errorPage(out.error, out.error_description)),
    clientBasedCORS: () => false,
    fetch: loopbackFetch,
    ttl: {
      AccessToken: accessTokenSeconds,
      AuthorizationCode: 60,
      Grant: 14 * 24 * hourSeconds,
      IdToken: hourSeconds,
      Interaction: hourSeconds,
      RefreshToken: 14 * 24 * hourSeconds,
      Session: 14 * 24 * hourSeconds,
    },
  };
}

function clientMetadata(client: ClientOptions): ClientMetadata {
  return {
    client_id: client.clientId,
    client_secret: client.clientSecret,
    client_name: 'Sallyport',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: client.redirectUris,
    post_logout_redirect_uris: client.postLogoutRedirectUris,
    ...(client.backchannelLogoutUri !== undefined && {
      backchannel_logout_uri: client.backchannelLogoutUri,
      backchannel_logout_session_required: true,
    }),
  };
}

/** `prompt=select_account` besides the library's own `login` and `consent`; and whoever is signed in too weakly is asked. */
function promptPolicy() {
  const policy = interactionPolicy.base();
  policy
    .get('login')
    ?.checks.add(new interactionPolicy.Check('too_weak', 'a stronger sign-in is asked for', isTooWeak));
  policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0);
  return policy;
}

/** Once a person has been asked, what they did is all that there is. */
function isTooWeak({ oidc: { params, session, result } }: KoaContextWithOIDC): boolean {
  const asked = params?.['acr_values'];
  if (typeof asked !== 'string' || result?.login !== undefined) return false;
  return session?.acr === undefined || !asked.split(' ').includes(session.acr);
}

/** Consent is automatic: whatever the client asks for is granted. */
async function grantAll(ctx: KoaContextWithOIDC) {
  const { client, session, provider, params } = ctx.oidc;
  if (client === undefined || session?.accountId === undefined) return undefined;
  const known = session.grantIdFor(client.clientId);
  const grant =
    (known === undefined ? undefined : await provider.Grant.find(known)) ??
    new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  if (typeof params?.['scope'] === 'string') grant.addOIDCScope(params['scope']);
  await grant.save();
  return grant;
}

/** Whether the id token that came with a sign-out names the person who is signed in: then nobody has to be asked. */
function isHintOfThisPerson(ctx: KoaContextWithOIDC): boolean {
  const hint = ctx.oidc.entities.IdTokenHint;
  return hint !== undefined && hint.payload['sub'] === ctx.oidc.session?.accountId;
}

function show(ctx: KoaContextWithOIDC, page: RenderedPage): void {
  ctx.set({ ...page.headers });
  ctx.body = page.markup;
}

/**
 * How the client is called for a back-channel logout: the library's own fetch refuses loopback addresses, where
 * everything of the demo is.
 */
async function loopbackFetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const { status } = await callLoopback({
    url: new URL(input instanceof Request ? input.url : input),
    headers: Object.fromEntries(new Headers(init.headers)),
    ...(init.method !== undefined && { method: init.method }),
    ...(init.body instanceof URLSearchParams && { body: init.body.toString() }),
  });
  return new Response(null, { status });
}
