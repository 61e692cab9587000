// Lends our name to a link that ends elsewhere, by way of the signed-out page (CVE-2021-29456).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyRing, seal } from '../../../src/auth/keys.ts';
import { appHost, authHost, evil, layGround, otherHost, visit } from './rig.ts';

const home = `https://${authHost}/.sallyport/signed-out`;

test('the signed-out page links to our own hosts alone, whatever its state says', async (t) => {
  const { victim, house } = await layGround(t);
  const states = [
    '',
    evil,
    `${house.ring[0].id}.${Buffer.from(evil).toString('base64url')}`,
    seal(createKeyRing(), 'return', evil, home),
    // Sealed by us, for other uses or another place.
    seal(house.ring, 'request', evil, home),
    seal(house.ring, 'flow', evil, home),
    seal(house.ring, 'return', evil, `https://${appHost}/.sallyport/signed-out`),
    'x'.repeat(100_000),
  ];
  for (const state of states) {
    const query = `state=${encodeURIComponent(state)}&return=${evil}&post_logout_redirect_uri=${evil}`;
    const end = await visit(victim, `${home}?${query}`);
    assert(end.kind === 'Page' && end.page.kind === 'SignedOut');
    assert.equal(end.page.signIn, '/.sallyport/sign-in', state.slice(0, 80));
  }
});

test('signing out goes by the provider and back to where it began, whatever the request asks for', async (t) => {
  const { victim, house } = await layGround(t);
  await visit(victim, `https://${otherHost}/`);
  const { length } = house.answers;
  const url = `https://${otherHost}/.sallyport/sign-out?return=${evil}&rd=${evil}&post_logout_redirect_uri=${evil}`;
  const end = await visit(victim, url, { method: 'POST', fetchSite: 'same-origin', body: `return=${evil}` });
  assert(end.kind === 'Page' && end.page.kind === 'SignedOut');
  assert.equal(end.page.signIn, `https://${otherHost}/.sallyport/sign-in`);
  assert.equal(new URL(end.url).origin + new URL(end.url).pathname, home);
  assert.equal(JSON.stringify(house.answers.slice(length)).includes('evil'), false);
});
