// CVE-2023-35941, GHSA-qvp4-rpmr-xwrr: a cookie, or a cache's key, that was good on one host was good on all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brought, engineersAccess, session, withRig } from '../../proxy/rig.ts';

test('what opens on one host opens nothing on another, cached or not', () =>
  withRig(
    { hosts: (to) => ['a.example.com', 'b.example.com'].map((host) => ({ host, routes: [to('/', engineersAccess)] })) },
    async ({ get, authority }) => {
      authority.open = (host) => Promise.resolve(host === 'a.example.com' ? session('s') : undefined);
      const cookie = 'Cookie: __Host-sallyport=x';
      for (let round = 0; round < 2; round += 1) {
        assert.equal((await get('/', cookie, 'Host: a.example.com')).status, 200);
        assert.equal((await get('/', cookie, 'Host: b.example.com')).status, 403);
      }
    },
  ));

test('two people who ask at once are not mixed up', () =>
  withRig({}, async ({ get, authority, upstream }) => {
    authority.open = async (_host, credential) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      const user = brought(credential);
      return session(user, { identity: { user, groups: ['engineering'], claims: {} } });
    };
    const people = Array.from({ length: 20 }, (_, at) => `person-${at % 5}`);
    const answers = await Promise.all(people.map((person) => get('/engineers', `Cookie: __Host-sallyport=${person}`)));
    for (const [at, answer] of answers.entries()) {
      assert.match(answer.body, new RegExp(`x-sallyport-user: ${people[at]}\r\n`, 'i'));
      assert.match(answer.body, new RegExp(`x-sallyport-jwt-assertion: assertion-of-${people[at]}\r\n`, 'i'));
    }
    assert.equal(upstream.requests.length, 20);
  }));
