// GitHub as a provider: OAuth 2.0 with PKCE, and its API asked who that is. It gives no id token, so that state and verifier are what ties an answer to its sign-in.
import assert from 'node:assert';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { createCalls } from '../directories/calls.ts';
import { DirectoryError } from '../directories/directory-error.ts';
import { readPerson } from './github-person.ts';
import type { GitHubPerson } from './github-person.ts';
import { createProviderFetch, callTimeoutMs, wasNotSent } from './fetch.ts';
import type { ProviderFetch } from './fetch.ts';
import type { Demand, Provider, ProviderOptions } from './provider.ts';
import { ProviderError } from './error.ts';
import type { Tokens } from '../session/record.ts';
import type { GitHubSettings } from '../../model/settings.ts';

// Addresses, organizations and teams; what else there is to know of a person anybody may read.
const scopes = ['user:email', 'read:org'];
const orgScopes = ['read:org', 'write:org', 'admin:org'];

/** Who answered so long ago still does. */
const heardRecentlyMs = 10_000;
/** After a person could not be read, the next try. */
const askAgainMs = 60_000;

export function createGitHubProvider(settings: GitHubSettings, { log, now = Date.now }: ProviderOptions): Provider {
  const { name, clientId, webUrl, apiUrl, ca } = settings;
  const web = createProviderFetch(settings, now);
  const api = createCalls({ origins: [apiUrl], now, ...(ca !== undefined && { ca }) });

  async function person(accessToken: string): Promise<GitHubPerson> {
    try {
      return await readPerson(settings, api, accessToken);
    } catch (cause) {
      throw personError(name, cause);
    }
  }

  return {
    settings,

    async authorizationUrl(redirectUri, { state, verifier }, { somebodyElse = false, ...demand } = {}) {
      refuseDemand(name, demand);
      const url = new URL('/login/oauth/authorize', webUrl);
      url.search = new URLSearchParams({
        client_id: clientId,
        redirect_uri: redirectUri,
        scope: scopes.join(' '),
        state,
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
        ...(somebodyElse && { prompt: 'select_account' }),
      }).toString();
      return url.href;
    },

    async exchange({ url, challenge }, at, withinSeconds) {
      refuseDemand(name, withinSeconds === undefined ? {} : { withinSeconds });
      const { code, error } = Object.fromEntries(url.searchParams);
      if (error !== undefined)
        throw new ProviderError('denied', `IdentityProvider ${name} refused the sign-in: ${error}`);
      if (code === undefined) throw new ProviderError('invalid', `IdentityProvider ${name} gave no code`);
      const redirectUri = `${url.origin}${url.pathname}`;
      const form = { code, redirect_uri: redirectUri, code_verifier: challenge.verifier };
      const answer = await askToken(web, settings, form).catch((cause: unknown) => {
        throw new ProviderError('unavailable', `IdentityProvider ${name} did not answer`, { cause });
      });
      if ('failed' in answer) {
        const kind = answer.failed === 'Busy' ? 'unavailable' : 'invalid';
        throw new ProviderError(kind, `IdentityProvider ${name} refused the code: ${answer.said}`);
      }
      const { subject, identity } = await person(answer.accessToken);
      return { provider: name, issuer: webUrl, subject, identity, ...given(answer, at), authenticatedAt: at };
    },

    async refresh(before, at) {
      const { accessToken, refreshToken } = before.tokens;
      assert(refreshToken !== undefined, 'a session without a refresh token cannot be refreshed');
      const tokens =
        refreshToken === accessToken
          ? { tokens: before.tokens }
          : given(await spend(web, settings, refreshToken, now), at);
      try {
        const { subject, identity } = await person(tokens.tokens.accessToken);
        if (subject === before.subject) return { identity, ...tokens };
        throw new ProviderError('invalid', `IdentityProvider ${name} speaks of somebody else by now`);
      } catch (error) {
        const isAway = error instanceof ProviderError && error.code === 'unavailable';
        if (!isAway || tokens.tokens === before.tokens) throw error;
        // The new tokens are here and the old ones spent: they are kept, and who the person is will be asked again soon.
        log.warn({ err: error }, 'a session was refreshed, but its groups and claims could not be read again');
        return { identity: before.identity, tokens: tokens.tokens, tokensExpireAt: at + askAgainMs };
      }
    },

    endSessionUrl: () => Promise.resolve(undefined),

    async close() {
      await Promise.all([web.close(), api.close()]);
    },
  };
}

// It says nothing of when, or how, a person proved who they are: to send them there again would be a loop.
function refuseDemand(name: string, { withinSeconds, acrValues, afresh = false }: Demand): void {
  if (withinSeconds === undefined && acrValues === undefined && !afresh) return;
  throw new ProviderError('weak', `IdentityProvider ${name} cannot have people prove again who they are`);
}

interface GivenTokens {
  readonly accessToken: string;
  readonly refreshToken?: string;
  readonly lifetimeSeconds?: number;
}

/** `Busy`: try later. `Refused`: with a reason. */
interface Failed {
  readonly failed: 'Busy' | 'Refused';
  readonly said: string;
}

const tokenAnswer = z.object({
  access_token: z.string().min(1),
  token_type: z.string().regex(/^bearer$/i),
  // Those of an OAuth app; of a GitHub App, whose permissions are its own, the text is empty.
  scope: z.string().default(''),
  expires_in: z.number().positive().optional(),
  refresh_token: z.string().min(1).optional(),
});

/** Failures come as 200 with `error`. What is no answer of GitHub's at all is thrown. */
async function askToken(
  web: ProviderFetch,
  { webUrl, clientId, clientSecret }: GitHubSettings,
  form: Readonly<Record<string, string>>,
): Promise<GivenTokens | Failed> {
  const response = await web.fetch(new URL('/login/oauth/access_token', webUrl).href, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ client_id: clientId, client_secret: clientSecret.reveal(), ...form }).toString(),
    redirect: 'manual',
    signal: AbortSignal.timeout(callTimeoutMs),
  });
  if (response.status === 429 || response.status === 503) return { failed: 'Busy', said: `${response.status}` };
  const body: unknown = await response.json();
  const { error } = z.object({ error: z.string().optional() }).parse(body);
  if (error !== undefined) return { failed: 'Refused', said: error };
  const {
    access_token: accessToken,
    refresh_token: refreshToken,
    expires_in: seconds,
    scope,
  } = tokenAnswer.parse(body);
  const granted = scope.split(/[\s,]+/);
  if (scope !== '' && !orgScopes.some((one) => granted.includes(one)))
    return { failed: 'Refused', said: 'without read:org' };
  return {
    accessToken,
    ...(refreshToken !== undefined && { refreshToken }),
    ...(seconds !== undefined && { lifetimeSeconds: seconds }),
  };
}

/** Spends a refresh token, of a GitHub App: each works once. @throws {ProviderError} */
async function spend(web: ProviderFetch, settings: GitHubSettings, refreshToken: string, now: () => number) {
  const { name, webUrl } = settings;
  const said = (code: ProviderError['code'], what: string, cause?: unknown) =>
    new ProviderError(code, `IdentityProvider ${name} ${what}`, { cause });
  if (now() - web.heardAt() > heardRecentlyMs) {
    // Any answer will do: one that hangs is noticed here, before the token is sent.
    const url = new URL('/login/oauth/access_token', webUrl).href;
    const probe = {
      method: 'GET',
      headers: {},
      body: null,
      redirect: 'manual',
      signal: AbortSignal.timeout(callTimeoutMs),
    } as const;
    await web.fetch(url, probe).catch(() => undefined);
    if (now() - web.heardAt() > heardRecentlyMs) throw said('unavailable', 'does not answer');
  }
  const form = { grant_type: 'refresh_token', refresh_token: refreshToken };
  const answer = await askToken(web, settings, form).catch((cause: unknown) => {
    if (wasNotSent(cause)) throw said('unavailable', 'cannot be reached', cause);
    throw said('unknown', 'broke off while it refreshed a session', cause);
  });
  if (!('failed' in answer)) return answer;
  const isOver = answer.said === 'bad_refresh_token';
  throw said(isOver ? 'ended' : 'unavailable', `refused a refresh: ${answer.said}`);
}

/**
 * Tokens as a session keeps them. Those of an OAuth app do not expire and come without a refresh token: what the person is
 * asked for again with is the access token itself.
 */
function given({ accessToken, refreshToken, lifetimeSeconds }: GivenTokens, at: number) {
  const tokens: Tokens = { idToken: '', accessToken, refreshToken: refreshToken ?? accessToken };
  return { tokens, ...(lifetimeSeconds !== undefined && { tokensExpireAt: at + lifetimeSeconds * 1000 }) };
}

function personError(name: string, cause: unknown): unknown {
  if (!(cause instanceof DirectoryError)) return cause;
  // 401: the person, or an organization, took the token back.
  const code = cause.code === 'unavailable' ? 'unavailable' : cause.status === 401 ? 'ended' : 'denied';
  return new ProviderError(code, `IdentityProvider ${name} does not say who that is: ${cause.message}`, { cause });
}
