// What becomes of a policy made for Pomerium: each case as people write it there, and as it must look here.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse as parseYaml } from 'yaml';
import type { Criterion } from '../../src/model/criteria.ts';
import { policySpec } from '../../src/model/policy-kinds.ts';
import type { Rule } from '../../src/model/policy.ts';
import { convertPomeriumPolicy } from '../../src/policy/pomerium/convert.ts';
import type { Conversion } from '../../src/policy/pomerium/convert.ts';
import { convertPomeriumRoute } from '../../src/policy/pomerium/route.ts';

function fit(conversion: Conversion): Conversion {
  const { rules } = conversion;
  assert.deepEqual(policySpec.parse({ rules }).rules, rules);
  return conversion;
}

const converted = (yaml: string): Conversion => fit(convertPomeriumPolicy(parseYaml(yaml)));

/** A criterion alone in an `or` that allows. */
const allowed = (yaml: string): unknown => {
  const { rules, lost } = converted(`allow: {or: [${yaml}]}`);
  assert.deepEqual(lost, []);
  assert.equal(rules.length, 1);
  return rules[0]?.allow;
};

/** Why one is lost. */
const lostOf = (yaml: string): string => {
  const { rules, lost } = converted(`allow: {or: [${yaml}]}`);
  assert.deepEqual(rules[0]?.allow, { or: [{ reject: true }] });
  assert.match(rules[0]?.name ?? '', /^allows less than in Pomerium/);
  const [only, ...more] = lost;
  assert.deepEqual([more, only?.path, only?.widens], [[], 'policy.allow.or[0]', false]);
  return only?.message ?? '';
};

describe('a criterion made for Pomerium', () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['accept: false', { or: [{ accept: true }] }],
    ['reject: true', { or: [{ reject: true }] }],
    ['authenticated_user: true', { or: [{ authenticatedUser: true }] }],
    ['cors_preflight: true', { or: [{ corsPreflight: true }] }],
    ['invalid_client_certificate: true', { or: [{ invalidClientCertificate: true }] }],
    ['user: u1', { or: [{ user: { is: 'u1' } }] }],
    ['email: {is: Ana@Example.COM}', { or: [{ email: { is: 'Ana@example.com' } }] }],
    ['domain: {in: [Example.com, b.example]}', { or: [{ domain: { in: ['example.com', 'b.example'] } }] }],
    ['http_method: {not_in: [PUT, POST]}', { or: [{ httpMethod: { notIn: ['PUT', 'POST'] } }] }],
    [
      'http_path: {starts_with: /a, ends_with: b}',
      { and: [{ httpPath: { startsWith: '/a' } }, { httpPath: { endsWith: 'b' } }] },
    ],
    ['groups: admins', { or: [{ groups: { has: 'admins' } }] }],
    ['claim/level: 7', { or: [{ claim: { path: ['level'], has: '7' } }] }],
    ['claim/groups: {is: a}', { or: [{ claim: { path: ['groups'], is: 'a' } }] }],
    ['claim/realm_access/roles: {exclude: a}', { or: [{ claim: { path: ['realm_access', 'roles'], exclude: 'a' } }] }],
    ['claim/realm_access.roles: a', { or: [{ claim: { path: ['realm_access', 'roles'], has: 'a' } }] }],
    ['"claim/https://example.com/r": a', { or: [{ claim: { path: ['https://example.com/r'], has: 'a' } }] }],
    ['claim/a.b.c.d.e.f: a', { or: [{ claim: { path: ['a.b.c.d.e.f'], has: 'a' } }] }],
    ['source_ip: 10.0.0.0/8', { or: [{ sourceIp: { is: '10.0.0.0/8' } }] }],
    ['source_ip: [10.0.0.1, "::1"]', { or: [{ sourceIp: { in: ['10.0.0.1', '::1'] } }] }],
    [
      'day_of_week: "mon,Thursday-sat"',
      { or: [{ dayOfWeek: { in: ['Monday', 'Thursday', 'Friday', 'Saturday'], timezone: 'UTC' } }] },
    ],
    [
      'date: {after: 2020-01-02T16:20:00, before: 2150-01-02}',
      { or: [{ date: { after: '2020-01-02T16:20:00', before: '2150-01-02', timezone: 'UTC' } }] },
    ],
    [
      'time_of_day: {timezone: Europe/Berlin, after: "2:20:00", before: 4:30PM}',
      { or: [{ timeOfDay: { after: '02:20:00', before: '16:30', timezone: 'Europe/Berlin' } }] },
    ],
    [
      'time_of_day: {timezone: UTC, after: 12AM, before: 12:30 PM}',
      { or: [{ timeOfDay: { after: '00:00', before: '12:30', timezone: 'UTC' } }] },
    ],
    // There it never holds; in one criterion of ours it would be a night.
    [
      'time_of_day: {timezone: UTC, after: 8 PM, before: "6:00"}',
      {
        and: [{ timeOfDay: { after: '20:00', timezone: 'UTC' } }, { timeOfDay: { before: '06:00', timezone: 'UTC' } }],
      },
    ],
    [
      `client_certificate: {fingerprint: ${'ab'.repeat(32)}, san_dns: a.example}`,
      {
        and: [
          { clientCertificate: { fingerprint: ['ab'.repeat(32)] } },
          { clientCertificate: { sanDns: { is: 'a.example' } } },
        ],
      },
    ],
  ];
  for (const [yaml, expected] of cases) test(yaml, () => assert.deepEqual(allowed(yaml), expected));

  const lost: readonly (readonly [string, RegExp])[] = [
    ['device: {type: any}', /^device: devices cannot be told apart here yet; /],
    ['mcp_tool: {is: x}', /^mcp_tool: /],
    ['record: {type: a, field: b, is: c}', /^record: .*ConfigMap/],
    ['pomerium_routes: true', /^pomerium_routes: .*left out/],
    ['ssh_publickey: x', /^ssh_publickey: SSH is not served here/],
    ['ssh_username_matches_claim: x', /^ssh_username_matches_claim: SSH/],
    ['emial: x', /^emial: there is no such criterion; did you mean email\?/],
    ['constructor: x', /^constructor: there is no such criterion; Pomerium refuses/],
    ['email: [a@b.c]', /no text is equal to/],
    ['user: 12345', /a text in quotes is wanted/],
    ['http_path: ""', /a text in quotes is wanted/],
    ['email: {matches: x}', /there is no matcher matches; Pomerium has is, not, in/],
    ['email: {in: []}', /it asks for nothing/],
    ['email: {}', /it asks for nothing/],
    ['email: {in: a@b.c}', /a list of texts in quotes is wanted under in/],
    ['groups: {has: [a]}', /no text is equal to/],
    ['claim: x', /claim\/NAME/],
    ['source_ip: 10.0.0.0/40', /an address or a CIDR is wanted/],
    ['source_ip: []', /it asks for nothing/],
    ['day_of_week: fri-mon', /from Monday to Sunday/],
    ['day_of_week: someday', /days are wanted/],
    ['date: {after: yesterday}', /date\.after: a date or a moment is wanted/],
    ['time_of_day: {after: "8:00"}', /the timezone is missing/],
    ['time_of_day: {timezone: UTC, after: "25:00"}', /a time of day is wanted/],
    ['time_of_day: {timezone: UTC, after: "13 PM"}', /a time of day is wanted/],
    ['client_certificate: {san_dns: {not: a}}', /none that is negative/],
    ['client_certificate: {san_dns: {starts_with: a, ends_with: b}}', /only one matcher/],
    ['client_certificate: {fingerprint: abc}', /a SHA-256 fingerprint is wanted/],
    ['{email: a@b.c, user: u}', /exactly one criterion/],
  ];
  for (const [yaml, why] of lost) test(`lost: ${yaml}`, () => assert.match(lostOf(yaml), why));
});

describe('the operators of a rule made for Pomerium', () => {
  const rules = (yaml: string): readonly Rule[] => {
    const { rules, lost } = converted(yaml);
    assert.deepEqual(lost, []);
    return rules;
  };
  const starts = { user: { startsWith: 'a' } };
  const ends = { user: { endsWith: 'b' } };
  const both = 'user: {starts_with: a, ends_with: b}';

  test('two matchers in one object are two criteria of "and"', () => {
    assert.deepEqual(rules(`allow: {and: [accept: 1, ${both}]}`), [
      { allow: { and: [{ accept: true }, starts, ends] } },
    ]);
  });
  test('… a further "and" of "or"', () => {
    assert.deepEqual(rules(`allow: {or: [accept: 1, ${both}, ${both}]}`), [
      { allow: { or: [{ accept: true }], and: [starts, ends] } },
      { allow: { and: [starts, ends] } },
    ]);
  });
  test('… a "not" each', () => {
    assert.deepEqual(rules(`deny: {not: [accept: 1, ${both}]}`), [
      { deny: { not: [{ accept: true }, starts] } },
      { deny: { not: [{ accept: true }, ends] } },
    ]);
  });
  test('… two criteria of "nor"', () => {
    assert.deepEqual(rules(`deny: {nor: [accept: 1, ${both}]}`), [{ deny: { nor: [{ accept: true }, starts, ends] } }]);
  });
  test('a claim that may be nested is looked for both ways where it refuses', () => {
    const nested = { claim: { path: ['a', 'b'], has: 'x' } };
    const whole = { claim: { path: ['a/b'], has: 'x' } };
    assert.deepEqual(rules('deny: {or: [claim/a/b: x]}'), [{ deny: { or: [nested, whole] } }]);
    assert.deepEqual(rules('allow: {not: [claim/a/b: x]}'), [{ allow: { not: [nested, whole] } }]);
    assert.deepEqual(rules('allow: {and: [claim/a/b: x]}'), [{ allow: { and: [nested] } }]);
  });
  test('empty lists are skipped, and nothing at all allows nobody', () => {
    const nothing = [{ name: 'nothing was allowed', allow: { or: [{ reject: true }] } }];
    assert.deepEqual(rules('allow: {and: [], or: [], not: [], nor: []}'), nothing);
    assert.deepEqual(rules('[]'), nothing);
  });
  test('long lists are divided', () => {
    const addresses = Array.from({ length: 300 }, (_, index) => `u${index}@example.com`);
    const { rules } = fit(convertPomeriumPolicy({ allow: { or: [{ email: { in: addresses } }] } }));
    assert.deepEqual(
      rules[0]?.allow?.or?.map(({ email }) => email?.in?.length),
      [256, 44],
    );
    const each = addresses.map((email) => ({ email }));
    assert.equal(fit(convertPomeriumPolicy({ allow: { or: each } })).rules.length, 5);
  });
});

describe('what is lost', () => {
  const parts = (yaml: string) => {
    const { rules, lost } = converted(yaml);
    return {
      rules: rules.map(({ allow, deny }) => ({ ...(allow && { allow }), ...(deny && { deny }) })),
      widens: lost.map(({ widens }) => widens),
    };
  };
  const accept: Criterion = { accept: true };
  const reject: Criterion = { reject: true };
  const somebody: Criterion = { authenticatedUser: true };
  const user: Criterion = { user: { is: 'u' } };
  const cases: readonly (readonly [string, Rule, boolean])[] = [
    ['allow: {or: [device: 1, user: u]}', { allow: { or: [reject, user] } }, false],
    ['allow: {and: [device: 1, user: u]}', { allow: { and: [reject, user] } }, true],
    ['allow: {and: [device: 1]}', { allow: { and: [reject] } }, false],
    ['allow: {not: [device: 1, user: u]}', { allow: { not: [somebody, user] } }, true],
    ['allow: {nor: [device: 1, user: u]}', { allow: { nor: [somebody, user] } }, false],
    ['deny: {or: [device: 1, user: u]}', { deny: { or: [accept, user] } }, true],
    ['deny: {or: [device: 1]}', { deny: { or: [accept] } }, true],
    ['deny: {and: [device: 1, user: u]}', { deny: { and: [somebody, user] } }, false],
    ['deny: {and: [device: 1]}', { deny: { and: [somebody] } }, true],
    ['deny: {not: [device: 1, user: u]}', { deny: { not: [reject, user] } }, false],
    ['deny: {nor: [device: 1, user: u]}', { deny: { nor: [reject, user] } }, true],
  ];
  for (const [yaml, rule, widens] of cases) {
    test(`counts against whoever asks: ${yaml}`, () => {
      assert.deepEqual(parts(yaml), { rules: [rule], widens: [widens] });
    });
  }

  test('is named in the rule that stands in for it', () => {
    const [rule] = converted('[{deny: {or: [mcp_tool: x]}}]').rules;
    assert.equal(rule?.name, 'denies more than in Pomerium: not all of policy[0] could be converted');
  });

  for (const [yaml, path] of [
    ['alow: {or: [accept: 1]}', 'policy.alow'],
    ['[allow: {xor: []}]', 'policy[0].allow.xor'],
    ['allow: {or: {accept: 1}}', 'policy.allow.or'],
    ['deny: true', 'policy.deny'],
    ['hello', 'policy'],
  ] as const) {
    test(`denies everybody where Pomerium refuses the policy: ${yaml}`, () => {
      const { rules, lost } = converted(yaml);
      assert.deepEqual(rules, [
        { name: `denies everybody: ${path} could not be converted`, deny: { or: [{ accept: true }] } },
      ]);
      assert.deepEqual(
        lost.map(({ path, widens }) => ({ path, widens })),
        [{ path, widens: true }],
      );
    });
  }

  test('a product that is too large denies', () => {
    const two = { user: { starts_with: 'a', ends_with: 'b' } };
    const { rules, lost } = fit(convertPomeriumPolicy({ deny: { not: Array.from({ length: 12 }, () => two) } }));
    assert.deepEqual(rules[0]?.deny, { or: [{ accept: true }] });
    assert.deepEqual(
      lost.map(({ path, widens }) => ({ path, widens })),
      [{ path: 'policy.deny.not', widens: true }],
    );
    const alsoAllowed = fit(convertPomeriumPolicy({ allow: { not: Array.from({ length: 12 }, () => two) } }));
    assert.deepEqual(alsoAllowed.rules[0]?.allow, { not: [{ authenticatedUser: true }] });
    const many = fit(convertPomeriumPolicy(Array.from({ length: 200 }, () => ({ allow: { and: [{ user: 'u' }] } }))));
    assert.deepEqual([many.rules.length, many.rules[0]?.deny], [1, { or: [{ accept: true }] }]);
  });
});

describe('the fields of a route made for Pomerium', () => {
  const route = (yaml: string): Conversion => fit(convertPomeriumRoute(parseYaml(yaml) as Record<string, unknown>));

  test('are joined by "or", and with the rules of its policy', () => {
    const { rules, lost } = route(`
      allowed_users: [ana@example.com, u-bob]
      allowed_domains: [example.org]
      allowed_idp_claims: {groups: [admins, 7]}
      cors_allow_preflight: true
      policy: [{deny: {or: [{user: u-eve}]}}]
    `);
    assert.deepEqual(lost, []);
    assert.deepEqual(rules, [
      {
        name: 'what the fields of the route allowed',
        allow: {
          or: [
            { domain: { is: 'example.org' } },
            { user: { in: ['ana@example.com', 'u-bob'] } },
            { email: { in: ['ana@example.com', 'u-bob'] } },
            { claim: { path: ['groups'], has: 'admins' } },
            { claim: { path: ['groups'], has: '7' } },
            { corsPreflight: true },
          ],
        },
      },
      { deny: { or: [{ user: { is: 'u-eve' } }] } },
    ]);
  });

  test('public, authenticated, nothing', () => {
    assert.deepEqual(route('allow_public_unauthenticated_access: true').rules[0]?.allow, { or: [{ accept: true }] });
    assert.deepEqual(route('allow_any_authenticated_user: true').rules[0]?.allow, {
      or: [{ authenticatedUser: true }],
    });
    assert.deepEqual(route('allow_any_authenticated_user: false').rules[0]?.allow, { or: [{ reject: true }] });
  });

  test('what Pomerium would not take is lost, and lets in nobody more', () => {
    const { rules, lost } = route(`
      allow_public_unauthenticated_access: true
      allowed_users: [u1]
      allowed_domains: example.com
      allowed_groups: [admins]
      allow_any_authenticated_user: "yes"
      allowed_idp_claims: {groups: [[a]]}
    `);
    assert.deepEqual(rules[0]?.allow, {
      or: [{ user: { is: 'u1' } }, { email: { is: 'u1' } }, { reject: true }],
    });
    assert.deepEqual(
      lost.map(({ path, widens }) => ({ path, widens })),
      [
        { path: 'allowed_domains', widens: false },
        { path: 'allow_any_authenticated_user', widens: false },
        { path: 'allow_public_unauthenticated_access', widens: false },
        { path: 'allowed_groups', widens: false },
        { path: 'allowed_idp_claims', widens: false },
      ],
    );
  });
});
