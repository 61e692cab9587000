// Asks the authentication host for a session for a host of the attacker's choosing (CVE-2026-48895, CVE-2026-44915, CVE-2021-29652).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyRing } from '../../../src/auth/keys.ts';
import { seal } from '../../../src/auth/keys.ts';
import { bindingOf, sealRequest } from '../../../src/auth/sign-in/login.ts';
import type { SignInRequest } from '../../../src/auth/sign-in/login.ts';
import { appHost, assertFailed, authHost, layGround, visit, visitUntil } from './rig.ts';

test('a request that no host of ours sealed gets no code, not even of somebody who is signed in', async (t) => {
  const { house, victim, attacker } = await layGround(t);
  const asked: SignInRequest = {
    flow: 'abcdefgh',
    scheme: 'https',
    authority: 'evil.example.org',
    providers: ['fake'],
    binding: bindingOf('known to the attacker'),
    somebodyElse: false,
    at: house.now(),
  };
  const text = JSON.stringify(asked);
  const honest = (await visitUntil(attacker, `https://${appHost}/`, /request=/)).searchParams.get('request') ?? '';
  const flipped = (at: number) => honest.slice(0, at) + (honest[at] === 'A' ? 'B' : 'A') + honest.slice(at + 1);
  const forged = [
    '',
    text,
    Buffer.from(text).toString('base64url'),
    `${house.ring[0].id}.${Buffer.from(text).toString('base64url')}`,
    sealRequest(createKeyRing(), asked, authHost),
    // Sealed by us, but for another place or use.
    sealRequest(house.ring, asked, appHost),
    seal(house.ring, 'return', text, authHost),
    seal(house.ring, 'flow', text, authHost),
    ...[0, 3, 12, 40, 100, honest.length - 1].map(flipped),
    honest.slice(0, -4),
    `${honest}AAAA`,
  ];
  await visit(victim, `https://${authHost}/.sallyport/`);
  const { length } = house.watched.writes;
  for (const one of forged) {
    assertFailed(await visit(victim, `https://${authHost}/.sallyport/sign-in?request=${encodeURIComponent(one)}`));
  }
  assert.equal(house.watched.writes.length, length, 'no code was made');
});

test('without an authentication host a request means nothing', async (t) => {
  const { house, victim } = await layGround(t, { withAuthenticationHost: false });
  const asked = {
    flow: 'abcdefgh',
    scheme: 'https',
    authority: 'evil.example.org',
    providers: ['fake'],
    binding: 'x',
    somebodyElse: false,
  } as const;
  for (const host of ['', appHost]) {
    const sealed = sealRequest(house.ring, { ...asked, at: house.now() }, host);
    const end = await visit(victim, `https://${appHost}/.sallyport/sign-in?request=${sealed}`);
    assert.equal(new URL(end.url).host, appHost);
  }
});
