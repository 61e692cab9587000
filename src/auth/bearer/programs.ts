// The tokens of one provider that programs may bring: JWTs by its keys, others by asking it.
import type { JSONWebKeySet } from 'jose';
import { isRefused } from '../authority.ts';
import type { RefusedToken } from '../authority.ts';
import type { Identity } from '../../model/identity.ts';
import type { OidcSettings, ProgramSettings } from '../../model/settings.ts';
import { identityOf } from '../provider/claims.ts';
import { ProviderError } from '../provider/error.ts';
import { checkAccessToken, claimedIssuer, notBearer, verifyJwt } from './access-token.ts';
import { createIntrospection } from './introspection.ts';
import { believedMs, sessionOf } from './judged.ts';
import type { Judged } from './judged.ts';
import { createKeySet } from './key-set.ts';

/** What a provider that takes tokens does with them. */
export interface Programs {
  readonly introspects: boolean;
  /** @throws {ProviderError} with code `unavailable`. */
  judge(token: string): Promise<Judged>;
}

/** How the provider is asked. Both throw {@link ProviderError} where it does not answer. */
export interface ProgramsPort {
  readonly keys: () => Promise<JSONWebKeySet>;
  readonly introspect: (token: string) => Promise<Readonly<Record<string, unknown>>>;
}

type Claims = Readonly<Record<string, unknown>>;

/** How long a session of a token lives that does not say when it expires: it is asked about each minute all the same. */
const unsaidLifetimeMs = 3_600_000;

export function createPrograms(
  settings: OidcSettings,
  { audiences, introspection }: ProgramSettings,
  port: ProgramsPort,
  now: () => number,
): Programs {
  const keys = createKeySet(port.keys, now);
  const introspect = createIntrospection(port.introspect, now);

  const accepted = (token: string, claims: Claims, expiresAt: number, until: number): Judged => {
    const identity = bearerIdentity(settings, claims);
    if (isRefused(identity)) return identity;
    const session = sessionOf(token, { provider: settings.name, identity, times: claims, expiresAt });
    return { session, renewAt: Math.min(until, expiresAt) };
  };

  async function judgeJwt(token: string): Promise<Judged> {
    const at = now();
    const verified = await verifyJwt(keys, token, { issuer: settings.issuer, audiences, now: at });
    if (isRefused(verified)) return verified;
    const { header, claims } = verified;
    return (
      checkAccessToken(header, claims, settings) ?? accepted(token, claims, (claims.exp ?? 0) * 1000, at + believedMs)
    );
  }

  async function judgeOpaque(token: string): Promise<Judged> {
    const { claims, until } = await introspect(token);
    if (claims === undefined) return { refused: 'The token is not active.' };
    const refused = checkIntrospected(settings, audiences, introspection?.requireAudience !== false, claims);
    if (refused !== undefined) return refused;
    const { exp } = claims;
    return accepted(token, claims, typeof exp === 'number' ? exp * 1000 : now() + unsaidLifetimeMs, until);
  }

  return {
    introspects: introspection !== undefined,
    judge: (token) => (claimedIssuer(token) === undefined ? judgeOpaque(token) : judgeJwt(token)),
  };
}

/** RFC 7662, section 4: the answer says whom a token is for, and it is for whoever asks to see to that. */
function checkIntrospected(
  { issuer }: OidcSettings,
  audiences: readonly string[],
  requireAudience: boolean,
  { aud, iss, cnf, token_type: type, typ, token_use: use }: Claims,
): RefusedToken | undefined {
  if (iss !== undefined && iss !== issuer) return { refused: 'The token is of another issuer.' };
  const told = [aud].flat().filter((one) => typeof one === 'string');
  if (aud === undefined ? requireAudience : !told.some((one) => audiences.includes(one))) {
    return { refused: 'The token is for another audience.' };
  }
  if (cnf !== undefined || (typeof type === 'string' && type.toLowerCase() === 'dpop')) return notBearer;
  const kinds = [type, typ, use].filter((kind) => kind !== undefined);
  const isAccess = kinds.every((kind) => typeof kind === 'string' && /^(bearer|access|access_token)$/i.test(kind));
  return isAccess ? undefined : { refused: 'The token is not an access token.' };
}

/**
 * Who the claims speak of, as at a sign-in. A machine's token may lack the claim that names a person: it is named by its
 * client, under a prefix, so that no client can be registered under a person's name.
 */
function bearerIdentity(settings: OidcSettings, claims: Claims): Identity | RefusedToken {
  try {
    return identityOf(settings, claims);
  } catch (error) {
    if (!(error instanceof ProviderError && error.code === 'invalid')) throw error;
  }
  const client = claims['client_id'] ?? claims['azp'];
  if (typeof client !== 'string' || client === '') return { refused: 'The token does not say whose it is.' };
  return { user: `client:${client}`, groups: [], claims };
}
