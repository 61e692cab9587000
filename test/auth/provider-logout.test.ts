// Signing out at a provider: where the browser is sent, and what becomes of the refresh token.
import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, test } from 'node:test';
import type { TestContext } from 'node:test';
import { createProvider } from '../../src/auth/provider/provider.ts';
import { ProviderError } from '../../src/auth/provider/error.ts';
import type { Tokens } from '../../src/auth/session/record.ts';
import type { Identity } from '../../src/model/identity.ts';
import { createLogger } from '../../src/telemetry.ts';
import { appHost, assertArrived, fullSession, layGround, visit } from '../attacks/login/rig.ts';
import { startFakeProvider } from './fake-provider.ts';
import type { FakeProvider } from './fake-provider.ts';

let fake: FakeProvider;
before(async () => {
  fake = await startFakeProvider();
});
after(() => fake.stop());
beforeEach(() => {
  fake.behaviour.metadata = { revocation_endpoint: `${fake.issuer}/revoke` };
});

const ana: Identity = { user: 'ana', groups: [], claims: {} };
const tokens: Tokens = { idToken: 'i', accessToken: 'a', refreshToken: 'the refresh token' };

function providerFor(t: TestContext) {
  const provider = createProvider(fake.settings, { log: createLogger('silent') });
  t.after(() => provider.close());
  return provider;
}

test('an id token that is too long for a URL stays here: the hint is who the person is', async (t) => {
  const asked = async (identity: Partial<Identity>) => {
    const of = { tokens: { ...tokens, idToken: 'x'.repeat(20_000) }, identity: { ...ana, ...identity } };
    const url = new URL((await providerFor(t).endSessionUrl(of, 'https://auth.example.com/', 's')) ?? '');
    assert(url.href.length < 1_000);
    assert.equal(url.searchParams.get('id_token_hint'), null);
    assert.equal(url.searchParams.get('client_id'), fake.settings.clientId);
    return url.searchParams.get('logout_hint');
  };
  assert.equal(await asked({}), 'ana');
  assert.equal(await asked({ email: 'ana@example.com' }), 'ana@example.com');
  assert.equal(await asked({ email: 'ana@example.com', claims: { login_hint: 'O.CiQ' } }), 'O.CiQ');
});

/** The forms that the revocation endpoint got. */
async function revoked(t: TestContext, given: Tokens): Promise<Record<string, string>[]> {
  const forms: string[] = [];
  fake.behaviour.instead.set('/revoke', async (request, response) => {
    forms.push(await text(request));
    response.writeHead(200).end();
  });
  await providerFor(t).revoke?.(given);
  return forms.map((form) => Object.fromEntries(new URLSearchParams(form)));
}

test('a refresh token is given back where the provider has a place for that', async (t) => {
  assert.deepEqual(await revoked(t, tokens), [{ token: 'the refresh token', token_type_hint: 'refresh_token' }]);
});

test('it is not where there is none, nor any other token', async (t) => {
  const { refreshToken: _, ...without } = tokens;
  assert.deepEqual(await revoked(t, without), []);
  fake.behaviour.metadata = {};
  assert.deepEqual(await revoked(t, tokens), []);
});

test('a provider that fails at it says so', async (t) => {
  fake.behaviour.instead.set('/revoke', (_, response) => void response.writeHead(503).end());
  await assert.rejects(
    Promise.resolve(providerFor(t).revoke?.(tokens)),
    (error) => error instanceof ProviderError && error.code === 'unavailable',
  );
});

test('at a sign-out the refresh token is given back, once the session has ended, and nobody waits for that', async (t) => {
  const { house, provider, victim } = await layGround(t);
  const { behaviour, issuer } = provider;
  behaviour.metadata = { revocation_endpoint: `${issuer}/revoke` };
  const app = `https://${appHost}/`;
  assertArrived(await visit(victim, app), app);
  const { refreshToken } = (await fullSession(victim)).tokens;
  const told = Promise.withResolvers<unknown>();
  // Hears of it, and never answers.
  behaviour.instead.set('/revoke', async (request) => {
    const token = new URLSearchParams(await text(request)).get('token');
    told.resolve({ token, after: house.watched.writes.at(-1) });
  });
  const end = await visit(victim, `${app}.sallyport/sign-out`, { method: 'POST', fetchSite: 'same-origin' });
  assert(end.kind === 'Page' && end.page.kind === 'SignedOut', JSON.stringify(end));
  assert.deepEqual(await told.promise, { token: refreshToken, after: 'remove session' });
});
