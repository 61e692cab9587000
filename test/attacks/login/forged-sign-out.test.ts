// Signs somebody out from another site, by a form, an image or a link (CVE-2026-34454 is its mirror: a sign-out that did not).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OwnRequest } from '../../../src/auth/authority.ts';
import { appHost, assertArrived, authHost, evil, layGround, otherHost, visit } from './rig.ts';

test('a sign-out is taken from our own page alone', async (t) => {
  const { house, victim } = await layGround(t);
  const { session } = assertArrived(await visit(victim, `https://${appHost}/`), `https://${appHost}/`);
  const own = `https://${appHost}`;
  const forged: readonly Partial<OwnRequest>[] = [
    {},
    { fetchSite: 'cross-site' },
    { fetchSite: 'same-site' },
    { fetchSite: 'none' },
    { fetchSite: '' },
    { fetchSite: 'Same-Origin ' },
    // Fetch metadata counts where it is there: a page cannot set it, and Origin is no second chance.
    { fetchSite: 'cross-site', origin: own },
    { fetchSite: 'same-site', origin: own },
    { origin: evil },
    { origin: 'null' },
    { origin: '' },
    { origin: `https://${otherHost}` },
    { origin: `https://${authHost}` },
    { origin: `http://${appHost}` },
    { origin: `${own}:8443` },
    { origin: `${own}.evil.example.org` },
    { origin: `${own}/` },
  ];
  for (const request of forged) {
    const end = await visit(victim, `${own}/.sallyport/sign-out`, { method: 'POST', body: '', ...request });
    assert(end.kind === 'Page' && end.page.kind === 'BadRequest', JSON.stringify({ request, end }));
  }
  for (const method of ['GET', 'HEAD']) {
    const end = await visit(victim, `${own}/.sallyport/sign-out`, { method, fetchSite: 'cross-site' });
    assert(end.kind === 'Page' && end.page.kind === 'ConfirmSignOut');
  }
  assert.equal(assertArrived(await visit(victim, `${own}/x`), `${own}/x`).session.id, session.id);
  assert.equal(house.watched.writes.includes('remove session'), false);
});

test('and from a browser without fetch metadata by its Origin', async (t) => {
  const { house, victim } = await layGround(t);
  await visit(victim, `https://${appHost}/`);
  const url = `https://${appHost}/.sallyport/sign-out`;
  await visit(victim, url, { method: 'POST', body: '', origin: `https://${appHost}` });
  assert(house.watched.writes.includes('remove session'));
});
