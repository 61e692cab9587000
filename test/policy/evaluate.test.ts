// What no manifest can show: rules from another version, claims with a prototype, and the cost of ten thousand groups.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Identity } from '../../src/model/identity.ts';
import type { Access, Policy } from '../../src/model/policy.ts';
import type { Explanation, Facts } from '../../src/model/verdict.ts';
import { evaluate } from '../../src/policy/evaluate.ts';
import { explain } from '../../src/policy/explain.ts';
import { factsOfTest } from '../../src/policy/test-facts.ts';

const accept = { allow: { or: [{ accept: true }] } };
const facts: Facts = factsOfTest({ request: { ip: '10.0.0.1' } });

function policyOf(rules: unknown): Policy {
  return JSON.parse(JSON.stringify({ name: 'p', mode: 'Enforce', rules }));
}

const accessOf = (policy: Policy): Access => ({ policies: [{ policy, attachment: 'Own' }], defaultAccess: 'Deny' });

function explained(policy: Policy, identity?: Identity): Explanation {
  return explain(accessOf(policy), { ...facts, ...(identity && { identity }) });
}

describe('a rule that this version does not know', () => {
  // Role by role, versions may differ for a while: a newer control sends what an older proxy has never heard of.
  const unknown: Record<string, unknown> = {
    criterion: { or: [{ phaseOfMoon: { is: 'full' } }] },
    'inherited name': { or: [{ toString: { is: 'x' } }] },
    matcher: { or: [{ httpPath: { resembles: '^/' } }] },
    'list matcher': { or: [{ groups: { hasAny: ['a'] } }] },
    'second criterion': { or: [{ accept: true, phaseOfMoon: {} }] },
    'empty criterion': { or: [{}] },
    range: { or: [{ sourceIp: { in: ['10.0.0.0/8', '10.0.0.0/33'] } }] },
    'no range': { or: [{ sourceIp: {} }] },
    'time zone': { or: [{ timeOfDay: { after: '10:00', timezone: 'Mars/Olympus' } }] },
    'time without a side': { or: [{ timeOfDay: { timezone: 'UTC' } }] },
    'date without a side': { or: [{ date: { timezone: 'UTC' } }] },
    'date in no zone': { or: [{ date: { after: '2026-01-01', timezone: 'Mars/Olympus' } }] },
    'first day that is none': { or: [{ date: { after: '2026-02-30', timezone: 'UTC' } }] },
    'last day that is none': { or: [{ date: { before: '2026-02-30', timezone: 'UTC' } }] },
    operator: { xor: [{ accept: true }] },
  };
  for (const [what, operators] of Object.entries(unknown)) {
    test(`breaks the policy in an allow and in a deny: ${what}`, () => {
      for (const rules of [
        [{ allow: operators }, accept],
        [{ deny: operators }, accept],
      ]) {
        const { verdict, policies } = explained(policyOf(rules));
        assert.equal(verdict.decision, 'Deny');
        assert.notEqual(policies[0]?.broken, undefined);
      }
    });
  }

  test('and an allow of nothing, or of all of nothing, allows nothing', () => {
    assert.equal(explained(policyOf([{ allow: {} }])).verdict.decision, 'Deny');
    assert.equal(explained(policyOf([{ allow: { and: [] } }])).verdict.decision, 'Deny');
    assert.equal(explained(policyOf([{ allow: { not: [] } }])).verdict.decision, 'Deny');
    assert.equal(explained(policyOf([accept])).verdict.decision, 'Allow');
  });
});

describe('an identity', () => {
  test('whose session nobody knows is neither young nor old, and is not asked to sign in again', () => {
    const nobody: Identity = { user: 'a', groups: [], claims: {} };
    const decided = (rules: unknown) => explained(policyOf(rules), nobody).verdict.decision;
    assert.equal(decided([{ allow: { or: [{ authenticatedWithin: '1h' }] } }]), 'Deny');
    assert.equal(decided([{ allow: { or: [{ sessionAge: { under: '1h' } }] } }]), 'Deny');
    assert.equal(decided([{ allow: { not: [{ sessionAge: { under: '1h' } }] } }]), 'Deny');
    assert.equal(decided([{ deny: { or: [{ sessionAge: { over: '1h' } }] } }, accept]), 'Deny');
  });

  test('has the claims that are its own, and none that it inherits', () => {
    const policy = policyOf([{ allow: { or: [{ claim: { path: ['role'], has: 'admin' } }] } }]);
    const claims: Identity['claims'] = { role: 'admin' };
    assert.equal(explained(policy, { user: 'a', groups: [], claims }).verdict.decision, 'Allow');
    assert.equal(explained(policy, { user: 'a', groups: [], claims: Object.create(claims) }).verdict.decision, 'Deny');
  });

  test('in ten thousand groups is looked through once, not at each request', () => {
    let looks = 0;
    const all = Array.from({ length: 10_000 }, (_, index) => `group ${index}`);
    const groups = new Proxy(all, {
      get: (target, key, receiver) => {
        looks += 1;
        return Reflect.get(target, key, receiver);
      },
    });
    const identity = { user: 'a', groups, claims: {} };
    const policy = policyOf([{ allow: { or: [{ groups: { has: 'group 9999' } }, { groups: { has: 'none' } }] } }]);
    const access = accessOf(policy);
    assert.equal(evaluate(access, { ...facts, identity }).decision, 'Allow');
    assert.ok(looks >= 10_000);
    looks = 0;
    assert.equal(evaluate(access, { ...facts, identity }).decision, 'Allow');
    assert.ok(looks < 10, `${looks} looks`);
  });
});
