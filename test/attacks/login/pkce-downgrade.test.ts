// Does without PKCE, or with its plain form, so that an intercepted code is enough (CVE-2023-48228, CVE-2024-23647).
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { appHost, layGround, visit, visitUntil } from './rig.ts';

test('every sign-in is asked for with S256, whatever the provider or its settings say', async (t) => {
  const { house, victim, provider } = await layGround(t);
  const weak = { code_challenge_method: 'plain', code_challenge: 'known', nonce: 'known', state: 'known' };
  house.authority.update({
    class: house.settings,
    providers: [{ ...provider.settings, authorizationParameters: weak }],
    keyRing: house.ring,
  });
  for (const supported of [undefined, ['plain'], []]) {
    provider.behaviour.metadata = { code_challenge_methods_supported: supported };
    const url = await visitUntil(victim, `https://${appHost}/`, /\/authorize\?/);
    assert.deepEqual(url.searchParams.getAll('code_challenge_method'), ['S256']);
    assert.match(url.searchParams.get('code_challenge') ?? '', /^[A-Za-z0-9_-]{43}$/);
    for (const name of ['code_challenge', 'nonce', 'state']) {
      assert.equal(url.searchParams.getAll(name).length, 1);
      assert.notEqual(url.searchParams.get(name), 'known');
    }
  }
});

test('the verifier is told to the token endpoint alone, and is another each time', async (t) => {
  const { house, victim, provider } = await layGround(t);
  const verifiers: string[] = [];
  for (const _ of [1, 2]) {
    victim.jar.clear();
    const url = await visitUntil(victim, `https://${appHost}/`, /\/authorize\?/);
    const back = await provider.authorize(url);
    provider.behaviour.instead.set('/token', (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        verifiers.push(new URLSearchParams(body).get('code_verifier') ?? '');
        response.writeHead(500).end();
      });
    });
    await visit(victim, back);
    const hash = createHash('sha256')
      .update(verifiers.at(-1) ?? '')
      .digest('base64url');
    assert.equal(url.searchParams.get('code_challenge'), hash);
  }
  assert.equal(new Set(verifiers).size, 2);
  for (const verifier of verifiers) {
    assert.match(verifier, /^[A-Za-z0-9_-]{43}$/);
    assert.equal(JSON.stringify([house.answers, victim.trail]).includes(verifier), false);
  }
});
