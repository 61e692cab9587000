// Telling an application who is asking: a JWT signed for one route, and the key set that verifies it.
import { createPrivateKey, createPublicKey, randomUUID, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { AssertionSubject } from './authority.ts';
import type { Session } from '../model/identity.ts';
import type { KeyRing, RingKey } from '../model/settings.ts';

/** How long an assertion is valid. */
export const assertionLifetimeMs = 300_000;

const privateKeys = new WeakMap<RingKey, KeyObject>();

function privateKey(key: RingKey): KeyObject {
  const known = privateKeys.get(key);
  if (known !== undefined) return known;
  const made = createPrivateKey(key.signingKey.reveal());
  privateKeys.set(key, made);
  return made;
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Who tells, and what of. */
export interface AssertionTerms extends AssertionSubject {
  readonly issuer: string;
  readonly host: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * The assertion for one route: a JWS in compact form (RFC 7515, ES256) over `iss`, `aud` (the host), `route`, `sub`,
 * `email`, `name`, `groups`, `sid`, `auth_time`, `amr` and `acr` where the provider told them, `iat`, `exp`; made for one
 * request, over `request_id` and `jti` too. Some 60 µs of CPU, which is why it is otherwise made once for many requests.
 * node:crypto and not jose, whose WebCrypto costs 3.5 times the CPU here.
 */
export function signAssertion(ring: KeyRing, session: Session, terms: AssertionTerms): string {
  const [key] = ring;
  const { issuer, host, route, requestId, now } = terms;
  const { identity } = session;
  const issuedAt = Math.floor(now / 1000);
  const signed = `${encode({ alg: 'ES256', typ: 'JWT', kid: key.id })}.${encode({
    iss: issuer,
    aud: host,
    route,
    ...(requestId !== undefined && { request_id: requestId, jti: randomUUID() }),
    sub: identity.user,
    ...(identity.email !== undefined && { email: identity.email }),
    ...(identity.name !== undefined && { name: identity.name }),
    groups: identity.groups,
    sid: session.id,
    auth_time: Math.floor(session.authenticatedAt / 1000),
    ...strength(identity.claims),
    iat: issuedAt,
    exp: issuedAt + assertionLifetimeMs / 1000,
  })}`;
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey(key), dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

/** How the person proved who they are, in the provider's words (OpenID Connect Core 1.0, section 2). */
function strength({ amr, acr }: Session['identity']['claims']): {
  readonly amr?: readonly string[];
  readonly acr?: string;
} {
  const methods = Array.isArray(amr) ? amr.filter((method) => typeof method === 'string') : [];
  return { ...(methods.length > 0 && { amr: methods }), ...(typeof acr === 'string' && { acr }) };
}

/** The JWK Set (RFC 7517) that verifies assertions of every key of the ring. */
export function jwks(ring: KeyRing): { readonly keys: readonly object[] } {
  return {
    keys: ring.map((key) => ({
      ...createPublicKey(privateKey(key)).export({ format: 'jwk' }),
      kid: key.id,
      use: 'sig',
      alg: 'ES256',
    })),
  };
}
