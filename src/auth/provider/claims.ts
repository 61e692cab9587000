// What claims mean: who the person is, which address counts, which groups they are in (OpenID Connect Core 1.0, section 5.1).
import { decodeJwt } from 'jose';
import type { IDToken, UserInfoResponse } from 'openid-client';
import type { Identity } from '../../model/identity.ts';
import type { OidcSettings, ProviderSettings } from '../../model/settings.ts';
import { ProviderError } from './error.ts';

export type Claims = Readonly<Record<string, unknown>>;

// The id token is signed and userinfo need not be: where both speak, the id token counts. That an address is verified is
// believed of whoever named that address.
export function mergedClaims(idClaims: IDToken, info: UserInfoResponse): Claims {
  const claims = { ...info, ...idClaims };
  const ofUserinfo = info.email === claims.email ? info.email_verified : undefined;
  const verified = idClaims['email'] === undefined ? ofUserinfo : (idClaims['email_verified'] ?? ofUserinfo);
  return { ...claims, email_verified: verified };
}

/** What is about the sign-in and the token, and not about the person: userinfo has no say in it. */
const aboutToken = ['iss', 'aud', 'azp', 'exp', 'iat', 'nbf', 'jti', 'nonce', 'sid', 'at_hash', 'c_hash'];
/** How and when the person proved who they are. A refresh proves nothing (OpenID Connect Core 1.0, section 12.2). */
const aboutProof = ['auth_time', 'acr', 'amr'];

/**
 * The claims after a refresh that brought no id token: userinfo is newer than the id token of the sign-in, and counts.
 * What was in that id token alone stays, for nobody says otherwise.
 */
export function rereadClaims(idToken: string, info: UserInfoResponse): Claims {
  const before: Claims = decodeJwt(idToken);
  const claims = { ...before, ...info, ...only(before, [...aboutToken, ...aboutProof]) };
  const isSameAddress = info.email === undefined || info.email === before['email'];
  return { ...claims, email_verified: info.email_verified ?? (isSameAddress ? before['email_verified'] : undefined) };
}

/** The claims of now with the proof of then. */
export function withProofOf(then: Claims, now: Claims): Claims {
  const rest = Object.entries(now).filter(([name]) => !aboutProof.includes(name));
  return { ...Object.fromEntries(rest), ...only(then, aboutProof) };
}

function only(claims: Claims, names: readonly string[]): Claims {
  return Object.fromEntries(names.filter((name) => Object.hasOwn(claims, name)).map((name) => [name, claims[name]]));
}

/** Whether something is missing that the settings name. */
export function lacksClaims({ claims: { user, email, groups } }: OidcSettings, claims: Claims): boolean {
  return [user, email, groups].some((path) => claimAt(claims, path) === undefined);
}

// Only own properties: `constructor` is no claim. Of a list of objects, that of each.
function claimAt(claims: Claims, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (Array.isArray(value) ? value.map((element) => ownValue(element, name)) : ownValue(value, name)),
    claims,
  );
}

function ownValue(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Claims)[name];
}

// One @, nothing that ends a line, a header or a list, and no quoted part: what reads as one address reads so everywhere
// (CVE-2026-40574). 254: RFC 5321, section 4.5.3.1.3, less its brackets.
const addressPattern = /^(?=.{3,254}$)[^\s\p{C}@"(),:;<>[\]\\]+@[^\s\p{C}@"(),:;<>[\]\\]+$/u;

/** An address as we write them, its domain in lower case; `undefined` where it is none. */
export function addressOf(email: unknown): string | undefined {
  return typeof email === 'string' && addressPattern.test(email) ? lowerCaseDomain(email) : undefined;
}

/** Who the claims speak of. @throws {ProviderError} `invalid` where the claim that names the person is missing. */
export function identityOf(settings: OidcSettings, claims: Claims): Identity {
  const { user: userPath, email: emailPath } = settings.claims;
  const user = claimAt(claims, userPath);
  if (typeof user !== 'string' || user === '')
    throw new ProviderError('invalid', `the claim ${userPath.join('.')} is missing`);
  const email = claimAt(claims, emailPath);
  // `email_verified` speaks of the claim `email` and of no other (OpenID Connect Core 1.0, section 5.1).
  const isVerified = claims['email_verified'] === true && email === claims['email'];
  const address = addressOf(email);
  return {
    user,
    ...(address !== undefined && (isVerified || settings.allowUnverifiedEmail) && { email: address }),
    ...(typeof claims['name'] === 'string' && { name: claims['name'] }),
    groups: groupsOf(settings, claims),
    claims,
  };
}

// A provider that sends a list as one text (Ping, LDAP's memberOf with one value) may mean one group, in whose name a
// space or comma is nothing unusual: it is taken apart only where the settings say at what.
function groupsOf({ claims: { groups: path, groupsSeparator } }: OidcSettings, claims: Claims): readonly string[] {
  const groups = claimAt(claims, path);
  if (groups === '') return [];
  if (typeof groups === 'string')
    return groupsSeparator === undefined
      ? [groups]
      : groups
          .split(groupsSeparator)
          .map((group) => group.trim())
          .filter((group) => group !== '');
  return Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [];
}

/** What is wrong with the groups: they are too many for a token, they are not sent, or nobody can read them. */
export type GroupsFault = 'Overage' | 'Missing' | 'Unreadable';

/** Why the claims hold no groups that can be used, although the person may be in some. */
export function groupsFault({ claims: { groups: path } }: OidcSettings, claims: Claims): GroupsFault | undefined {
  const groups = claimAt(claims, path);
  if (groups === undefined) return isOverage(path[0] ?? '', claims) ? 'Overage' : 'Missing';
  const isReadable =
    typeof groups === 'string' ||
    (Array.isArray(groups) && (groups.length === 0 || groups.some((group) => typeof group === 'string')));
  return isReadable ? undefined : 'Unreadable';
}

/** Whether the person is in groups that the claims do not tell: then nobody can say that they are in none. */
export function hasUnknownGroups(settings: ProviderSettings, claims: Claims): boolean {
  const fault = settings.kind === 'OpenIDConnect' ? groupsFault(settings, claims) : undefined;
  return fault === 'Overage' || fault === 'Unreadable';
}

// Entra ID names a place to ask for what does not fit (OpenID Connect Core 1.0, section 5.6.2), or says no more than that
// there are groups.
function isOverage(name: string, claims: Claims): boolean {
  return (
    ownValue(claims['_claim_names'], name) !== undefined ||
    claims['hasgroups'] === true ||
    claims['hasgroups'] === 'true'
  );
}

function lowerCaseDomain(email: string): string {
  const at = email.lastIndexOf('@');
  return email.slice(0, at) + email.slice(at).toLowerCase();
}
