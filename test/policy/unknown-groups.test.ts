// Groups that nobody can tell, because a directory does not answer: what asks for them counts against the request.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Criterion } from '../../src/model/criteria.ts';
import type { Access, Rule } from '../../src/model/policy.ts';
import type { Facts } from '../../src/model/verdict.ts';
import { explain } from '../../src/policy/explain.ts';
import { factsOfTest } from '../../src/policy/test-facts.ts';

const ana: Facts = factsOfTest({ as: { user: 'ana', groups: ['engineering'] }, at: '2026-11-27T12:00:00Z' });
const identity = { user: 'ana', groups: ['engineering'], claims: {}, groupsUnknown: true } as const;
const unknown: Facts = { ...ana, identity };

function decision(rules: readonly Rule[], facts = unknown): string {
  const access: Access = {
    policies: [{ policy: { name: 'p', mode: 'Enforce', rules }, attachment: 'Own' }],
    defaultAccess: 'Deny',
  };
  return explain(access, facts).verdict.decision;
}

const engineering: readonly Criterion[] = [
  { groups: { has: 'engineering' } },
  { groups: { is: 'engineering' } },
  { groups: { exclude: 'contractors' } },
  { cel: '"engineering" in user.groups' },
  { cel: '!("contractors" in user.groups)' },
];

for (const criterion of engineering) {
  test(`${JSON.stringify(criterion)} lets nobody in`, () => {
    assert.equal(decision([{ allow: { and: [criterion] } }], ana), 'Allow');
    assert.equal(decision([{ allow: { and: [criterion] } }]), 'Deny');
  });
}

const contractors: readonly Criterion[] = [{ groups: { has: 'contractors' } }, { cel: '"contractors" in user.groups' }];

for (const criterion of contractors) {
  const rules: readonly Rule[] = [{ allow: { and: [{ authenticatedUser: true }] } }, { deny: { and: [criterion] } }];
  test(`a deny of ${JSON.stringify(criterion)} keeps everybody out`, () => {
    assert.equal(decision(rules, ana), 'Allow');
    assert.equal(decision(rules), 'Deny');
  });
}

test('under not and nor as well', () => {
  const not: readonly Rule[] = [{ allow: { not: [{ groups: { has: 'contractors' } }] } }];
  assert.equal(decision(not), 'Deny');
  assert.equal(decision([{ allow: { nor: [{ groups: { has: 'contractors' } }] } }]), 'Deny');
});

test('an explanation says that they are not known, and not that they do not match', () => {
  const rules: readonly Rule[] = [{ allow: { and: [{ groups: { has: 'engineering' } }] } }];
  const seen = (facts: Facts) => {
    const policy = { name: 'p', mode: 'Enforce', rules } as const;
    const { policies } = explain({ policies: [{ policy, attachment: 'Own' }], defaultAccess: 'Deny' }, facts);
    const criterion = policies[0]?.rules[0]?.operators[0]?.criteria[0];
    return [criterion?.result, criterion?.reason, criterion?.seen];
  };
  assert.deepEqual(seen(ana), [true, 'groups-ok', ['engineering']]);
  assert.deepEqual(seen(unknown), [false, 'criterion-error', { failed: 'the groups are not known' }]);
});

test('what does not ask for groups is judged as ever', () => {
  assert.equal(decision([{ allow: { and: [{ user: { is: 'ana' } }] } }]), 'Allow');
});
