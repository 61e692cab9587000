// The parser of policies against nonsense: any JSON, and JSON that nearly is a spec.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { criterionNames } from '../../src/model/criteria.ts';
import { clusterPolicySpec, policySpec } from '../../src/model/policy-kinds.ts';
import type { Access } from '../../src/model/policy.ts';
import { evaluate } from '../../src/policy/evaluate.ts';
import { parseClusterPolicy, parsePolicy } from '../../src/policy/parse.ts';
import { anyCriterion, anyFacts, rulesOf } from './policy.arbitraries.ts';

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
