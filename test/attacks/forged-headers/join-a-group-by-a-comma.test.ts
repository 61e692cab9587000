// Groups travel joined by commas: a group that somebody may name freely must not read as two.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodedList } from '../../../src/proxy/identity-headers.ts';
import { sentHeader, session, withRig } from '../../proxy/rig.ts';

test('a comma in a group is no border between groups', () =>
  withRig({}, async ({ get, authority, upstream }) => {
    authority.sessions.set(
      'eve',
      session('s', { identity: { user: 'eve', groups: ['book club,admin', 'staff'], claims: {} } }),
    );
    await get('/private', 'Cookie: __Host-sallyport=eve');
    assert.equal(sentHeader(upstream.requests[0], 'x-sallyport-groups'), 'book club%2Cadmin,staff');
  }));

test('a list too long is cut between groups, never within one', () => {
  const list = encodedList(Array.from({ length: 5_000 }, (_, at) => `group-${at}`)) ?? '';
  assert.ok(list.length <= 8 * 1024);
  assert.ok(
    list
      .split(',')
      .every((group) => /^group-\d+$/.test(group) && Number(group.slice(6)) === list.split(',').indexOf(group)),
  );
});
