// The policy room against thousands of random policies: a second, naive implementation must agree with it on every one.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { Access, AttachedPolicy, Policy, PolicyMode, Rule } from '../../src/model/policy.ts';
import type { StepUp } from '../../src/model/step-up.ts';
import type { Decision, Facts, Outcome, PolicyVerdict } from '../../src/model/verdict.ts';
import { evaluate } from '../../src/policy/evaluate.ts';
import { explain } from '../../src/policy/explain.ts';
import { explainVerdict } from '../../src/policy/sentences.ts';
import {
  accessOf,
  anonymous,
  anyAccess,
  anyCriterion,
  anyFacts,
  dataSets,
  operatorsOf,
  personCriterion,
  policyOf,
  pomeriumCriterion,
  requestCriterion,
  rulesOf,
  signedIn,
} from './policy.arbitraries.ts';
import { naiveAction, naiveDecision } from './policy.naive.ts';
import type { Ruling } from './policy.naive.ts';
import { decisionFrom, outcomesFrom } from './policy.retrace.ts';

const plain = (outcome: Outcome | undefined) =>
  outcome && { value: outcome.result, reasons: outcome.reasons.toSorted() };
const plainRuling = (ruling: Ruling | undefined) =>
  ruling && { value: ruling.value, reasons: [...ruling.reasons].sort() };

/** That a test passes `runs` times `count`: to make up and compile a policy costs far more than to judge by it. */
function holds<Given>(
  given: fc.Arbitrary<Given>,
  facts: fc.Arbitrary<Facts>,
  runs: number,
  check: (given: Given, facts: Facts) => void,
  count = 20,
): void {
  const all = fc.array(facts, { minLength: count, maxLength: count });
  fc.assert(
    fc.property(given, all, (one, many) => {
      for (const each of many) check(one, each);
    }),
    { numRuns: runs },
  );
}

/** Everything that is in Audit, enforced; or what is in Audit gone, but for that it was brought. */
const enforceAll = ({ policies, ...rest }: Access): Access => ({
  ...rest,
  policies: policies.map(({ policy, attachment }) => ({
    attachment,
    policy: { ...policy, mode: 'Enforce', rules: policy.rules.map((rule) => ({ ...rule, mode: 'Enforce' })) },
  })),
});
const withoutAudit = ({ policies, ...rest }: Access): Access => ({
  ...rest,
  policies: policies.map(({ policy, attachment }) => ({
    attachment,
    policy: { ...policy, rules: policy.mode === 'Audit' ? [] : policy.rules.filter(({ mode }) => mode !== 'Audit') },
  })),
});

/** An access, and the same with a rule more in one of its policies. */
const withOneMore = (action: 'allow' | 'deny', accesses = anyAccess) =>
  fc.tuple(accesses, fc.nat(), operatorsOf(anyCriterion)).map(([access, at, written]) => {
    const { policies } = access;
    const chosen = policies[at % policies.length];
    const more = (one: AttachedPolicy): AttachedPolicy => {
      const rules = [...one.policy.rules, { [action]: written }];
      return one === chosen ? { ...one, policy: { ...one.policy, rules } } : one;
    };
    return { access, more: { ...access, policies: policies.map(more) }, written, beside: chosen?.policy };
  });

const turned = <Element>(list: readonly Element[], by: number): Element[] => {
  const at = list.length === 0 ? 0 : by % list.length;
  return by % 2 === 0 ? [...list.slice(at), ...list.slice(0, at)] : list.toReversed();
};

/** The same policies, rules and criteria in another order. */
function reordered({ policies, ...rest }: Access, by: number): Access {
  const operators = (written: Rule['allow']) =>
    written &&
    Object.fromEntries(turned(Object.entries(written), by).map(([name, list = []]) => [name, turned(list, by)]));
  return {
    ...rest,
    policies: turned(policies, by).map(({ policy, attachment }) => ({
      attachment,
      policy: {
        ...policy,
        rules: turned(policy.rules, by).map(({ allow, deny, ...rule }) => ({
          ...rule,
          ...(allow && { allow: operators(allow) }),
          ...(deny && { deny: operators(deny) }),
        })) as Rule[],
      },
    })),
  };
}

describe('the evaluator', () => {
  test('decides as the naive implementation does, and tries as it does', () => {
    const seen = new Map<Decision, number>();
    const given = anyAccess.map((access) => ({ access, allEnforced: enforceAll(access) }));
    holds(given, anyFacts, 500, ({ access, allEnforced }, facts) => {
      const { decision, trial } = evaluate(access, facts);
      seen.set(decision, (seen.get(decision) ?? 0) + 1);
      assert.equal(decision, naiveDecision(access, facts));
      assert.equal(trial ?? decision, naiveDecision(allEnforced, facts));
    });
    for (const decision of ['Allow', 'Deny', 'Login'] as const) {
      assert.ok(
        (seen.get(decision) ?? 0) > 400,
        `${decision} came up ${seen.get(decision)} times: too seldom to judge by`,
      );
    }
  });

  test('gives the results and the reasons that the naive implementation gives', () => {
    const given = rulesOf(anyCriterion).map((rules): Access => {
      return { policies: [{ attachment: 'Own', policy: policyOf(rules, 'Audit') }], defaultAccess: 'Deny' };
    });
    holds(given, anyFacts, 500, (access, facts) => {
      const [verdict] = explain(access, facts).policies;
      const rules = access.policies[0]?.policy.rules ?? [];
      const ruling = (action: 'allow' | 'deny') => naiveAction(rules, action, facts, dataSets);
      assert.deepEqual(plain(verdict?.allow), plainRuling(ruling('allow')));
      assert.deepEqual(plain(verdict?.deny), plainRuling(ruling('deny')));
    });
  });

  test('lets in nobody whom Pomerium would keep out, when a value was never given', () => {
    const wellFormed = fc.constantFrom('ana@example.com', 'eve@example.org');
    const access = accessOf(rulesOf(pomeriumCriterion, pomeriumCriterion));
    holds(access, signedIn(wellFormed), 250, (governed, facts) => {
      if (evaluate(governed, facts).decision === 'Allow') {
        assert.equal(naiveDecision(governed, facts, 'pomerium'), 'Allow');
      }
    });
  });

  test('never lets in an anonymous request where every allow asks who it is', () => {
    holds(accessOf(rulesOf(personCriterion)), anonymous, 250, (access, facts) => {
      assert.notEqual(evaluate(access, facts).decision, 'Allow');
    });
  });

  test('never lets in more when a Mandatory policy is added, and nothing changes when that is in Audit', () => {
    const given = fc.tuple(anyAccess, rulesOf(anyCriterion)).map(([access, rules]) => {
      const beside = (mode: PolicyMode): Access => {
        const added: AttachedPolicy = { attachment: 'Mandatory', policy: policyOf(rules, mode) };
        return { ...access, policies: [...access.policies, added] };
      };
      return { access, enforced: beside('Enforce'), inAudit: beside('Audit') };
    });
    holds(given, anyFacts, 200, ({ access, enforced, inAudit }, facts) => {
      const { decision } = evaluate(access, facts);
      if (decision !== 'Allow') assert.notEqual(evaluate(enforced, facts).decision, 'Allow');
      assert.equal(evaluate(inAudit, facts).decision, decision);
    });
  });

  test('lets deny win: one that holds is never let past, and one more lets nobody in', () => {
    let held = 0;
    holds(withOneMore('deny'), anyFacts, 250, ({ access, more }, facts) => {
      const { verdict, policies } = explain(access, facts);
      const denies = policies.some((one) => one.mode === 'Enforce' && one.deny?.result === true);
      if (denies) held += 1;
      if (denies) assert.notEqual(verdict.decision, 'Allow');
      if (verdict.decision !== 'Allow') assert.notEqual(evaluate(more, facts).decision, 'Allow');
    });
    assert.ok(held > 1000, `a deny held ${held} times: too seldom to judge by`);
  });

  // The first allow rule of a policy makes it one that must allow, which is another thing.
  test('lets an allow beside allows take nothing away, but that not and nor about a person ask an anonymous one', () => {
    let [kept, asked] = [0, 0];
    // Half of them public, or hardly anybody anonymous would be let in at all.
    const open = accessOf(rulesOf(requestCriterion, requestCriterion));
    holds(
      withOneMore('allow', fc.oneof(anyAccess, open)),
      anyFacts,
      500,
      ({ access, more, written, beside }, facts) => {
        const alreadyAllows = beside?.rules.some((rule) => rule.allow && rule.mode !== 'Audit') === true;
        if (!alreadyAllows || evaluate(access, facts).decision !== 'Allow') return;
        const { decision } = evaluate(more, facts);
        const inverts = [...(written.not ?? []), ...(written.nor ?? [])].length > 0;
        kept += 1;
        if (decision === 'Login') asked += 1;
        if (facts.identity !== undefined || !inverts) assert.equal(decision, 'Allow');
        else assert.notEqual(decision, 'Deny');
      },
    );
    assert.ok(kept > 150 && asked > 10, `${asked} of ${kept} were asked who they are`);
  });

  test('does not care in which order policies, rules, operators and criteria stand', () => {
    const given = fc
      .tuple(anyAccess, fc.nat({ max: 7 }))
      .map(([access, by]) => ({ access, other: reordered(access, by) }));
    holds(given, anyFacts, 250, ({ access, other }, facts) => {
      assert.deepEqual(evaluate(other, facts), evaluate(access, facts));
    });
  });

  test('decides as if what is in Audit were not there, and tries as if all were enforced', () => {
    let differed = 0;
    const given = anyAccess.map((access) => ({
      access,
      bare: withoutAudit(access),
      allEnforced: enforceAll(access),
    }));
    holds(given, anyFacts, 250, ({ access, bare, allEnforced }, facts) => {
      const { decision, trial } = evaluate(access, facts);
      if (trial !== undefined && trial !== decision) differed += 1;
      assert.equal(decision, evaluate(bare, facts).decision);
      assert.equal(trial ?? decision, evaluate(allEnforced, facts).decision);
    });
    assert.ok(differed > 200, `a trial differed ${differed} times: too seldom to judge by`);
  });

  test('denies whatever a broken policy governs, without asking who it is', () => {
    holds(fc.tuple(anyAccess, fc.boolean()), anyFacts, 25, ([access, audit], facts) => {
      const policy: Policy = { name: 'b', mode: audit ? 'Audit' : 'Enforce', rules: [], broken: 'x' };
      const policies: AttachedPolicy[] = [...access.policies, { attachment: 'Mandatory', policy }];
      assert.equal(evaluate({ ...access, policies }, facts).decision, 'Deny');
    });
  });
});

describe('the explanation', () => {
  test('gives the verdict that is enforced, and traces that lead to it, in 100,000 cases', () => {
    const many = fc.array(anyFacts, { minLength: 50, maxLength: 50 });
    fc.assert(
      fc.property(anyAccess, many, (access, all) => {
        for (const facts of all) {
          const explanation = explain(access, facts);
          const { verdict, policies } = explanation;
          assert.deepEqual(verdict, evaluate(access, facts));
          for (const policy of policies) assert.deepEqual(outcomesFrom(policy), toldBy(policy));
          const led = decisionFrom(policies, access.defaultAccess, facts);
          // A sign-in that is too old or too weak is refused by what the traces say, and let in after one as asked for.
          if (verdict.stepUp === undefined) assert.equal(led, verdict.decision);
          else assert.deepEqual([led, isLetInAfter(verdict.stepUp, access, facts)], ['Deny', true]);
        }
      }),
      { numRuns: 2000 },
    );
  });

  const toldBy = ({ allow, deny, trial }: PolicyVerdict) => ({
    allow: plain(allow),
    deny: plain(deny),
    ...(trial && { trial: { allow: plain(trial.allow), deny: plain(trial.deny) } }),
  });

  /** The sign-in brings what it was asked for: nothing else, or what they had besides. */
  function isLetInAfter({ withinSeconds, acrValues, methods }: StepUp, access: Access, facts: Facts): boolean {
    const { session, identity, now } = facts;
    if (identity === undefined || session === undefined) return false;
    const { acr: _, amr: __, ...others } = identity.claims;
    return [others, identity.claims].some((claims) => {
      const strength = { ...(acrValues && { acr: acrValues[0] }), ...(methods && { amr: methods }) };
      const times = withinSeconds === undefined ? {} : { authenticatedAt: now, startedAt: now };
      const after: Facts = {
        ...facts,
        identity: { ...identity, claims: { ...claims, ...strength } },
        session: { ...session, ...times },
      };
      return decisionFrom(explain(access, after).policies, access.defaultAccess, after) === 'Allow';
    });
  }

  test('says something for every policy, and accounts for every decision', () => {
    const accounts: Record<Decision, RegExp> = {
      Allow: /allows|default access lets in/,
      Deny: /denies|does not allow|No policy grants/,
      Login: /sign in first\.$|sign in again/,
    };
    holds(anyAccess, anyFacts, 100, (access, facts) => {
      const explanation = explain(access, facts);
      const sentences = explainVerdict(explanation);
      const silent = (one: PolicyVerdict) => !sentences.some((sentence) => sentence.includes(one.policy));
      assert.deepEqual(explanation.policies.filter(silent), []);
      assert.ok(
        sentences.some((sentence) => accounts[explanation.verdict.decision].test(sentence)),
        sentences.join(' '),
      );
    });
  });
});
