// What claims mean: who the person is, which address counts, which groups they are in (OpenID Connect Core 1.0, section 5.1).
import type * as oidc from 'openid-client';
import type { Identity } from '../model/identity.ts';
import type { ProviderSettings } from '../model/settings.ts';
import { ProviderError } from './provider-error.ts';

// The id token is signed and userinfo need not be: where both speak, the id token counts. That an address is verified is
// believed of whoever named that address.
export function mergedClaims(idClaims: oidc.IDToken, info: oidc.UserInfoResponse): Record<string, unknown> {
  const claims = { ...info, ...idClaims };
  const ofUserinfo = info.email === claims.email ? info.email_verified : undefined;
  const verified = idClaims['email'] === undefined ? ofUserinfo : (idClaims['email_verified'] ?? ofUserinfo);
  return { ...claims, email_verified: verified };
}

// One @, nothing that ends a line, a header or a list, and no quoted part: what reads as one address reads so everywhere
// (CVE-2026-40574). 254: RFC 5321, section 4.5.3.1.3, less its brackets.
const addressPattern = /^(?=.{3,254}$)[^\s\p{C}@"(),:;<>[\]\\]+@[^\s\p{C}@"(),:;<>[\]\\]+$/u;

/** Who the claims speak of. @throws {ProviderError} `invalid` where the claim that names the person is missing. */
export function identityOf(settings: ProviderSettings, claims: Readonly<Record<string, unknown>>): Identity {
  const { user: userClaim, email: emailClaim, groups: groupsClaim } = settings.claims;
  const user = claims[userClaim];
  if (typeof user !== 'string' || user === '') throw new ProviderError('invalid', `the claim ${userClaim} is missing`);
  const email = claims[emailClaim];
  // `email_verified` speaks of the claim `email` and of no other (OpenID Connect Core 1.0, section 5.1).
  const isVerified = claims['email_verified'] === true && email === claims['email'];
  const isAddress = typeof email === 'string' && addressPattern.test(email);
  const groups = claims[groupsClaim];
  const groupList =
    typeof groups === 'string'
      ? [groups]
      : Array.isArray(groups)
        ? groups.filter((group) => typeof group === 'string')
        : [];
  return {
    user,
    ...(isAddress && (isVerified || settings.allowUnverifiedEmail) && { email: lowerCaseDomain(email) }),
    ...(typeof claims['name'] === 'string' && { name: claims['name'] }),
    groups: groupList,
    claims,
  };
}

function lowerCaseDomain(email: string): string {
  const at = email.lastIndexOf('@');
  return email.slice(0, at) + email.slice(at).toLowerCase();
}
