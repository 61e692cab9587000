// An access token that is a JWT: verified by its issuer's keys, for our audience, and no id token (RFC 9068, RFC 8725).
import { decodeJwt, decodeProtectedHeader, errors } from 'jose';
import type { JWTPayload, JWTHeaderParameters } from 'jose';
import type { OidcSettings } from '../../model/settings.ts';
import type { RefusedToken } from '../authority.ts';
import type { KeySet } from './key-set.ts';

/** How far the issuer's clock may be from ours. An expiry is taken at its word. */
const skewSeconds = 30;

/** Longer tokens are nobody's: Node.js takes 32 KiB of header fields as a whole. */
export const maxTokenBytes = 16_384;

/** Whom a JWT says it is from, before anything of it is believed; `undefined`: it is no JWT. */
export function claimedIssuer(token: string): string | undefined {
  try {
    decodeProtectedHeader(token);
    return decodeJwt(token).iss ?? '';
  } catch {
    return undefined;
  }
}

/** @throws whatever the key set throws where the issuer cannot be asked. */
export async function verifyJwt(
  keys: KeySet,
  token: string,
  { issuer, audiences, now }: { readonly issuer: string; readonly audiences: readonly string[]; readonly now: number },
): Promise<{ readonly header: JWTHeaderParameters; readonly claims: JWTPayload } | RefusedToken> {
  try {
    const { protectedHeader: header, payload: claims } = await keys.verify(token, {
      issuer,
      audience: [...audiences],
      requiredClaims: ['exp'],
      clockTolerance: skewSeconds,
      currentDate: new Date(now),
    });
    if ((claims.exp ?? 0) * 1000 <= now) return { refused: 'The token has expired.' };
    if (claims.iat !== undefined && claims.iat * 1000 > now + skewSeconds * 1000) {
      return { refused: 'The token was issued in the future.' };
    }
    if (claims['cnf'] !== undefined) return notBearer;
    return { header, claims };
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    return { refused: sentenceOf(error) };
  }
}

/** A token that its key's holder alone may use (RFC 7800), which nobody here proves to be. */
export const notBearer: RefusedToken = { refused: 'The token is bound to a key, and is no bearer token.' };

function sentenceOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired.';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return 'The token is for another audience.';
    if (error.claim === 'nbf') return 'The token is not valid yet.';
    if (error.claim === 'exp') return 'The token does not say when it expires.';
    return 'A claim of the token is not as it must be.';
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return 'The algorithm of the token is not accepted.';
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed) {
    return 'The signature of the token cannot be verified.';
  }
  return 'The token cannot be read.';
}

const notAccess: RefusedToken = { refused: 'The token is not an access token.' };

/**
 * Whether it is an access token, and nothing else that the same keys sign. RFC 9068 has the type `at+jwt` for that; Keycloak
 * says `typ: Bearer` and Cognito `token_use: access` in the claims; Okta and Entra ID say nothing. One that says nothing
 * must bear no mark of an id token or a logout token, nor be for the client id, which is what an id token is for.
 */
export function checkAccessToken(
  header: JWTHeaderParameters,
  claims: JWTPayload,
  { clientId }: Pick<OidcSettings, 'clientId'>,
): RefusedToken | undefined {
  const type = header.typ?.toLowerCase().replace(/^application\//, '');
  if (type === 'at+jwt') return undefined;
  if (type !== undefined && type !== 'jwt') return notAccess;
  const { typ, token_use: use } = claims;
  if ((typ !== undefined && typ !== 'Bearer') || (use !== undefined && use !== 'access')) return notAccess;
  if (['nonce', 'at_hash', 'c_hash', 's_hash', 'events'].some((name) => claims[name] !== undefined)) return notAccess;
  const saysSo = typ === 'Bearer' || use === 'access';
  return saysSo || ![claims.aud].flat().includes(clientId) ? undefined : notAccess;
}
