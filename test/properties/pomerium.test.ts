// Policies made for Pomerium against what they become: a second, naive reading of Pomerium's language must agree on every request.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { policySpec } from '../../src/model/policy-kinds.ts';
import type { Rule } from '../../src/model/policy.ts';
import type { ClientCertificate, Decision, Facts } from '../../src/model/verdict.ts';
import { evaluate } from '../../src/policy/evaluate.ts';
import { convertPomeriumPolicy } from '../../src/policy/pomerium/convert.ts';
import { convertPomeriumRoute } from '../../src/policy/pomerium/route.ts';
import { factsOfTest } from '../../src/policy/test-facts.ts';
import { judgePomerium } from './pomerium.naive.ts';
import type { Ppl } from './pomerium.naive.ts';

// ── What it is tried on: few values, so that most comparisons are close. ──

/** A bare value, or one to three operators in one object. */
const texts = (values: readonly string[], parts: readonly string[]): fc.Arbitrary<unknown> => {
  const value = fc.constantFrom(...values);
  const list = fc.array(value, { minLength: 1, maxLength: 2 });
  const part = fc.constantFrom(...parts);
  const fields = { is: value, not: value, in: list, not_in: list, starts_with: part, ends_with: part, contains: part };
  const matcher = fc
    .tuple(fc.subarray(Object.keys(fields), { minLength: 1, maxLength: 3 }), fc.record(fields))
    .map(([names, all]) => Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name))));
  return fc.oneof(value, matcher);
};

const lists = (values: readonly (string | number | boolean)[]): fc.Arbitrary<unknown> => {
  const value = fc.constantFrom(...values);
  const matcher = fc.record({ has: value, is: value, exclude: value }, { requiredKeys: [] });
  return fc.oneof(
    value,
    matcher.filter((one) => Object.keys(one).length > 0),
  );
};

const named = (name: string, data: fc.Arbitrary<unknown>): fc.Arbitrary<object> =>
  data.map((data) => ({ [name]: data }));

const fingerprints = ['aa', 'bb'].map((byte) => byte.repeat(32));
const clocks = ['04:10:00', '09:00', '20:00'];
const carried: fc.Arbitrary<object> = fc.oneof(
  named('accept', fc.constantFrom(true, false)),
  named('reject', fc.constant(1)),
  named('authenticated_user', fc.constant(true)),
  named('user', texts(['u1', 'u2'], ['u', '1'])),
  named('email', texts(['ana@example.com', 'eve@example.org'], ['ana', '@example.com', 'example'])),
  named('domain', texts(['example.com', 'example.org'], ['example', '.com'])),
  named('groups', lists(['eng', 'ops'])),
  named('claim/team', lists(['a', 'b', 7, true])),
  named('claim/realm/roles', lists(['a', 'b'])),
  named('claim/realm.roles', lists(['a', 'b'])),
  named('claim/https://example.com/team', lists(['a', 'b'])),
  named('http_method', texts(['GET', 'OPTIONS'], ['G', 'T'])),
  named('http_path', texts(['/', '/a', '/a/b'], ['/a', '/', 'b'])),
  named('source_ip', fc.constantFrom<unknown>('10.0.0.0/8', '192.0.2.7', ['10.0.0.0/8', '192.0.2.7'])),
  named('cors_preflight', fc.constant(true)),
  named('invalid_client_certificate', fc.constant(true)),
  named(
    'client_certificate',
    fc.constantFrom<unknown>({ fingerprint: fingerprints[0] }, { fingerprint: fingerprints, san_dns: 'a.example' }),
  ),
  named('day_of_week', fc.constantFrom('*', 'mon-fri', 'sat,sun', 'thu')),
  named(
    'date',
    fc.constantFrom<unknown>({ after: '2026-01-02' }, { before: '2026-01-03T10:00:00', after: '2025-12-31' }),
  ),
  named(
    'time_of_day',
    fc
      .record({ after: fc.constantFrom(...clocks), before: fc.constantFrom(...clocks) }, { requiredKeys: [] })
      .filter((one) => Object.keys(one).length > 0)
      .chain((one) => fc.constantFrom('UTC', 'Asia/Tokyo').map((timezone) => ({ timezone, ...one }))),
  ),
);
const lost = ['device', 'mcp_tool', 'record', 'ssh_username', 'pomerium_routes', 'nonsense'];
const anyCriterion = fc.oneof(
  { weight: 6, arbitrary: carried },
  { weight: 1, arbitrary: fc.constantFrom(...lost).map((name) => ({ [name]: true })) },
);

const policyOf = (criterion: fc.Arbitrary<object>): fc.Arbitrary<Ppl> => {
  const list = fc.array(criterion, { maxLength: 3 });
  const operators = fc.record({ and: list, or: list, not: list, nor: list }, { requiredKeys: [] });
  return fc.array(fc.record({ allow: operators, deny: operators }, { requiredKeys: [] }), { maxLength: 3 });
};

const certificate: ClientCertificate = {
  fingerprint: fingerprints[0] ?? '',
  spkiHash: '',
  sanEmails: [],
  sanDnsNames: ['a.example', 'b.example'],
  sanUris: [],
};
const claimValue = fc.constantFrom<unknown>('a', ['a'], ['a', 'b'], [], 7, true);
const identityOf = (flat: readonly string[]) =>
  fc
    .tuple(
      fc.record({
        user: fc.constantFrom('u1', 'u2'),
        groups: fc.subarray(['eng', 'ops']),
        claims: fc.oneof(
          fc.record(
            { team: claimValue, realm: fc.record({ roles: claimValue }), 'https://example.com/team': claimValue },
            { requiredKeys: [] },
          ),
          fc.record(Object.fromEntries(flat.map((name) => [name, claimValue])), { requiredKeys: [] }),
        ),
      }),
      fc.constantFrom('ana@example.com', 'eve@example.org', 'a@example.org@example.com', undefined),
    )
    .map(([identity, email]) => ({ ...identity, ...(email !== undefined && { email }) }));

/** `flat`: claims whose own name is `realm.roles`. No provider has both. */
const factsWith = (flat: readonly string[]): fc.Arbitrary<Facts> =>
  fc
    .record({
      request: fc.record({
        method: fc.constantFrom('GET', 'OPTIONS'),
        path: fc.constantFrom('/', '/a', '/a/b'),
        ip: fc.constantFrom('10.1.2.3', '192.0.2.7', '198.51.100.1'),
        headers: fc.constantFrom<Record<string, string>>({}, { origin: 'o', 'access-control-request-method': 'PUT' }),
      }),
      at: fc.constantFrom('2026-01-02T03:04:05Z', '2026-01-03T12:00:01Z', '2025-12-30T21:30:00Z'),
      identity: fc.option(identityOf(flat), { nil: undefined }),
      clientCertificate: fc.option(fc.constant(certificate), { nil: undefined }),
    })
    .map(({ request, at, identity, clientCertificate }) => ({
      ...factsOfTest({ request, at }),
      ...(identity && { identity }),
      ...(clientCertificate && { clientCertificate }),
    }));

function decide(rules: readonly Rule[], facts: Facts): Decision {
  // As the parser reads it back: every set of rules must be one that it takes.
  const policy = { name: 'p', mode: 'Enforce' as const, rules: policySpec.parse({ rules }).rules };
  return evaluate({ policies: [{ policy, attachment: 'Own' }], defaultAccess: 'Deny' }, facts).decision;
}

describe('a policy made for Pomerium', () => {
  test('decides here as it does there', () => {
    const seen = new Map<Decision, number>();
    fc.assert(
      fc.property(policyOf(carried), factsWith([]), (policy, facts) => {
        const { rules, lost } = convertPomeriumPolicy(policy);
        assert.deepEqual(lost, []);
        const decision = decide(rules, facts);
        seen.set(decision, (seen.get(decision) ?? 0) + 1);
        assert.equal(decision, judgePomerium(policy, facts));
      }),
      { numRuns: 2500 },
    );
    for (const decision of ['Allow', 'Deny', 'Login'] as const) {
      assert.ok((seen.get(decision) ?? 0) > 150, `${decision} came up ${seen.get(decision)} times: too seldom`);
    }
  });

  test('lets in nobody whom it would keep out there, whatever of it is lost', () => {
    let allowed = 0;
    fc.assert(
      fc.property(
        policyOf(anyCriterion),
        factsWith(['realm.roles', 'realm/roles']),
        fc.subarray(lost),
        (policy, facts, holding) => {
          if (decide(convertPomeriumPolicy(policy).rules, facts) !== 'Allow') return;
          allowed += 1;
          assert.equal(
            judgePomerium(policy, facts, (name) => holding.includes(name)),
            'Allow',
          );
        },
      ),
      { numRuns: 2500 },
    );
    assert.ok(allowed > 60, `only ${allowed} were let in`);
  });

  test('says of each part that is lost whether it would be missed, and that is so', () => {
    fc.assert(
      fc.property(policyOf(anyCriterion), factsWith([]), fc.subarray(lost), (policy, facts, holding) => {
        const without = withoutLost(policy);
        const opens =
          judgePomerium(without, facts) === 'Allow' &&
          judgePomerium(policy, facts, (name) => holding.includes(name)) === 'Deny';
        if (opens) assert.ok(convertPomeriumPolicy(policy).lost.some(({ widens }) => widens));
      }),
      { numRuns: 2500 },
    );
  });

  test('becomes rules that the parser takes, whatever nonsense it is', () => {
    const key = fc.oneof(
      fc.constantFrom('allow', 'deny', 'and', 'or', 'email', 'is', '__proto__', 'policy'),
      fc.string(),
    );
    const { nonsense } = fc.letrec((tie) => ({
      nonsense: fc.oneof(
        { maxDepth: 6 },
        fc.jsonValue(),
        fc.array(tie('nonsense'), { maxLength: 3 }),
        fc.dictionary(key, tie('nonsense'), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(nonsense, fc.constantFrom('policy', 'allowed_users', 'allowed_idp_claims'), (value, field) => {
        for (const { rules } of [convertPomeriumPolicy(value), convertPomeriumRoute({ [field]: value })]) {
          assert.ok(policySpec.safeParse({ rules }).success);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

function withoutLost(policy: Ppl): Ppl {
  const isKept = (criterion: object) => !lost.includes(Object.keys(criterion)[0] ?? '');
  const strip = (operators: Ppl[number]['allow']) =>
    Object.fromEntries(Object.entries(operators ?? {}).map(([name, criteria]) => [name, criteria.filter(isKept)]));
  return policy.map(({ allow, deny }) => ({ allow: strip(allow), deny: strip(deny) }));
}
