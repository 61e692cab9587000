// What was answered about one token, host or provider must never be taken for another's (GHSA-qvp4-rpmr-xwrr, CVE-2026-33496, CVE-2026-71326).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { audience, layTokens } from './rig.ts';

test('people who ask at once are not mixed up, whatever their tokens have in common', async (t) => {
  const { open, active } = await layTokens(t);
  const tokens = [
    'a',
    'a.',
    'a.b',
    'a-b',
    'ab',
    'a_b',
    'a~b',
    'fake',
    'A',
    `${'x'.repeat(500)}1`,
    `${'x'.repeat(500)}2`,
  ];
  for (const token of tokens) active.set(token, { sub: `owner of ${token}`, aud: audience });
  const rounds = Array.from({ length: 5 }, () => tokens).flat();
  const opened = await Promise.all(rounds.map((token) => open(token)));
  assert.deepEqual(
    opened.map(({ session }) => session.identity.user),
    rounds.map((token) => `owner of ${token}`),
  );
  assert.equal(new Set(opened.map(({ session }) => session.id)).size, tokens.length);
});

test('an answer of one provider is never used for another', async (t) => {
  const { open, refusal, active } = await layTokens(t);
  active.set('opaque', { sub: 'ana', aud: audience });
  await open('opaque', ['fake']);
  assert.equal(await refusal('opaque', ['other']), 'The token is not active.');
  assert.equal(await refusal('opaque', []), 'Nobody');
  await open('opaque', ['fake']);
});

test('what counts for one audience does not once the audiences are others', async (t) => {
  const { open, refusal, active, house, taking } = await layTokens(t);
  active.set('opaque', { sub: 'ana', aud: audience });
  await open('opaque');
  house.authority.update({
    class: house.settings,
    keyRing: house.ring,
    providers: taking({ audiences: ['another'], introspection: { requireAudience: true } }),
  });
  assert.equal(await refusal('opaque'), 'The token is for another audience.');
});
