// Posts another person's session id to one's own page, or has the victim's browser post for one (CWE-639, CWE-352).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OwnRequest } from '../../../src/auth/authority.ts';
import { createSession } from '../../../src/auth/session/session.ts';
import { appHost, assertArrived, authHost, evil, layGround, otherHost, visit } from '../login/rig.ts';
import type { House } from '../login/rig.ts';

const own = `https://${appHost}`;
const url = `${own}/.sallyport/sessions`;

/** Of somebody with the same e-mail address, subject and provider's name as the attacker, but never all that counts. */
async function othersSessions({ watched, ring, settings, now }: House, issuer: string, subject: string) {
  const identity = { user: 'ana', email: 'ana@example.com', groups: [], claims: {} };
  const tokens = { idToken: 'i', accessToken: 'a' };
  const made = { provider: 'okta', identity, tokens, authenticatedAt: now() };
  const tickets = await Promise.all([
    createSession(watched.store, ring, { ...made, issuer: 'https://other.example', subject }, now(), settings),
    createSession(watched.store, ring, { ...made, issuer, subject: 'somebody-else' }, now(), settings),
  ]);
  return tickets.map(({ id }) => id);
}

test('another person’s id ends nothing, and the answer does not tell whether there is such a session', async (t) => {
  const { house, provider, attacker } = await layGround(t);
  await visit(attacker, `${own}/`);
  const ids = await othersSessions(
    house,
    provider.settings.kind === 'OpenIDConnect' ? provider.settings.issuer : '',
    'ana',
  );
  const answers: string[] = [];
  for (const id of [...ids, 'AAAAAAAAAAAAAAAAAAAAAA']) {
    const end = await visit(attacker, url, { method: 'POST', fetchSite: 'same-origin', body: `id=${id}` });
    assert(end.kind === 'Page' && end.page.kind === 'WhoAmI');
    answers.push(JSON.stringify(end.page));
    for (const other of ids) assert.equal(answers.at(-1)?.includes(other), false, 'it is not listed');
  }
  assert.equal(new Set(answers).size, 1);
  for (const id of ids) assert.ok(await house.watched.store.read('session', id));
});

test('everywhere is everywhere of one’s own', async (t) => {
  const { house, provider, attacker } = await layGround(t);
  await visit(attacker, `${own}/`);
  const ids = await othersSessions(
    house,
    provider.settings.kind === 'OpenIDConnect' ? provider.settings.issuer : '',
    'ana',
  );
  await visit(attacker, url, { method: 'POST', fetchSite: 'same-origin', body: 'all=yes' }).catch(() => undefined);
  assert(house.watched.writes.includes('remove session'));
  for (const id of ids) assert.ok(await house.watched.store.read('session', id));
});

test('a post from another site is refused, and so is a link', async (t) => {
  const { house, victim, attacker: phone } = await layGround(t);
  const { session } = assertArrived(await visit(victim, `${own}/`), `${own}/`);
  const other = assertArrived(await visit(phone, `${own}/`), `${own}/`).session;
  const forged: readonly Partial<OwnRequest>[] = [
    {},
    { fetchSite: 'cross-site' },
    { fetchSite: 'same-site' },
    { fetchSite: 'none' },
    { fetchSite: 'cross-site', origin: own },
    { origin: evil },
    { origin: 'null' },
    { origin: `https://${otherHost}` },
    { origin: `https://${authHost}` },
    { origin: `http://${appHost}` },
  ];
  for (const request of forged) {
    for (const body of ['all=yes', `id=${session.id}`, `id=${other.id}`]) {
      const end = await visit(victim, url, { method: 'POST', body, ...request });
      assert(end.kind === 'Page' && end.page.kind === 'BadRequest', JSON.stringify({ request, end }));
    }
  }
  for (const query of ['?all=yes', `?id=${session.id}`]) {
    const end = await visit(victim, `${url}${query}`, { fetchSite: 'cross-site' });
    assert(end.kind === 'Page' && end.page.kind === 'MethodNotAllowed');
  }
  assert.equal(house.watched.writes.includes('remove session'), false);
});
