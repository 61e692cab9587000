// The assertion as an application verifies it: with jose, against our published keys.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { assertionLifetimeMs, jwks, signAssertion } from '../../src/auth/assertion.ts';
import type { AssertionTerms } from '../../src/auth/assertion.ts';
import { createKeyRing } from '../../src/auth/keys.ts';
import type { Session } from '../../src/model/identity.ts';
import type { KeyRing } from '../../src/model/settings.ts';

const session: Session = {
  id: 'the-session-id',
  provider: 'okta',
  identity: {
    user: 'ana',
    email: 'ana@example.com',
    name: 'Änä "Quote" \u{1F511}',
    groups: ['engineering', 'staff'],
    claims: { sub: 'ana', department: 'not to be told' },
  },
  authenticatedAt: 1_795_000_000_999,
  startedAt: 0,
  expiresAt: Date.now() + 3_600_000,
};
const issuer = 'https://auth.example.com';
const audience = 'app.example.com';
const old = createKeyRing();
const fresh = createKeyRing();
const rotated: KeyRing = [fresh[0], old[0]];

const keysOf = (ring: KeyRing) => createLocalJWKSet(jwks(ring) as JSONWebKeySet);
const route = 'monitoring/grafana app.example.com/d';
const terms = (now: number): AssertionTerms => ({ issuer, host: audience, route, now });
const checks = { issuer, audience, algorithms: ['ES256'] };

describe('an assertion', () => {
  test('verifies, and says who, for whom, from whom and how long', async () => {
    const now = Date.now();
    const { payload } = await jwtVerify(signAssertion(old, session, terms(now)), keysOf(old), checks);
    const issuedAt = Math.floor(now / 1000);
    assert.deepEqual(payload, {
      iss: issuer,
      aud: audience,
      route,
      sub: 'ana',
      email: 'ana@example.com',
      name: session.identity.name,
      groups: ['engineering', 'staff'],
      sid: 'the-session-id',
      auth_time: 1_795_000_000,
      iat: issuedAt,
      exp: issuedAt + 300,
    });
    assert.equal(assertionLifetimeMs, 300_000);
  });

  test('says how strongly the person proved it, where the provider told', async () => {
    const claims = { amr: ['pwd', 7, 'otp'], acr: 'urn:mace:incommon:iap:silver' };
    const strong = { ...session, identity: { ...session.identity, claims } };
    const { payload } = await jwtVerify(signAssertion(old, strong, terms(Date.now())), keysOf(old), checks);
    assert.deepEqual([payload['amr'], payload['acr']], [['pwd', 'otp'], claims.acr]);
  });

  test('made for one request says which, and is like no other', async () => {
    const sign = () => signAssertion(old, session, { ...terms(Date.now()), requestId: 'one-request' });
    const [one, other] = [(await jwtVerify(sign(), keysOf(old), checks)).payload, decodeJwt(sign())];
    assert.deepEqual([one['request_id'], other['request_id']], ['one-request', 'one-request']);
    assert.match(one.jti ?? '', /^[0-9a-f-]{36}$/);
    assert.notEqual(one.jti, other.jti);
  });

  test('leaves out the address and the name of somebody who has none', async () => {
    const nameless = { ...session, identity: { user: 'bob', groups: [], claims: {} } };
    const assertion = signAssertion(old, nameless, terms(Date.now()));
    const { payload } = await jwtVerify(assertion, keysOf(old), checks);
    assert.deepEqual(Object.keys(payload).sort(), [
      'aud',
      'auth_time',
      'exp',
      'groups',
      'iat',
      'iss',
      'route',
      'sid',
      'sub',
    ]);
  });

  test('is refused by another host, after five minutes, and with a letter changed', async () => {
    const assertion = signAssertion(old, session, terms(Date.now()));
    await assert.rejects(jwtVerify(assertion, keysOf(old), { ...checks, audience: 'other.example.com' }), {
      code: 'ERR_JWT_CLAIM_VALIDATION_FAILED',
    });
    const stale = signAssertion(old, session, terms(Date.now() - assertionLifetimeMs));
    await assert.rejects(jwtVerify(stale, keysOf(old), checks), errors.JWTExpired);
    const [header = '', , signature = ''] = assertion.split('.');
    const claims = { iss: issuer, aud: audience, sub: 'eve', exp: Math.floor(Date.now() / 1000) + 300 };
    const forged = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
    await assert.rejects(jwtVerify(forged, keysOf(old), checks), errors.JWSSignatureVerificationFailed);
  });

  test('is signed by the first key of the ring, and names it', async () => {
    const assertion = signAssertion(rotated, session, terms(Date.now()));
    assert.deepEqual(decodeProtectedHeader(assertion), { alg: 'ES256', typ: 'JWT', kid: fresh[0].id });
    await jwtVerify(assertion, keysOf(fresh), checks);
    await assert.rejects(jwtVerify(assertion, keysOf(old), checks), errors.JWKSNoMatchingKey);
  });

  test('of before a rotation verifies after it', async () => {
    const before = signAssertion(old, session, terms(Date.now()));
    await jwtVerify(before, keysOf(rotated), checks);
  });
});

describe('the key set', () => {
  test('has every key of the ring, and the public half of each alone', () => {
    const { keys } = jwks(rotated);
    for (const [index, key] of keys.entries()) {
      const { x, y, ...rest } = key as { x: string; y: string };
      assert.deepEqual(rest, { kty: 'EC', crv: 'P-256', kid: rotated[index]?.id, use: 'sig', alg: 'ES256' });
      assert.equal(x.length + y.length, 86);
    }
    assert.equal(keys.length, 2);
  });
});

describe('a rotation of the ring', () => {
  // The key set is cacheable for five minutes (Cache-Control), an assertion lives for five.
  const cachedMs = 300_000;
  const minutes = (count: number) => count * 60_000;

  /** A new key is published behind the old one, comes first once every cache knows it, and the old one goes at last. */
  const ringAt = (ms: number): KeyRing => {
    if (ms < 0) return [old[0]];
    if (ms < minutes(5)) return [old[0], fresh[0]];
    return ms < minutes(15) ? [fresh[0], old[0]] : [fresh[0]];
  };

  /** Whether an assertion made at one time verifies at another, by a key set that was fetched at a third. */
  async function verifies(madeAt: number, verifiedAt: number, fetchedAt: number, rings = ringAt): Promise<boolean> {
    const start = Date.now();
    const assertion = signAssertion(rings(madeAt), session, terms(start + madeAt));
    const currentDate = new Date(start + verifiedAt);
    return jwtVerify(assertion, keysOf(rings(fetchedAt)), { ...checks, currentDate }).then(
      () => true,
      () => false,
    );
  }

  const moments = Array.from({ length: 27 }, (_, index) => minutes(index - 6));

  test('fails no verifier that keeps the key set for as long as it may', async () => {
    for (const now of moments) {
      for (const age of [0, cachedMs - 1]) {
        for (const lived of [0, assertionLifetimeMs - 1_000]) {
          assert.ok(await verifies(now - lived, now, now - age), `${now / 60_000} min, cached ${age}, lived ${lived}`);
        }
      }
    }
  });

  test('without the overlap it would', async () => {
    const abrupt = (ms: number): KeyRing => (ms < 0 ? [old[0]] : [fresh[0]]);
    assert.equal(await verifies(0, 0, -1, abrupt), false);
  });
});
