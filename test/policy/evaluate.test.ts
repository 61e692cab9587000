// What no manifest can show: rules from another version, claims with a prototype, and the cost of ten thousand groups.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Identity } from '../../src/model/identity.ts';
import type { Policy, Verdict } from '../../src/model/policy.ts';
import { evaluate } from '../../src/policy/evaluate.ts';

const accept = { allow: { or: [{ accept: true }] } };
const facts = { method: 'GET', path: '/', ip: '10.0.0.1' };

function policyOf(rules: unknown): Policy {
  return JSON.parse(JSON.stringify({ name: 'p', mode: 'Enforce', rules }));
}

function verdictOn(policy: Policy, identity?: Identity): Verdict {
  const access = { policies: [{ policy, attachment: 'Own' as const }], defaultAccess: 'Deny' as const };
  return evaluate(access, { ...facts, ...(identity && { identity }) });
}

describe('a rule that this version does not know', () => {
  // Role by role, versions may differ for a while: a newer control sends what an older proxy has never heard of.
  const unknown: Record<string, unknown> = {
    criterion: { or: [{ timeOfDay: { after: '20:00' } }] },
    'inherited name': { or: [{ toString: { is: 'x' } }] },
    matcher: { or: [{ httpPath: { matches: '^/' } }] },
    'list matcher': { or: [{ groups: { hasAny: ['a'] } }] },
    'second criterion': { or: [{ accept: true, timeOfDay: {} }] },
    'empty criterion': { or: [{}] },
    range: { or: [{ sourceIp: { in: ['10.0.0.0/8', '10.0.0.0/33'] } }] },
    'no range': { or: [{ sourceIp: {} }] },
    operator: { xor: [{ accept: true }] },
  };
  for (const [what, operators] of Object.entries(unknown)) {
    test(`breaks the policy in an allow and in a deny: ${what}`, () => {
      for (const rules of [
        [{ allow: operators }, accept],
        [{ deny: operators }, accept],
      ]) {
        const { decision, policies } = verdictOn(policyOf(rules));
        assert.equal(decision, 'Deny');
        assert.notEqual(policies[0]?.broken, undefined);
      }
    });
  }

  test('and an allow of nothing, or of all of nothing, allows nothing', () => {
    assert.equal(verdictOn(policyOf([{ allow: {} }])).decision, 'Deny');
    assert.equal(verdictOn(policyOf([{ allow: { and: [] } }])).decision, 'Deny');
    assert.equal(verdictOn(policyOf([{ allow: { not: [] } }])).decision, 'Deny');
    assert.equal(verdictOn(policyOf([accept])).decision, 'Allow');
  });
});

describe('an identity', () => {
  test('has the claims that are its own, and none that it inherits', () => {
    const policy = policyOf([{ allow: { or: [{ claim: { path: ['role'], has: 'admin' } }] } }]);
    const claims: Identity['claims'] = { role: 'admin' };
    assert.equal(verdictOn(policy, { user: 'a', groups: [], claims }).decision, 'Allow');
    assert.equal(verdictOn(policy, { user: 'a', groups: [], claims: Object.create(claims) }).decision, 'Deny');
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
    assert.equal(verdictOn(policy, identity).decision, 'Allow');
    assert.ok(looks >= 10_000);
    looks = 0;
    assert.equal(verdictOn(policy, identity).decision, 'Allow');
    assert.ok(looks < 10, `${looks} looks`);
  });
});
