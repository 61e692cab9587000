// CVE-2026-33433: a header that the operator had named in an odd case was set beside the client's, not instead of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { session, withRig } from '../../proxy/rig.ts';

const spellings = ['x-tEaM', 'X-Team', 'x_team', 'X.TEAM'];
const cookie = 'Cookie: __Host-sallyport=good';

for (const named of spellings.slice(0, 2)) {
  test(`a claim header named ${named} comes from us alone, whether there is such a claim or not`, () =>
    withRig(
      { settings: { identityHeaders: { preset: 'Sallyport', assertion: 'Shared', claims: { [named]: 'team' } } } },
      async ({ get, upstream, authority }) => {
        const lines = spellings.map((name) => `${name}: admins`);
        await get('/private', cookie, ...lines);
        authority.sessions.set('bob', session('b', { identity: { user: 'bob', groups: [], claims: {} } }));
        await get('/private', 'Cookie: __Host-sallyport=bob', ...lines);
        await get('/', ...lines);
        const found = upstream.requests.map((request) => [...request.matchAll(/^x[-_.]team: *([^\r]*)/gim)]);
        assert.deepEqual(
          found.map((matches) => matches.map(([, value]) => value)),
          [['core'], [], []],
        );
      },
    ));
}
