// The policy room against thousands of random policies: a second, naive implementation must agree with it on every one.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { clusterPolicySpec, policySpec } from '../../src/model/policy-kinds.ts';
import { criterionNames } from '../../src/model/criteria.ts';
import type { Criterion } from '../../src/model/criteria.ts';
import type { ListMatcher, StringMatcher } from '../../src/model/matchers.ts';
import type { Access, AttachedPolicy, Operators, Policy, Rule } from '../../src/model/policy.ts';
import type { Decision, Facts, Outcome, PolicyVerdict } from '../../src/model/verdict.ts';
import { evaluate } from '../../src/policy/evaluate.ts';
import { explain } from '../../src/policy/explain.ts';
import { explainVerdict } from '../../src/policy/sentences.ts';
import { factsOfTest } from '../../src/policy/test-facts.ts';
import { parseClusterPolicy, parsePolicy } from '../../src/policy/parse.ts';
import { naiveAction, naiveDecision } from './policy.naive.ts';
import type { Ruling } from './policy.naive.ts';

// ── What it is tried on: few values, so that most comparisons are close. ──

const emails = ['ana@example.com', 'eve@example.org', 'a@evil.example@example.com', '@example.com'];

const texts = (values: readonly string[], parts: readonly string[]): fc.Arbitrary<StringMatcher> => {
  const value = fc.constantFrom(...values);
  const some = fc.array(value, { minLength: 1, maxLength: 3 });
  const part = fc.constantFrom(...parts);
  return fc.oneof(
    fc.record({ is: value }),
    fc.record({ not: value }),
    fc.record({ in: some }),
    fc.record({ notIn: some }),
    fc.record({ startsWith: part }),
    fc.record({ endsWith: part }),
    fc.record({ contains: part }),
  );
};

const lists = (values: readonly string[]): fc.Arbitrary<ListMatcher> => {
  const value = fc.constantFrom(...values);
  return fc.oneof(fc.record({ has: value }), fc.record({ is: value }), fc.record({ exclude: value }));
};

const claims: fc.Arbitrary<NonNullable<Criterion['claim']>> = fc
  .tuple(fc.constantFrom<string[]>(['team'], ['realm', 'roles'], ['absent']), lists(['a', 'b', '7', 'true']))
  .map(([path, matcher]) => ({ path, ...matcher }));

const identityCriterion: fc.Arbitrary<Criterion> = fc.oneof(
  fc.constant<Criterion>({ authenticatedUser: true }),
  fc.record({ user: texts(['u1', 'u2'], ['u', '1']) }),
  fc.record({ email: texts(emails, ['ana', '@example.com', 'example']) }),
  fc.record({ domain: texts(['example.com', 'example.org', 'evil.example'], ['example', '.com']) }),
  fc.record({ groups: lists(['eng', 'ops', 'g7']) }),
  fc.record({ claim: claims }),
);

const range = fc.constantFrom('10.0.0.0/8', '192.0.0.0/8', '192.0.2.7');
const requestCriterion: fc.Arbitrary<Criterion> = fc.oneof(
  fc.constant<Criterion>({ accept: true }),
  fc.constant<Criterion>({ reject: true }),
  fc.record({ httpMethod: texts(['GET', 'DELETE'], ['G', 'E']) }),
  fc.record({ httpPath: texts(['/', '/a', '/a/b'], ['/a', '/', 'b']) }),
  fc.record({ sourceIp: fc.oneof(fc.record({ is: range }), fc.record({ in: fc.array(range, { minLength: 1 }) })) }),
);
const anyCriterion = fc.oneof({ weight: 2, arbitrary: identityCriterion }, { weight: 1, arbitrary: requestCriterion });

const operatorsOf = (criterion: fc.Arbitrary<Criterion>): fc.Arbitrary<Operators> => {
  // An empty list never comes out of the parser; the compiler skips it all the same, as Pomerium does.
  const list = fc.array(criterion, { maxLength: 3 });
  return fc.record({ and: list, or: list, not: list, nor: list }, { requiredKeys: [] });
};

const rulesOf = (allowed: fc.Arbitrary<Criterion>): fc.Arbitrary<Rule[]> =>
  fc.array(fc.record({ allow: operatorsOf(allowed), deny: operatorsOf(anyCriterion) }, { requiredKeys: [] }), {
    minLength: 1,
    maxLength: 3,
  });

const attachedOf = (rules: fc.Arbitrary<Rule[]>): fc.Arbitrary<AttachedPolicy> =>
  fc.record({
    attachment: fc.constantFrom('Own' as const, 'Own' as const, 'Default' as const, 'Mandatory' as const),
    policy: fc
      .tuple(rules, fc.constantFrom('Enforce' as const, 'Enforce' as const, 'Audit' as const), fc.nat({ max: 19 }))
      .map(([rules, mode, luck]): Policy => ({ name: 'p', mode, rules, ...(luck === 0 && { broken: 'of luck' }) })),
  });

const accessOf = (rules: fc.Arbitrary<Rule[]>): fc.Arbitrary<Access> =>
  fc.record({
    policies: fc.array(attachedOf(rules), { maxLength: 3 }),
    defaultAccess: fc.constantFrom('Deny' as const, 'Authenticated' as const),
  });

const fewGroups = fc.subarray(['eng', 'ops']);
const manyGroups = fewGroups.map((groups) => [...groups, ...Array.from({ length: 40 }, (_, index) => `g${index}`)]);
const claimValue = fc.constantFrom<unknown>('a', ['a'], ['a', 'b'], [], 7, true, ['7', 7], [{}]);
const identityOf = (email: fc.Arbitrary<string>) =>
  fc
    .tuple(
      fc.record({
        user: fc.constantFrom('u1', 'u2'),
        groups: fc.oneof(fewGroups, manyGroups),
        claims: fc.record({ team: claimValue, realm: fc.record({ roles: claimValue }) }, { requiredKeys: [] }),
      }),
      fc.option(email, { nil: undefined }),
    )
    .map(([identity, email]) => ({ ...identity, ...(email !== undefined && { email }) }));

const request: fc.Arbitrary<Facts> = fc
  .record({
    method: fc.constantFrom('GET', 'DELETE'),
    path: fc.constantFrom('/', '/a', '/a/b'),
    ip: fc.constantFrom('10.1.2.3', '::ffff:10.1.2.3', '192.0.2.7', '198.51.100.1', '2001:db8::1', 'unknown'),
  })
  .map((asked) => factsOfTest({ request: asked }));
const signedIn = (email: fc.Arbitrary<string> = fc.constantFrom(...emails)): fc.Arbitrary<Facts> =>
  fc.tuple(request, identityOf(email)).map(([facts, identity]) => ({ ...facts, identity }));
const anyFacts: fc.Arbitrary<Facts> = fc.oneof(request, signedIn());

const plain = (outcome: Outcome | undefined) =>
  outcome && { value: outcome.result, reasons: outcome.reasons.toSorted() };
const plainRuling = (ruling: Ruling | undefined) =>
  ruling && { value: ruling.value, reasons: [...ruling.reasons].sort() };

describe('the evaluator', () => {
  test('decides as the naive implementation does', () => {
    const seen = new Map<Decision, number>();
    fc.assert(
      fc.property(accessOf(rulesOf(anyCriterion)), anyFacts, (access, facts) => {
        const { decision } = evaluate(access, facts);
        seen.set(decision, (seen.get(decision) ?? 0) + 1);
        assert.equal(decision, naiveDecision(access, facts));
      }),
      { numRuns: 5000 },
    );
    for (const decision of ['Allow', 'Deny', 'Login'] as const) {
      assert.ok(
        (seen.get(decision) ?? 0) > 200,
        `${decision} came up ${seen.get(decision)} times: too seldom to judge by`,
      );
    }
  });

  test('gives the results and the reasons that the naive implementation gives', () => {
    fc.assert(
      fc.property(rulesOf(anyCriterion), anyFacts, (rules, facts) => {
        const attached: AttachedPolicy = { attachment: 'Own', policy: { name: 'p', mode: 'Enforce', rules } };
        const [verdict] = explain({ policies: [attached], defaultAccess: 'Deny' }, facts).policies;
        assert.deepEqual(plain(verdict?.allow), plainRuling(naiveAction(rules, 'allow', facts, 'against')));
        assert.deepEqual(plain(verdict?.deny), plainRuling(naiveAction(rules, 'deny', facts, 'against')));
      }),
      { numRuns: 5000 },
    );
  });

  test('lets in nobody whom Pomerium would keep out, when a value was never given', () => {
    const wellFormed = fc.constantFrom('ana@example.com', 'eve@example.org');
    fc.assert(
      fc.property(accessOf(rulesOf(anyCriterion)), signedIn(wellFormed), (access, facts) => {
        if (evaluate(access, facts).decision === 'Allow') {
          assert.equal(naiveDecision(access, facts, 'pomerium'), 'Allow');
        }
      }),
      { numRuns: 5000 },
    );
  });

  test('never lets in an anonymous request where every allow asks who it is', () => {
    fc.assert(
      fc.property(accessOf(rulesOf(identityCriterion)), request, (access, facts) => {
        assert.notEqual(evaluate(access, facts).decision, 'Allow');
      }),
      { numRuns: 5000 },
    );
  });

  test('never lets in more when a Mandatory policy is added, and nothing changes when that is in Audit', () => {
    fc.assert(
      fc.property(accessOf(rulesOf(anyCriterion)), rulesOf(anyCriterion), anyFacts, (access, rules, facts) => {
        const beside = (mode: Policy['mode']): Decision => {
          const added: AttachedPolicy = { attachment: 'Mandatory', policy: { name: 'added', mode, rules } };
          return evaluate({ ...access, policies: [...access.policies, added] }, facts).decision;
        };
        const { decision } = evaluate(access, facts);
        if (decision !== 'Allow') assert.notEqual(beside('Enforce'), 'Allow');
        assert.equal(beside('Audit'), decision);
      }),
      { numRuns: 2000 },
    );
  });

  test('denies whatever a broken policy governs, without asking who it is', () => {
    fc.assert(
      fc.property(accessOf(rulesOf(anyCriterion)), fc.boolean(), anyFacts, (access, audit, facts) => {
        const policy: Policy = { name: 'b', mode: audit ? 'Audit' : 'Enforce', rules: [], broken: 'x' };
        const policies: AttachedPolicy[] = [...access.policies, { attachment: 'Mandatory', policy }];
        assert.equal(evaluate({ ...access, policies }, facts).decision, 'Deny');
      }),
      { numRuns: 500 },
    );
  });
});

describe('the explanation', () => {
  test('says something for every policy, and accounts for every decision', () => {
    const accounts: Record<Decision, RegExp> = {
      Allow: /allows: |default access lets in/,
      Deny: /denies|does not allow|No policy grants/,
      Login: /sign in first\.$/,
    };
    fc.assert(
      fc.property(accessOf(rulesOf(anyCriterion)), anyFacts, (access, facts) => {
        const explanation = explain(access, facts);
        const sentences = explainVerdict(explanation);
        const silent = (one: PolicyVerdict) => !sentences.some((sentence) => sentence.includes(one.policy));
        assert.deepEqual(explanation.policies.filter(silent), []);
        assert.ok(
          sentences.some((sentence) => accounts[explanation.verdict.decision].test(sentence)),
          sentences.join(' '),
        );
      }),
      { numRuns: 2000 },
    );
  });
});

// ── Nonsense for the parser: any JSON, and JSON that nearly is a spec. ──

const word = fc.oneof(
  fc.constantFrom('rules', 'allow', 'deny', 'and', 'or', 'not', 'nor', 'tests', 'mode', 'as', 'expect', 'request'),
  fc.constantFrom(
    'is',
    'in',
    'has',
    'path',
    'exclude',
    'targetRefs',
    'enforcement',
    'namespaceSelector',
    'matchLabels',
  ),
  fc.constantFrom(...criterionNames),
  fc.constantFrom('__proto__', 'constructor', 'emial', 'http_method'),
);
const leaf = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom<unknown>(true, 'Enforce', 'Allow', '10.0.0.0/99'));
const { nearly } = fc.letrec((tie) => ({
  nearly: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    leaf,
    fc.array(tie('nearly'), { maxLength: 3 }),
    fc.array(fc.tuple(word, tie('nearly')), { maxLength: 4 }).map(
      // JSON.parse makes `__proto__` a field as any other; an assignment would not.
      (fields): unknown =>
        JSON.parse(`{${fields.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`),
    ),
  ),
}));
const spoilt = fc
  .tuple(rulesOf(anyCriterion), nearly, fc.constantFrom('spec', 'rule', 'allow', 'criterion', 'test'))
  .map(([rules, nonsense, where]): unknown => {
    const fields = typeof nonsense === 'object' ? nonsense : { nonsense };
    const rule = { ...rules[0], ...(where === 'rule' && fields) };
    if (where === 'allow') Object.assign(rule, { allow: { or: [{ accept: true }], ...fields } });
    if (where === 'criterion') Object.assign(rule, { allow: { or: [{ ...fields }] } });
    return { rules: [rule], ...(where === 'spec' && fields), ...(where === 'test' && { tests: [nonsense] }) };
  });

describe('the parser', () => {
  const parsers = [
    { parse: parsePolicy, schema: policySpec, metadata: { name: 'p', namespace: 'n' } },
    { parse: parseClusterPolicy, schema: clusterPolicySpec, metadata: { name: 'p' } },
  ];

  test('never throws, and a spec is either good or a broken policy that denies', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.jsonValue(), nearly, spoilt),
        fc.constantFrom(...parsers),
        anyFacts,
        (spec, kind, facts) => {
          const { policy, diagnostics } = kind.parse({ apiVersion: 'v', kind: 'K', metadata: kind.metadata, spec });
          const errors = diagnostics.filter(({ severity }) => severity === 'error');
          assert.equal(policy.broken !== undefined, errors.length > 0);
          assert.ok(diagnostics.every(({ path, message }) => path.startsWith('spec') && message.length < 4096));
          if (!kind.schema.safeParse(spec).success) assert.notEqual(policy.broken, undefined);
          if (policy.broken === undefined) return;
          assert.deepEqual(policy.rules, []);
          const access: Access = { policies: [{ policy, attachment: 'Own' }], defaultAccess: 'Authenticated' };
          assert.equal(evaluate(access, facts).decision, 'Deny');
        },
      ),
      { numRuns: 5000 },
    );
  });
});
