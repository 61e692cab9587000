// Tokens made to cost: too long, nested without end, of no form at all. None throws, and none is asked about.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layTokens } from './rig.ts';

test('what is too long is nobody’s, before anything of it is read', async (t) => {
  const { refusal, token, provider, open } = await layTokens(t);
  await open(await token({ padding: 'x'.repeat(8_000) }));
  assert.equal(await refusal(await token({ padding: 'x'.repeat(16_000) })), 'Nobody');
  assert.equal(await refusal('x'.repeat(16_385)), 'Nobody');
  assert.equal(provider.calls.get('/introspect'), undefined);
});

test('claims nested without end, and numbers that are none, end nothing but their own request', async (t) => {
  const { refusal, token, provider } = await layTokens(t);
  const part = (text: string) => Buffer.from(text).toString('base64url');
  const header = part('{"alg":"ES256","kid":"fake-1"}');
  for (const payload of [
    `{"iss":"${provider.issuer}","a":${'['.repeat(3_000)}${']'.repeat(3_000)}}`,
    `{"iss":"${provider.issuer}","exp":1e400}`,
    `{"iss":"${provider.issuer}","iss":"x","exp":9999999999}`,
    '[]',
    'null',
    '"text"',
  ]) {
    assert.notEqual(await refusal(`${header}.${part(payload)}.${part('signature')}`), '', payload.slice(0, 40));
  }
  for (const claims of [{ exp: '9999999999' }, { exp: -1 }, { iat: 'x' }, { nbf: {} }, { exp: null }]) {
    assert.notEqual(await refusal(await token(claims)), 'Nobody', JSON.stringify(claims));
  }
});
