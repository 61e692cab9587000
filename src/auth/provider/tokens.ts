// What the answer of a token endpoint says: who signed in, or who the person of a session is by now.
import * as oidc from 'openid-client';
import { groupsFault, identityOf, lacksClaims, mergedClaims, rereadClaims, withProofOf } from './claims.ts';
import type { Claims } from './claims.ts';
import type { Discovered } from './discovery.ts';
import { signInError } from './faults.ts';
import type { ProviderKeys } from './keys.ts';
import type { BeforeRefresh, Refreshed } from './provider.ts';
import { ProviderError } from './error.ts';
import type { Tokens } from '../session/record.ts';
import type { SignedIn } from '../session/session.ts';
import type { OidcSettings } from '../../model/settings.ts';
import type { Logger } from '../../telemetry.ts';

export type TokenAnswer = Awaited<ReturnType<typeof oidc.refreshTokenGrant>>;

/** What an answer is read with. */
export interface Reading {
  readonly settings: OidcSettings;
  readonly keys: ProviderKeys;
  readonly log: Logger;
  /** What the log was told already. */
  readonly told: Set<string>;
}

/** After claims could not be read, the next try. */
const askAgainMs = 60_000;

/** @throws whatever the library does, and {@link ProviderError} */
export async function signedIn(
  reading: Reading,
  provider: Discovered,
  answer: TokenAnswer,
  at: number,
): Promise<SignedIn> {
  const { settings, keys } = reading;
  const idClaims = answer.claims();
  if (idClaims === undefined || answer.id_token === undefined)
    throw new ProviderError('invalid', `IdentityProvider ${settings.name} gave no id token`);
  const server = provider.configuration.serverMetadata();
  await keys.verify(server, answer.id_token, 'Provider');
  const claims = await claimsOf(reading, provider, idClaims, answer.access_token);
  return {
    provider: settings.name,
    issuer: server.issuer,
    subject: idClaims.sub,
    ...(typeof idClaims['sid'] === 'string' && { providerSessionId: idClaims['sid'] }),
    identity: identityOf(settings, claims),
    tokens: tokensOf(answer, { idToken: answer.id_token }),
    ...expiry(answer, at),
    authenticatedAt: typeof idClaims.auth_time === 'number' ? idClaims.auth_time * 1000 : at,
  };
}

/** @throws {ProviderError} `invalid`: the answer fails a check. What cannot be read now is kept from before. */
export async function refreshed(
  reading: Reading,
  provider: Discovered,
  before: BeforeRefresh,
  answer: TokenAnswer,
  at: number,
): Promise<Refreshed> {
  const { settings, log } = reading;
  const tokens = tokensOf(answer, before.tokens);
  try {
    const claims = await reread(reading, provider, before, answer);
    const now = claims && withProofOf(before.identity.claims, claims);
    return { identity: now ? identityOf(settings, now) : before.identity, tokens, ...expiry(answer, at) };
  } catch (cause) {
    const error = signInError(settings.name, cause);
    if (error.code !== 'unavailable') throw error;
    // The new tokens are here and the old ones spent: they are kept, and who the person is will be asked again soon.
    log.warn({ err: error }, 'a session was refreshed, but its groups and claims could not be read again');
    const { idToken } = before.tokens;
    return { identity: before.identity, tokens: { ...tokens, idToken }, tokensExpireAt: at + askAgainMs };
  }
}

/** Who the person is by now. Where no new id token came, what the one of the sign-in said, and userinfo over it. */
async function reread(
  reading: Reading,
  provider: Discovered,
  before: BeforeRefresh,
  answer: TokenAnswer,
): Promise<Claims | undefined> {
  const { settings, keys } = reading;
  const idClaims = answer.claims();
  if (idClaims === undefined || answer.id_token === undefined) {
    const info = await userinfo(provider, answer.access_token, before.subject);
    return info && rereadClaims(before.tokens.idToken, info);
  }
  // OpenID Connect Core 1.0, section 12.2.
  if (idClaims.sub !== before.subject)
    throw new ProviderError('invalid', `IdentityProvider ${settings.name} refreshed the session of somebody else`);
  await keys.verify(provider.configuration.serverMetadata(), answer.id_token, 'Provider');
  return claimsOf(reading, provider, idClaims, answer.access_token);
}

/** The claims of an id token that was checked, and what userinfo adds where they say too little. */
async function claimsOf(
  reading: Reading,
  provider: Discovered,
  idClaims: oidc.IDToken,
  accessToken: string,
): Promise<Claims> {
  const { settings } = reading;
  const info = lacksClaims(settings, idClaims) ? await userinfo(provider, accessToken, idClaims.sub) : undefined;
  const claims = info === undefined ? idClaims : mergedClaims(idClaims, info);
  tellOfGroups(reading, claims);
  return claims;
}

// No groups, and no word why, is what people search longest for.
function tellOfGroups({ settings, log, told }: Reading, claims: Claims): void {
  const fault = settings.directory === undefined ? groupsFault(settings, claims) : undefined;
  if (fault === undefined || told.has(fault)) return;
  told.add(fault);
  const claim = settings.claims.groups.join('.');
  log.warn({ provider: settings.name, claim }, groupsAdvice[fault]);
}

const groupsAdvice = {
  Overage:
    'the provider says that somebody has more groups than fit in a token: without a directory what asks for groups is refused to them',
  Missing: 'the provider sends no such claim: without a directory nobody has groups',
  Unreadable: 'the claim is neither a list of texts nor a text: what asks for groups is refused',
} as const;

async function userinfo({ configuration, forUserinfo }: Discovered, accessToken: string, subject: string) {
  if (configuration.serverMetadata().userinfo_endpoint === undefined) return undefined;
  return oidc.fetchUserInfo(forUserinfo, accessToken, subject);
}

/** The tokens of an answer; what it does not bring is kept from before. */
function tokensOf(answer: TokenAnswer, before: Pick<Tokens, 'idToken' | 'refreshToken'>): Tokens {
  const refreshToken = answer.refresh_token ?? before.refreshToken;
  return {
    idToken: answer.id_token ?? before.idToken,
    accessToken: answer.access_token,
    ...(refreshToken !== undefined && { refreshToken }),
  };
}

function expiry({ expires_in: seconds }: TokenAnswer, at: number): { readonly tokensExpireAt?: number } {
  return seconds === undefined ? {} : { tokensExpireAt: at + seconds * 1000 };
}
