// An application of one route shows another, or the same host's next, what it was told: whoever it was made for must be in it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import type { JWTPayload } from 'jose';
import { signAssertion } from '../../../src/auth/assertion.ts';
import { createKeyRing } from '../../../src/auth/keys.ts';
import type { HeaderPreset } from '../../../src/model/settings.ts';
import { brought, sentHeader, session, withRig } from '../../proxy/rig.ts';
import type { Rig } from '../../proxy/rig.ts';

const ring = createKeyRing();
const headers: readonly (readonly [HeaderPreset, string])[] = [
  ['Sallyport', 'X-Sallyport-Jwt-Assertion'],
  ['Pomerium', 'X-Pomerium-Jwt-Assertion'],
  ['GoogleIAP', 'X-Goog-IAP-JWT-Assertion'],
  ['CloudflareAccess', 'Cf-Access-Jwt-Assertion'],
];
const routeOf = (path: string) => `default/test app.example.com${path}`;

/** Real signatures, as `auth` makes them. */
function signForReal({ authority }: Rig): void {
  authority.assert = (host, credential, subject) => {
    const opened = authority.sessions.get(brought(credential));
    const terms = { ...subject, issuer: 'https://auth.example.com', host, now: Date.now() };
    return Promise.resolve(opened && signAssertion(ring, opened.session, terms));
  };
}

/** Every spelling under which an application may look for it, and a request to have ours dropped. */
const carrying = (name: string, assertion: string): string[] => [
  `${name}: ${assertion}`,
  `${name.replaceAll('-', '_')}: ${assertion}`,
  `${name.replaceAll('-', '.')}: ${assertion}`,
  `${name.toLowerCase()}: ${assertion}`,
  `Connection: ${name}`,
];

function claimsIn(request: string | undefined, name: string): JWTPayload {
  const text = request ?? '';
  const values = [...text.matchAll(/^([^:\r\n]+): *(ey[\w-]+\.[\w-]+\.[\w-]+)/gm)];
  assert.deepEqual(
    values.map(([, header]) => header?.toLowerCase()),
    [name.toLowerCase()],
    'one assertion arrives, under its own name',
  );
  return decodeJwt(sentHeader(text, name) ?? '');
}

for (const [preset, name] of headers) {
  test(`an assertion in ${name} never reaches another route: what arrives was made for that route`, () =>
    withRig({ settings: { identityHeaders: { preset, assertion: 'Shared', claims: {} } } }, async (rig) => {
      signForReal(rig);
      await rig.get('/engineers', 'Cookie: __Host-sallyport=good');
      const taken = sentHeader(rig.upstream.requests[0], name) ?? '';
      assert.equal(decodeJwt(taken)['route'], routeOf('/engineers'));
      rig.authority.sessions.set('eve', session('e', { identity: { user: 'eve', groups: [], claims: {} } }));
      await rig.get('/private', 'Cookie: __Host-sallyport=eve', ...carrying(name, taken));
      const told = claimsIn(rig.upstream.requests[1], name);
      assert.deepEqual([told.sub, told.aud, told['route']], ['eve', 'app.example.com', routeOf('/private')]);
      await rig.get('/private', 'Cookie: __Host-sallyport=good', ...carrying(name, taken));
      assert.equal(
        claimsIn(rig.upstream.requests[2], name)['route'],
        routeOf('/private'),
        'the same person, elsewhere',
      );
      await rig.get('/', ...carrying(name, taken));
      assert.ok(!rig.upstream.requests[3]?.includes(taken), 'a public route hears of nobody');
      assert.equal(rig.upstream.requests.length, 4);
    }));
}

test('an assertion is nobody’s proof to us: not as a cookie, a bearer token or a header', () =>
  withRig({}, async (rig) => {
    signForReal(rig);
    await rig.get('/engineers', 'Cookie: __Host-sallyport=good');
    const taken = sentHeader(rig.upstream.requests[0], 'X-Sallyport-Jwt-Assertion') ?? '';
    for (const line of [
      `Cookie: __Host-sallyport=${taken}`,
      `Authorization: Bearer ${taken}`,
      `X-Sallyport-Jwt-Assertion: ${taken}`,
    ]) {
      assert.notEqual((await rig.get('/private', line)).status, 200, line.slice(0, 20));
    }
    assert.equal(rig.upstream.requests.length, 1);
  }));
