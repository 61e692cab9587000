// Verdicts where not everything is known, held against every request that there could be.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Criterion } from '../../src/model/criteria.ts';
import type { Access, Operators, Rule } from '../../src/model/policy.ts';
import type { Decision, Facts } from '../../src/model/verdict.ts';
import { evaluate } from '../../src/policy/evaluate.ts';
import { foresee } from '../../src/review/what-if.ts';

const unknown = ['ip', 'method', 'headers', 'time'] as const;

const criterion = fc.constantFrom<Criterion>(
  { groups: { has: 'staff' } },
  { email: { endsWith: '@example.com' } },
  { accept: true },
  { httpMethod: { is: 'GET' } },
  { httpMethod: { is: 'DELETE' } },
  { sourceIp: { is: '10.0.0.0/8' } },
  { header: { name: 'x-team', is: 'core' } },
  { timeOfDay: { after: '20:00', before: '06:00', timezone: 'UTC' } },
  { cel: `request.method == 'PUT' || request.ip == '10.1.1.1'` },
);
const criteria = fc.array(criterion, { minLength: 1, maxLength: 2 });
const operators = fc
  .record({ and: criteria, or: criteria, not: criteria, nor: criteria }, { requiredKeys: [] })
  .filter((one) => Object.keys(one).length > 0) as fc.Arbitrary<Operators>;
const rule = fc
  .record({ allow: operators, deny: operators, mode: fc.constant('Audit' as const) }, { requiredKeys: [] })
  .filter(({ allow, deny }) => allow !== undefined || deny !== undefined) as fc.Arbitrary<Rule>;
const attached = fc.record({
  policy: fc.record({
    name: fc.constant('p'),
    mode: fc.constantFrom('Enforce' as const, 'Enforce' as const, 'Audit' as const),
    rules: fc.array(rule, { minLength: 1, maxLength: 2 }),
  }),
  attachment: fc.constantFrom('Own' as const, 'Default' as const, 'Mandatory' as const),
});
const access: fc.Arbitrary<Access> = fc.record({
  policies: fc.array(attached, { minLength: 1, maxLength: 2 }),
  defaultAccess: fc.constantFrom('Deny' as const, 'Authenticated' as const),
});

const identity = { user: 'u', email: 'ana@example.com', groups: ['staff'], claims: {} };
const session = { provider: 'okta', authenticatedAt: 0, startedAt: 0 };
const base: Facts = {
  identity,
  session,
  method: 'GET',
  host: 'h',
  path: '/',
  query: '',
  headers: new Map(),
  ip: '192.0.2.1',
  now: 0,
};

/** The values that tell the criteria above apart. */
const values = {
  ip: [{ ip: '192.0.2.1' }, { ip: '10.0.0.1' }, { ip: '10.1.1.1' }],
  method: ['GET', 'DELETE', 'PUT', 'POST'].map((method) => ({ method })),
  headers: [{ headers: new Map() }, { headers: new Map([['x-team', ['core']]]) }],
  time: [{ now: Date.UTC(2026, 0, 1, 12) }, { now: Date.UTC(2026, 0, 1, 23) }],
} satisfies Record<(typeof unknown)[number], Partial<Facts>[]>;

const requests: readonly Facts[] = values.ip.flatMap((ip) =>
  values.method.flatMap((method) =>
    values.headers.flatMap((headers) => values.time.map((now) => ({ ...base, ...ip, ...method, ...headers, ...now }))),
  ),
);

test('a verdict that is foreseen is that of every request', () => {
  const seen = { decided: 0, open: 0 };
  fc.assert(
    fc.property(access, (one) => {
      const { decision } = foresee(one, base, unknown);
      seen[decision === undefined ? 'open' : 'decided'] += 1;
      if (decision !== undefined) for (const facts of requests) assert.equal(evaluate(one, facts).decision, decision);
    }),
    { numRuns: 1500 },
  );
  assert.ok(seen.decided > 20 && seen.open > 20, JSON.stringify(seen));
});

test('whatever changes a verdict is named, where it is not foreseen', () => {
  fc.assert(
    fc.property(access, (one) => {
      const { dependsOn } = foresee(one, base, unknown);
      const verdict = (facts: Facts): Decision => evaluate(one, facts).decision;
      for (const subject of unknown) {
        const matters = requests.some((facts) =>
          values[subject].some((other) => verdict({ ...facts, ...other }) !== verdict(facts)),
        );
        if (matters) assert.ok(dependsOn.includes(subject), subject);
      }
    }),
    { numRuns: 100 },
  );
});

test('what nobody asks for makes no difference, and an Audit policy depends on nothing', () => {
  const allow: Rule = { allow: { and: [{ sourceIp: { is: '10.0.0.0/8' } }] } };
  const of = (mode: 'Enforce' | 'Audit'): Access => ({
    policies: [{ policy: { name: 'p', mode, rules: [allow] }, attachment: 'Own' }],
    defaultAccess: 'Deny',
  });
  assert.deepEqual(foresee(of('Enforce'), base, unknown), { dependsOn: ['ip'] });
  assert.deepEqual(foresee(of('Enforce'), base, ['time', 'headers']), { decision: 'Deny', dependsOn: [] });
  assert.deepEqual(foresee(of('Audit'), base, unknown), { decision: 'Deny', dependsOn: [] });
});
