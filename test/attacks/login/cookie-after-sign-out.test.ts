// Uses a copied cookie after its owner has signed out (CVE-2024-21492, CVE-2026-34454, CVE-2025-55162).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  asCookie,
  appHost,
  assertNoSession,
  authHost,
  bothWays,
  codeCallbackUrl,
  copyOf,
  cookiesFor,
  layGround,
  otherHost,
  sessionValue,
  visit,
  visitUntil,
} from './rig.ts';

const signOut = { method: 'POST', fetchSite: 'same-origin', body: '' } as const;

test('a stolen cookie dies with the session, on every host', async (t) => {
  for (const withAuthenticationHost of bothWays) {
    const { house, victim, provider } = await layGround(t, { withAuthenticationHost });
    provider.behaviour.metadata = { end_session_endpoint: undefined };
    await visit(victim, `https://${appHost}/`);
    if (withAuthenticationHost) await visit(victim, `https://${otherHost}/`);
    const thief = copyOf(victim);
    const hosts = withAuthenticationHost ? [appHost, otherHost, authHost] : [appHost];
    for (const host of hosts) assert(await house.authority.open(host, asCookie(sessionValue(thief, host))));
    await visit(victim, `https://${appHost}/.sallyport/sign-out`, signOut);
    for (const host of hosts) await assertNoSession(thief, host);
    assert.equal(cookiesFor(victim, appHost).size, 0, "the victim's browser was told to forget");
  }
});

test('a code that was on its way when its owner signed out is worth nothing', async (t) => {
  const { victim, provider } = await layGround(t);
  provider.behaviour.metadata = { end_session_endpoint: undefined };
  await visit(victim, `https://${appHost}/`);
  const code = await visitUntil(victim, `https://${otherHost}/`, codeCallbackUrl);
  await visit(victim, `https://${appHost}/.sallyport/sign-out`, signOut);
  const end = await visit(victim, code);
  assert(end.kind === 'Page' && end.page.kind === 'SignInFailed');
  await assertNoSession(victim, otherHost);
});
