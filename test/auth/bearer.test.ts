// Bearer tokens at the authority: what a JWT or the provider's word makes of them, and how often anybody is asked.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLocalJWKSet, jwtVerify } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { AuthorityError } from '../../src/auth/authority.ts';
import { jwks } from '../../src/auth/assertion.ts';
import { audience, host, layTokens, seconds } from '../attacks/tokens/rig.ts';

test('a JWT of its issuer is a session: who it is by the claims, from when, until when', async (t) => {
  const { token, open, provider } = await layTokens(t);
  const [issuedAt, provedAt] = [seconds() - 10, seconds() - 100];
  const text = await token({ iat: issuedAt, auth_time: provedAt, exp: issuedAt + 300, acr: 'phr' });
  const { session, renewAt } = await open(text);
  assert.equal(session.provider, 'fake');
  assert.equal(session.identity.user, 'ana');
  assert.equal(session.identity.email, 'ana@example.com');
  assert.deepEqual(session.identity.groups, ['engineering']);
  assert.equal(session.identity.claims['acr'], 'phr');
  assert.deepEqual(
    [session.authenticatedAt, session.startedAt, session.expiresAt],
    [provedAt * 1000, issuedAt * 1000, (issuedAt + 300) * 1000],
  );
  assert.ok(renewAt > Date.now() && renewAt <= Date.now() + 60_000);
  assert.equal((await open(text)).session.id, session.id);
  assert.notEqual((await open(await token())).session.id, session.id);
  assert.equal(session.id.length, 43, "longer than a record's");
  assert.equal(provider.calls.get('/jwks'), 1);
});

test('an assertion is made for it, and for nobody whose token is not good', async (t) => {
  const { token, house } = await layTokens(t);
  const assertion = async (text: string) =>
    house.authority.assert(
      host,
      { kind: 'Bearer', token: text, origin: `https://${host}`, providers: ['fake'] },
      { route: 'r' },
    );
  const made = await assertion(await token());
  const { payload } = await jwtVerify(made ?? '', createLocalJWKSet(jwks(house.ring) as JSONWebKeySet));
  assert.deepEqual([payload.sub, payload.aud, payload['email']], ['ana', host, 'ana@example.com']);
  assert.equal(await assertion(await token({ aud: 'another' })), undefined);
});

test('each way in which a token can fail has its sentence', async (t) => {
  const { token, refusal } = await layTokens(t);
  const cases: readonly (readonly [Parameters<typeof token>[0], string])[] = [
    [{ exp: seconds() - 1 }, 'The token has expired.'],
    [{ exp: undefined }, 'The token does not say when it expires.'],
    [{ nbf: seconds() + 60 }, 'The token is not valid yet.'],
    [{ iat: seconds() + 60 }, 'The token was issued in the future.'],
    [{ aud: 'another' }, 'The token is for another audience.'],
    [{ aud: undefined }, 'The token is for another audience.'],
    [{ cnf: { jkt: 'x' } }, 'The token is bound to a key, and is no bearer token.'],
    [{ sub: undefined, client_id: undefined }, 'The token does not say whose it is.'],
  ];
  for (const [claims, sentence] of cases) assert.equal(await refusal(await token(claims)), sentence);
  // Clocks differ by some seconds.
  assert.equal(await refusal(await token({ nbf: seconds() + 20, iat: seconds() + 20, aud: 'x' })), cases[4]?.[1]);
});

test('a machine without the claim that names a person is named by its client, as no person can be', async (t) => {
  const { token, open } = await layTokens(t);
  const { session } = await open(await token({ sub: undefined, aud: ['x', audience] }));
  assert.deepEqual({ ...session.identity, claims: {} }, { user: 'client:reporter', groups: [], claims: {} });
});

test('a new key is asked for once it signs, and made-up key ids cause one question', async (t) => {
  const { token, open, refusal, provider, house } = await layTokens(t);
  await open(await token());
  for (let count = 0; count < 20; count += 1) await refusal(await token({}, { kid: `made-up-${count}` }));
  assert.equal(provider.calls.get('/jwks'), 1, 'the keys were fetched a moment ago');
  house.clock.offsetMs += 11_000;
  for (let count = 0; count < 20; count += 1) await refusal(await token({}, { kid: `made-up-${count}` }));
  assert.equal(provider.calls.get('/jwks'), 2);
});

test('keys serve on while the provider is away, and not for ever', async (t) => {
  const { token, open, provider, house } = await layTokens(t);
  await open(await token());
  provider.behaviour.instead.set('/jwks', (_, response) => void response.writeHead(500).end());
  house.clock.offsetMs += 1_800_000;
  await open(await token({ exp: seconds(house.now()) + 300 }));
  house.clock.offsetMs += 1_800_000;
  await assert.rejects(open(await token({ exp: seconds(house.now()) + 300 })), AuthorityError);
});

test('an opaque token is asked about once a minute, a made-up one once in ten seconds', async (t) => {
  const { open, refusal, active, provider, house } = await layTokens(t);
  active.set('opaque', { sub: 'ana', aud: audience, exp: seconds() + 3600, token_type: 'Bearer', iat: seconds() });
  const asked = () => provider.calls.get('/introspect');
  await Promise.all(Array.from({ length: 50 }, () => open('opaque')));
  assert.equal(asked(), 1);
  const { session, renewAt } = await open('opaque');
  assert.equal(session.identity.user, 'ana');
  assert.ok(renewAt <= house.now() + 60_000);
  for (let count = 0; count < 5; count += 1) assert.equal(await refusal('made-up'), 'The token is not active.');
  assert.equal(asked(), 2);
  house.clock.offsetMs += 11_000;
  await refusal('made-up');
  assert.equal(asked(), 3);
  active.delete('opaque');
  await open('opaque');
  house.clock.offsetMs += 50_000;
  assert.equal(await refusal('opaque'), 'The token is not active.');
});

test('no answer is believed past the token’s own end', async (t) => {
  const { open, refusal, active, house } = await layTokens(t);
  active.set('brief', { sub: 'ana', aud: audience, exp: seconds() + 5 });
  assert.equal((await open('brief')).session.expiresAt, (await open('brief')).renewAt);
  house.clock.offsetMs += 6_000;
  assert.equal(await refusal('brief'), 'The token is not active.');
});

test('what the provider says of a token is held against it', async (t) => {
  const { refusal, open, active } = await layTokens(t);
  const said: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ aud: 'another' }, 'The token is for another audience.'],
    [{ aud: undefined }, 'The token is for another audience.'],
    [{ iss: 'https://evil.example.org' }, 'The token is of another issuer.'],
    [{ token_type: 'DPoP' }, 'The token is bound to a key, and is no bearer token.'],
    [{ cnf: {} }, 'The token is bound to a key, and is no bearer token.'],
    [{ token_use: 'refresh_token' }, 'The token is not an access token.'],
    [{ typ: 'Refresh' }, 'The token is not an access token.'],
    [{ sub: undefined }, 'The token does not say whose it is.'],
    [{ exp: 1 }, 'The token is not active.'],
  ];
  for (const [at, [claims, sentence]] of said.entries()) {
    active.set(`token-${at}`, { sub: 'ana', aud: audience, ...claims });
    assert.equal(await refusal(`token-${at}`), sentence);
  }
  active.set('list', { sub: 'ana', aud: ['x', audience] });
  await open('list');
});

test('a provider that need not name audiences need not, and one that does is held to it', async (t) => {
  const { refusal, open, active } = await layTokens(t, { introspection: { requireAudience: false } });
  active.set('silent', { sub: 'ana' });
  active.set('other', { sub: 'ana', aud: 'another' });
  await open('silent');
  assert.equal(await refusal('other'), 'The token is for another audience.');
});

test('a provider that does not answer opens nothing, and too many questions at once are turned away', async (t) => {
  const { open, provider, house } = await layTokens(t);
  const held: (() => void)[] = [];
  provider.behaviour.instead.set('/introspect', (_, response) => {
    held.push(() => void response.writeHead(500).end());
  });
  const asked = Array.from({ length: 40 }, (_, at) => open(`token-${at}`));
  const ends = await Promise.allSettled(asked.slice(32));
  assert.ok(ends.every((end) => end.status === 'rejected' && end.reason instanceof AuthorityError));
  while (held.length < 32) await new Promise((resolve) => void setTimeout(resolve, 10));
  for (const end of held) end();
  const rest = await Promise.allSettled(asked.slice(0, 32));
  assert.ok(rest.every((end) => end.status === 'rejected' && end.reason instanceof AuthorityError));
  assert.equal(house.watched.writes.length, 0);
});

test('no token is anybody’s where no provider of the route takes it', async (t) => {
  const { token, refusal, other, active } = await layTokens(t);
  active.set('opaque', { sub: 'ana', aud: audience });
  assert.equal(await refusal(await token(), ['other']), 'Nobody');
  assert.equal(await refusal(await token(), []), 'Nobody');
  assert.equal(await refusal('opaque', []), 'Nobody');
  assert.equal(await refusal('opaque', ['other', 'fake']), 'The token is not active.');
  assert.equal(other.calls.get('/introspect'), 1, 'the first that introspects is asked, and no other');
});

test('a person whose groups a token cannot tell has unknown groups, as after a sign-in', async (t) => {
  const { token, open } = await layTokens(t);
  const { session } = await open(await token({ groups: undefined, hasgroups: true }));
  assert.equal(session.identity.groupsUnknown, true);
  assert.equal((await open(await token())).session.identity.groupsUnknown, undefined);
});
