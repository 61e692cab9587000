// Whom nothing but how they signed in keeps out: what is asked of another sign-in, and when none is asked for.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Criterion } from '../../src/model/criteria.ts';
import type { Access, Rule } from '../../src/model/policy.ts';
import type { StepUp } from '../../src/model/step-up.ts';
import type { Facts } from '../../src/model/verdict.ts';
import { evaluate } from '../../src/policy/evaluate.ts';
import { factsOfTest } from '../../src/policy/test-facts.ts';

const now = Date.parse('2026-11-27T12:00:00Z');

function signedIn(claims: Readonly<Record<string, unknown>>, minutesAgo = 60): Facts {
  const at = new Date(now - minutesAgo * 60_000).toISOString();
  const as = { user: 'u-ana', groups: [], claims, authenticatedAt: at, sessionStartedAt: at };
  return factsOfTest({ as, at: new Date(now).toISOString() });
}

const accessOf = (...rules: readonly Rule[]): Access => ({
  policies: [{ policy: { name: 'p', mode: 'Enforce', rules }, attachment: 'Own' }],
  defaultAccess: 'Deny',
});
const allOf = (...and: Criterion[]): Rule => ({ allow: { and } });

const acr: Criterion = { acr: { in: ['silver', 'gold'] } };
const gold: Criterion = { acr: { is: 'gold' } };
const mfa: Criterion = { authenticationMethod: { has: 'mfa' } };
const hwk: Criterion = { authenticationMethod: { has: 'hwk' } };
const recent: Criterion = { authenticatedWithin: '5m' };
const cel: Criterion = { cel: 'session.acr == "gold"' };

const cases: readonly [what: string, rules: readonly Rule[], facts: Facts, stepUp: StepUp | undefined][] = [
  ['any acr that would do, in their own order', [allOf(acr)], signedIn({}), { acrValues: ['silver', 'gold'] }],
  ['the one that every rule takes', [allOf(acr, gold)], signedIn({ acr: 'silver' }), { acrValues: ['gold'] }],
  ['a method', [allOf(mfa)], signedIn({ amr: ['pwd'] }), { methods: ['mfa'] }],
  ['the first by name where either would do', [allOf(mfa), allOf(hwk)], signedIn({}), { methods: ['hwk'] }],
  ['both methods where both are needed', [allOf(mfa, hwk)], signedIn({ amr: ['hwk'] }), { methods: ['hwk', 'mfa'] }],
  ['age alone', [allOf(recent)], signedIn({ acr: 'gold' }), { withinSeconds: 300 }],
  [
    'what they had already too, so that it is not lost',
    [allOf(recent, gold)],
    signedIn({ acr: 'gold' }),
    { withinSeconds: 300, acrValues: ['gold'] },
  ],
  [
    'all three at once',
    [allOf(recent, gold, mfa)],
    signedIn({ amr: ['mfa'] }),
    { withinSeconds: 300, acrValues: ['gold'], methods: ['mfa'] },
  ],
  [
    'no age where that is as it should be',
    [allOf(recent, gold, mfa)],
    signedIn({ amr: ['mfa'] }, 1),
    { acrValues: ['gold'], methods: ['mfa'] },
  ],
  [
    'for a deny as for an allow',
    [allOf({ accept: true }), { deny: { not: [gold] } }],
    signedIn({}),
    { acrValues: ['gold'] },
  ],
  [
    'age, where CEL looks at the rest and likes it',
    [allOf(recent, cel)],
    signedIn({ acr: 'gold' }),
    { withinSeconds: 300 },
  ],
  [
    'acr and a method, as many of the one as of the other',
    [allOf(gold, mfa)],
    signedIn({}),
    { acrValues: ['gold'], methods: ['mfa'] },
  ],
  [
    'age alone, where strength beside it would do too',
    [allOf(recent), allOf(recent, gold)],
    signedIn({}),
    { withinSeconds: 300 },
  ],
  [
    'nothing where CEL alone asks for age, whatever strength is asked for beside it',
    [allOf(gold, { cel: 'session.authenticatedAt > timestamp("2026-11-27T11:30:00Z")' })],
    signedIn({}),
    undefined,
  ],
  [
    'nothing where no method is to be one that nobody asks for',
    [allOf(gold, { authenticationMethod: { exclude: 'sms' } })],
    signedIn({}),
    undefined,
  ],
  ['nothing where CEL alone asks', [allOf(cel)], signedIn({}), undefined],
  ['nothing where something else is in the way', [allOf(gold, { groups: { has: 'x' } })], signedIn({}), undefined],
  ['nothing that no list of acr_values can hold', [allOf({ acr: { is: 'two words' } })], signedIn({}), undefined],
];

describe('of somebody who is refused', () => {
  for (const [what, rules, facts, stepUp] of cases) {
    test(`is asked: ${what}`, () => {
      const decision = stepUp === undefined ? 'Deny' : 'Login';
      assert.deepEqual(evaluate(accessOf(...rules), facts), { decision, ...(stepUp && { stepUp }) });
    });
  }

  test('nothing is asked that they have, for they would be sent round in a circle', () => {
    // A new sign-in is believed to bring what it is asked for; this one did, and sms with it.
    const access = accessOf(allOf(mfa, { authenticationMethod: { exclude: 'sms' } }));
    assert.equal(evaluate(access, signedIn({ amr: ['pwd'] })).decision, 'Login');
    assert.deepEqual(evaluate(access, signedIn({ amr: ['mfa', 'sms'] })), { decision: 'Deny' });
    // Nor in turns: what the one rule asks for is there, and what the other asks for would undo it.
    const either = accessOf(
      allOf(mfa, { authenticationMethod: { exclude: 'sms' } }),
      allOf(hwk, { authenticationMethod: { exclude: 'user' } }),
    );
    assert.deepEqual(evaluate(either, signedIn({ amr: ['mfa', 'sms'] })), { decision: 'Deny' });
    assert.deepEqual(evaluate(either, signedIn({ amr: ['hwk', 'user'] })), { decision: 'Deny' });
  });

  test('no more than so much is tried, and no longer a list is sent', () => {
    const many = Array.from({ length: 100 }, (_, index) => `level-${index}`);
    const { stepUp } = evaluate(accessOf(allOf({ acr: { in: many } })), signedIn({}));
    assert.equal(stepUp?.acrValues?.length, 8);
    const long = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(100));
    const sent = evaluate(accessOf(allOf({ acr: { in: long } })), signedIn({})).stepUp?.acrValues;
    assert.deepEqual(sent, long.slice(0, 2));
    const whole = ['a'.repeat(127), 'b'.repeat(128)];
    assert.deepEqual(evaluate(accessOf(allOf({ acr: { in: whole } })), signedIn({})).stepUp?.acrValues, whole);
  });
});
