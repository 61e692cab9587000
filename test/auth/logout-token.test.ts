// Logout tokens: each check that the specification wants, one by one, on an otherwise good token.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readLogoutToken } from '../../src/auth/logout/token.ts';

const now = Date.UTC(2026, 10, 27, 12);
const seconds = now / 1000;
const event = 'http://schemas.openid.net/event/backchannel-logout';
const good = {
  iss: 'https://idp.example.com',
  aud: 'sallyport',
  iat: seconds,
  exp: seconds + 120,
  jti: 'one',
  events: { [event]: {} },
  sub: 'ana',
  sid: 'session-of-ana',
};

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const tokenOf = (claims: unknown, header: unknown = { alg: 'ES256', typ: 'logout+jwt' }) =>
  `${part(header)}.${part(claims)}.c2ln`;

test('a good token is read, with what is in it', () => {
  assert.deepEqual(readLogoutToken(tokenOf(good), now), {
    issuer: good.iss,
    audience: ['sallyport'],
    subject: 'ana',
    providerSessionId: 'session-of-ana',
    jti: 'one',
    goodUntil: now + 180_000,
  });
});

const others: Record<string, Record<string, unknown>> = {
  'a list as audience': { aud: ['another', 'sallyport'] },
  'no sid': { sid: undefined },
  'no sub': { sub: undefined },
  'other events beside': { events: { [event]: {}, 'urn:other': {} } },
  'something in the event': { events: { [event]: { reason: 'x' } } },
  'claims that nobody knows': { trace_id: 'x', events_extra: [] },
  'an age of 179 seconds, for clocks differ': { iat: seconds - 179 },
  'a birth in 59 seconds': { iat: seconds + 59 },
  'an end 59 seconds ago': { exp: seconds - 59 },
};
for (const [what, change] of Object.entries(others)) {
  test(`it may have ${what}`, () => {
    assert.equal('fault' in readLogoutToken(tokenOf({ ...good, ...change }), now), false);
  });
}

test('it may say no typ, or that it is a JWT, in any letter case', () => {
  for (const typ of [undefined, 'JWT', 'jwt', 'logout+jwt', 'Logout+JWT', 'application/logout+jwt']) {
    assert.equal('fault' in readLogoutToken(tokenOf(good, { alg: 'ES256', typ }), now), false, String(typ));
  }
});

const faults: Record<string, readonly [Record<string, unknown>, RegExp]> = {
  'without iss': [{ iss: undefined }, /its iss/],
  'whose iss is no text': [{ iss: ['https://idp.example.com'] }, /its iss/],
  'without aud': [{ aud: undefined }, /its aud/],
  'whose aud is an empty list': [{ aud: [] }, /its aud/],
  'without iat': [{ iat: undefined }, /its iat/],
  'whose iat is text': [{ iat: String(seconds) }, /its iat/],
  'without exp': [{ exp: undefined }, /its exp/],
  'without jti': [{ jti: undefined }, /its jti/],
  'with an empty jti': [{ jti: '' }, /its jti/],
  'with a jti as long as a book': [{ jti: 'x'.repeat(2049) }, /its jti/],
  'without events': [{ events: undefined }, /its events/],
  'with events that are none': [{ events: {} }, /its events/],
  'with another event': [{ events: { 'urn:other': {} } }, /its events/],
  'whose event is no object': [{ events: { [event]: true } }, /its events/],
  'whose event is null': [{ events: { [event]: null } }, /its events/],
  'whose event is a list': [{ events: { [event]: [] } }, /its events/],
  'whose events are a list': [{ events: [event] }, /its events/],
  'with a nonce': [{ nonce: 'n' }, /its nonce/],
  'with a nonce of null': [{ nonce: null }, /its nonce/],
  'with neither sub nor sid': [{ sub: undefined, sid: undefined }, /neither sub nor sid/],
  'with an empty sub': [{ sub: '' }, /its sub/],
  'whose sid is a number': [{ sid: 1 }, /its sid/],
  'born 180 seconds ago': [{ iat: seconds - 180 }, /two minutes ago/],
  'born in 61 seconds': [{ iat: seconds + 61 }, /in the future/],
  'ended 60 seconds ago': [{ exp: seconds - 60 }, /expired/],
};
for (const [what, [change, expected]] of Object.entries(faults)) {
  test(`one ${what} is refused`, () => {
    const read = readLogoutToken(tokenOf({ ...good, ...change }), now);
    assert('fault' in read, JSON.stringify(read));
    assert.match(read.fault, expected);
  });
}

test('a token of another type is refused, whatever is in it', () => {
  for (const typ of ['at+jwt', 'id_token+jwt', 'dpop+jwt', '', 7, null]) {
    const read = readLogoutToken(tokenOf(good, { alg: 'ES256', typ }), now);
    assert('fault' in read && /typ/.test(read.fault), String(typ));
  }
});

test('what is no JWT is refused, and nothing makes it throw', () => {
  const odd = ['', '.', '..', '...', 'x.y.z', `${part({})}.${part(null)}.x`, part(good), tokenOf(good).slice(0, 40)];
  for (const text of odd) assert('fault' in readLogoutToken(text, now), text);
  for (const payload of [null, [], 'text', 7, true]) assert('fault' in readLogoutToken(tokenOf(payload), now));
  assert('fault' in readLogoutToken(`${tokenOf(good)}.x`, now), 'four parts');
  assert('fault' in readLogoutToken(`${tokenOf(good)}.x.y`, now), 'five parts: encrypted');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => assert('fault' in readLogoutToken(text, now))),
    { numRuns: 300 },
  );
});
