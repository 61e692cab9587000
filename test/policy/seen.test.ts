// What an explanation says that a criterion saw, where it is not simply the value that was compared.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Criterion } from '../../src/model/criteria.ts';
import type { Access } from '../../src/model/policy.ts';
import type { Facts } from '../../src/model/verdict.ts';
import { explain } from '../../src/policy/explain.ts';
import { factsOfTest } from '../../src/policy/test-facts.ts';

function seenBy(criterion: Criterion, facts: Facts): unknown {
  const rules = [{ allow: { or: [criterion] } }];
  const access: Access = {
    policies: [{ policy: { name: 'p', mode: 'Enforce', rules }, attachment: 'Own' }],
    defaultAccess: 'Deny',
  };
  return explain(access, facts).policies[0]?.rules[0]?.operators[0]?.criteria[0]?.seen;
}

const at = '2026-11-27T12:00:00Z';
const ana = factsOfTest({
  as: { user: 'ana', authenticatedAt: '2026-11-27T11:00:00Z', sessionStartedAt: '2026-11-27T10:00:00Z' },
  request: { headers: { 'x-a': '1', cookie: 'a=secret' } },
  at,
});
const nobody = factsOfTest({ as: null, at });

test('times are told as the clock of the zone shows them, and ages as the moment from which they count', () => {
  assert.equal(seenBy({ date: { after: '2026-01-01', timezone: 'Europe/Berlin' } }, nobody), '2026-11-27T13:00:00');
  assert.equal(seenBy({ timeOfDay: { after: '10:00', timezone: 'Europe/Berlin' } }, nobody), '13:00:00');
  assert.equal(seenBy({ dayOfWeek: { in: ['Monday'], timezone: 'UTC' } }, nobody), 'Friday');
  assert.equal(seenBy({ authenticatedWithin: '1h' }, ana), '2026-11-27T11:00:00.000Z');
  assert.equal(seenBy({ sessionAge: { under: '1h' } }, ana), '2026-11-27T10:00:00.000Z');
  const { session, ...unknown } = ana;
  assert.equal(session?.provider, '');
  assert.equal(seenBy({ authenticatedWithin: '1h' }, unknown), undefined);
  assert.equal(seenBy({ sessionAge: { under: '1h' } }, unknown), undefined);
});

test('a header is told, and of one that lets its reader be somebody else only that it was there', () => {
  assert.deepEqual(seenBy({ header: { name: 'X-A', is: '1' } }, ana), ['1']);
  assert.equal(seenBy({ header: { name: 'Cookie', is: '1' } }, ana), '[redacted]');
  assert.equal(seenBy({ header: { name: 'Authorization', is: '1' } }, ana), undefined);
});

test('of a CEL expression its result or why it has none, and nothing where it was not tried', () => {
  assert.equal(seenBy({ cel: 'user.user == "ana"' }, ana), true);
  assert.equal(seenBy({ cel: 'user.user == "ana"' }, nobody), undefined);
  assert.equal(seenBy({ cel: 'request.path == "/a"' }, nobody), false);
  assert.deepEqual(Object.keys(seenBy({ cel: 'request.headers["x-a"] == "1"' }, nobody) ?? {}), ['failed']);
});
