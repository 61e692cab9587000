// Tokens that the right keys signed for another use: id tokens, refresh and logout tokens, other audiences and issuers (RFC 8725, section 3.12; RFC 9068, section 5).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { audience, claimsOf, headerOf, layTokens, signWith } from './rig.ts';

const notAccess = 'The token is not an access token.';

test('an id token is no access token, even where its audience is listed', async (t) => {
  const { refusal, token } = await layTokens(t, { audiences: [audience, 'fake'] });
  for (const typ of ['JWT', undefined]) {
    for (const claims of [
      { aud: 'fake' },
      { aud: [audience, 'fake'] },
      { nonce: 'n' },
      { at_hash: 'h' },
      { c_hash: 'h' },
      { typ: 'ID' },
      { token_use: 'id' },
    ]) {
      assert.equal(await refusal(await token(claims, { typ })), notAccess, JSON.stringify([typ, claims]));
    }
  }
});

test('nor is a refresh token, a logout token, a proof, or an introspection answer', async (t) => {
  const { refusal, token } = await layTokens(t);
  for (const typ of [
    'logout+jwt',
    'dpop+jwt',
    'secevent+jwt',
    'token-introspection+jwt',
    'application/logout+jwt',
    '',
  ]) {
    assert.equal(await refusal(await token({}, { typ })), notAccess, typ);
  }
  for (const claims of [{ typ: 'Refresh' }, { typ: 'Offline' }, { typ: 7 }, { events: {} }, { token_use: 'refresh' }]) {
    assert.equal(await refusal(await token(claims, { typ: 'JWT' })), notAccess, JSON.stringify(claims));
  }
});

test('an access token is one under each name that providers give it', async (t) => {
  const { open, token } = await layTokens(t);
  for (const typ of ['at+jwt', 'application/at+jwt', 'AT+JWT', 'JWT', undefined]) await open(await token({}, { typ }));
  await open(await token({ typ: 'Bearer', aud: [audience, 'fake'] }, { typ: 'JWT' }));
  await open(await token({ token_use: 'access' }, { typ: undefined }));
});

test('a token of one provider is nothing at another, nor where only the other counts', async (t) => {
  const { provider, other, refusal, open, token } = await layTokens(t);
  const unverified = 'The signature of the token cannot be verified.';
  const ofOther = (claims: Record<string, unknown>) =>
    signWith(other.privateKey, claimsOf(other, claims), headerOf({ kid: 'other-1' }));
  assert.equal((await open(await ofOther({}), ['fake', 'other'])).session.provider, 'other');
  assert.equal(await refusal(await ofOther({})), 'Nobody');
  assert.equal(await refusal(await ofOther({ iss: provider.issuer }), ['fake', 'other']), unverified);
  assert.equal(await refusal(await token({ iss: other.issuer }), ['fake', 'other']), unverified);
  for (const iss of [`${provider.issuer}/`, provider.issuer.toUpperCase(), '', undefined, [provider.issuer]]) {
    assert.equal(await refusal(await token({ iss }), ['fake', 'other']), 'Nobody', JSON.stringify(iss));
  }
  for (const aud of [`${audience}/`, 'https://API.example.com', [], [[audience]], { [audience]: true }, 'fake']) {
    assert.notEqual(await refusal(await token({ aud })), 'Nobody', JSON.stringify(aud));
  }
});

test('our own tokens are nobody’s credential', async (t) => {
  const { house, open, refusal, token } = await layTokens(t);
  const good = await token();
  await open(good);
  const bearer = { kind: 'Bearer', token: good, origin: 'https://app.example.com', providers: ['fake'] } as const;
  const assertion = await house.authority.assert('app.example.com', bearer, { route: 'r' });
  assert.equal(await refusal(assertion ?? ''), 'Nobody');
});
