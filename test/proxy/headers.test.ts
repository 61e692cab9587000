// The outgoing headers, under each preset, and what passes untouched.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeaderPreset } from '../../src/model/settings.ts';
import { responseHeaders } from '../../src/proxy/headers.ts';
import { encoded } from '../../src/proxy/identity-headers.ts';
import { reply, sentHeader, withRig } from './rig.ts';

const cookie = 'Cookie: __Host-sallyport=good';

const expected: Readonly<Record<HeaderPreset, Readonly<Record<string, string>>>> = {
  Sallyport: {
    'X-Sallyport-Jwt-Assertion': 'assertion-of-session-good',
    'X-Sallyport-User': 'u-ana',
    'X-Sallyport-Email': 'ana@example.com',
    'X-Sallyport-Groups': 'engineering,staff',
  },
  Pomerium: {
    'X-Pomerium-Jwt-Assertion': 'assertion-of-session-good',
    'X-Pomerium-Claim-User': 'u-ana',
    'X-Pomerium-Claim-Email': 'ana@example.com',
    'X-Pomerium-Claim-Name': 'Ana',
    'X-Pomerium-Claim-Groups': 'engineering,staff',
  },
  OAuth2Proxy: {
    'X-Auth-Request-User': 'u-ana',
    'X-Auth-Request-Email': 'ana@example.com',
    'X-Auth-Request-Groups': 'engineering,staff',
    'X-Auth-Request-Preferred-Username': 'ana',
    'X-Forwarded-User': 'u-ana',
    'X-Forwarded-Email': 'ana@example.com',
    'X-Forwarded-Groups': 'engineering,staff',
    'X-Forwarded-Preferred-Username': 'ana',
  },
  GoogleIAP: {
    'X-Goog-IAP-JWT-Assertion': 'assertion-of-session-good',
    'X-Goog-Authenticated-User-Email': 'accounts.google.com:ana@example.com',
    'X-Goog-Authenticated-User-Id': 'accounts.google.com:u-ana',
  },
  CloudflareAccess: {
    'Cf-Access-Jwt-Assertion': 'assertion-of-session-good',
    'Cf-Access-Authenticated-User-Email': 'ana@example.com',
  },
};

for (const preset of Object.keys(expected) as HeaderPreset[]) {
  test(`the preset ${preset} tells of a person under its names, and of nobody where nobody is signed in`, () =>
    withRig(
      { settings: { identityHeaders: { preset, assertion: 'Shared', claims: { 'X-Team': 'team' } } } },
      async ({ get, upstream }) => {
        await get('/private', cookie);
        await get('/');
        for (const [name, value] of Object.entries({ ...expected[preset], 'X-Team': 'core' })) {
          assert.equal(sentHeader(upstream.requests[0], name), value, name);
          assert.equal(sentHeader(upstream.requests[1], name), undefined, name);
        }
      },
    ));
}

test('end-to-end headers pass as they came: order, case, repetition, an application’s own Authorization', () =>
  withRig({}, async ({ get, upstream }) => {
    const lines = [
      'X-b: 2',
      'AUTHORIZATION: Basic eDp5',
      'x-A: 1',
      'X-b: 3',
      'accept: a, b',
      'X_Under: kept',
      'Empty:',
      'Cookie: b=2; a=1',
    ];
    await get('/', ...lines);
    const head = (upstream.requests[0] ?? '').split('\r\n');
    assert.deepEqual(
      head.slice(2, 2 + lines.length).map((line) => line.trim()),
      lines,
    );
  }));

test('an application’s own challenges and cookies, and the answers to them, pass byte for byte', () => {
  const challenges = [
    'WWW-Authenticate: Basic realm="a, \\"b\\"", Digest nonce=x,qop="auth"',
    'www-authenticate: Negotiate oYG=',
    'WWW-Authenticate: Bearer realm="app", error="invalid_token"',
    'Set-Cookie: sid=%00"a b"; Path=/x; HttpOnly; SameSite=None; Secure; Partitioned',
    'set-cookie: sid=2',
    'Authentication-Info: nextnonce="z"',
  ];
  const answer = `HTTP/1.1 401 Not You\r\n${challenges.map((line) => `${line}\r\n`).join('')}Content-Length: 0\r\n\r\n`;
  return withRig({ application: reply(answer) }, async ({ get, upstream }) => {
    for (const authorization of [
      'Basic YTpi',
      'Negotiate YII=',
      'Bearer e30.e30.e30',
      'AWS4-HMAC-SHA256 Credential=a/b',
    ]) {
      const { head } = await get('/', `Authorization: ${authorization}`, 'Cookie: sid=%00"a b"; x=y');
      assert.deepEqual(
        head.split('\r\n').filter((line) => challenges.includes(line)),
        challenges,
      );
      assert.match(head, /^HTTP\/1\.1 401 Not You\r\n/);
      assert.equal(sentHeader(upstream.requests.at(-1), 'authorization'), authorization);
      assert.equal(sentHeader(upstream.requests.at(-1), 'cookie'), 'sid=%00"a b"; x=y');
    }
  });
});

test('TE is trailers or nothing', () =>
  withRig({}, async ({ get, upstream }) => {
    await get('/', 'TE: gzip, trailers', 'Connection: TE');
    await get('/', 'TE: gzip');
    assert.equal(sentHeader(upstream.requests[0], 'te'), 'trailers');
    assert.equal(sentHeader(upstream.requests[1], 'te'), undefined);
  }));

test('an answer keeps its headers but those of one hop', () => {
  const raw = [
    'Connection',
    'close, X-Hop',
    'X-Hop',
    '1',
    'Keep-Alive',
    'timeout=5',
    'Set-Cookie',
    'a=1',
    'set-cookie',
    'b=2',
    'X-Sallyport-User',
    'x',
    'Content-Length',
    '5',
    'Proxy-Authenticate',
    'x',
    'Trailer',
    'y',
    'Upgrade',
    'h2c',
  ];
  assert.deepEqual(responseHeaders(raw, { status: 200, cookieName: 'sallyport' }), [
    'Set-Cookie',
    'a=1',
    'set-cookie',
    'b=2',
    'X-Sallyport-User',
    'x',
    'Content-Length',
    '5',
  ]);
});

test('a header’s value is encoded so that no two values become one', () => {
  assert.equal(encoded('plain (text), 100'), 'plain (text), 100');
  assert.equal(encoded('josé'), 'jos%C3%A9');
  assert.equal(encoded('jos%C3%A9'), 'jos%25C3%25A9');
  assert.equal(encoded(' a '), '%20a%20');
  assert.equal(encoded('a\tb'), 'a%09b');
});
