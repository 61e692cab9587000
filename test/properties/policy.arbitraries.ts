// What policies are tried on: few values, so that most comparisons are close.
import * as fc from 'fast-check';
import type { Criterion } from '../../src/model/criteria.ts';
import type { ListMatcher, StringMatcher } from '../../src/model/matchers.ts';
import type { Access, AttachedPolicy, DataSets, Operators, Policy, PolicyMode, Rule } from '../../src/model/policy.ts';
import type { Facts } from '../../src/model/verdict.ts';
import { factsOfTest } from '../../src/policy/test-facts.ts';

const emails = ['ana@example.com', 'eve@example.org', 'a@evil.example@example.com', '@example.com'];

const noon = Date.UTC(2026, 10, 27, 12);

/** `gone` was never read, and `aging` is too old from noon on. */
export const dataSets: DataSets = {
  few: { content: ['ana@example.com', 'eng', 'u1', 'a', '/a', 'GET', '1', 'example.com', 'ci/deployer', 'pwd'] },
  keyed: { content: { 'eve@example.org': { team: 'web' }, ops: [], b: 'x', aal2: 1 } },
  aging: { content: ['ana@example.com', 'g7', 'a'], staleAt: noon },
  gone: {},
};
const dataSetName = fc.constantFrom('few', 'keyed', 'aging', 'gone', 'unknown');

/** `ours`: with the operators that the Pomerium Policy Language does not have. */
type Extent = 'ours' | 'pomerium';

const texts = (values: readonly string[], parts: readonly string[], extent: Extent): fc.Arbitrary<StringMatcher> => {
  const value = fc.constantFrom(...values);
  const some = fc.array(value, { minLength: 1, maxLength: 3 });
  const part = fc.constantFrom(...parts);
  const shared = [
    fc.record({ is: value }),
    fc.record({ not: value }),
    fc.record({ in: some }),
    fc.record({ notIn: some }),
    fc.record({ startsWith: part }),
    fc.record({ endsWith: part }),
    fc.record({ contains: part }),
  ];
  if (extent === 'pomerium') return fc.oneof(...shared);
  return fc.oneof(
    ...shared,
    // RE2 and JavaScript read these alike.
    fc.record({ matches: fc.constantFrom('[a-z0-9]+', '.*example.*', '/a(/b)?', 'G?E?.*', `${parts[0]}.*`) }),
    fc.record({ inDataSet: dataSetName }),
    fc.record({ notInDataSet: dataSetName }),
  );
};

const lists = (values: readonly string[], extent: Extent): fc.Arbitrary<ListMatcher> => {
  const value = fc.constantFrom(...values);
  const shared = [fc.record({ has: value }), fc.record({ is: value }), fc.record({ exclude: value })];
  if (extent === 'pomerium') return fc.oneof(...shared);
  return fc.oneof(...shared, fc.record({ hasAnyInDataSet: dataSetName }), fc.record({ hasNoneInDataSet: dataSetName }));
};

const claimOf = (extent: Extent): fc.Arbitrary<Criterion> =>
  fc
    .tuple(fc.constantFrom<string[]>(['team'], ['realm', 'roles'], ['absent']), lists(['a', 'b', '7', 'true'], extent))
    .map(([path, matcher]) => ({ claim: { path, ...matcher } }));

/** What Pomerium asks about people. */
const sharedPerson = (extent: Extent): fc.Arbitrary<Criterion> =>
  fc.oneof(
    fc.constant<Criterion>({ authenticatedUser: true }),
    fc.record({ user: texts(['u1', 'u2'], ['u', '1'], extent) }),
    fc.record({ email: texts(emails, ['ana', '@example.com', 'example'], extent) }),
    fc.record({ domain: texts(['example.com', 'example.org', 'evil.example'], ['example', '.com'], extent) }),
    fc.record({ groups: lists(['eng', 'ops', 'g7'], extent) }),
    claimOf(extent),
  );

const limit = fc.constantFrom('1m', '10m', '59s1ms');

/** Expressions whose answer the naive implementation knows. */
const celOfPerson = [
  'user.user == "u1"',
  '"eng" in user.groups',
  'user.email.endsWith("@example.com")',
  'request.path == "/a" || user.user == "u2"',
  'now - session.authenticatedAt <= duration("60s")',
] as const;
const celOfRequest = [
  'request.path == "/a"',
  'request.headers["x-a"] == "1"',
  'now < timestamp("2026-11-27T12:00:00Z")',
  '"eng" in data.few',
  '"g7" in data.aging',
  '"a" in data.gone',
] as const;

const cel = (expressions: readonly string[]): fc.Arbitrary<Criterion> =>
  fc.record({ cel: fc.constantFrom(...expressions) });

/** One that without a session says: sign in. */
export const personCriterion: fc.Arbitrary<Criterion> = fc.oneof(
  { weight: 3, arbitrary: sharedPerson('ours') },
  fc.record({ serviceAccount: texts(['ci/deployer', 'ci/tester'], ['ci/', 'er'], 'ours') }),
  fc.record({ acr: texts(['aal1', 'aal2', '3'], ['aal', '2'], 'ours') }),
  fc.record({ authenticationMethod: lists(['pwd', 'hwk'], 'ours') }),
  fc.record({ authenticatedWithin: limit }),
  fc.record({ sessionAge: fc.oneof(fc.record({ under: limit }), fc.record({ over: limit })) }),
  cel(celOfPerson),
);

const range = fc.constantFrom('10.0.0.0/8', '192.0.0.0/8', '192.0.2.7');
const sharedRequest = (extent: Extent): fc.Arbitrary<Criterion> =>
  fc.oneof(
    fc.constant<Criterion>({ accept: true }),
    fc.constant<Criterion>({ reject: true }),
    fc.constant<Criterion>({ corsPreflight: true }),
    fc.record({ httpMethod: texts(['GET', 'DELETE', 'OPTIONS'], ['G', 'E'], extent) }),
    fc.record({ httpPath: texts(['/', '/a', '/a/b'], ['/a', '/', 'b'], extent) }),
    fc.record({ sourceIp: fc.oneof(fc.record({ is: range }), fc.record({ in: fc.array(range, { minLength: 1 }) })) }),
  );

/** Whose clocks never change, so that the naive implementation can add hours. */
const timezone = fc.constantFrom('UTC', 'Asia/Kolkata', 'America/Phoenix');
const sides = (values: readonly string[]) => {
  const value = fc.constantFrom(...values);
  return fc.oneof(
    fc.record({ after: value }),
    fc.record({ before: value }),
    fc.record({ after: value, before: value }),
  );
};
const times: fc.Arbitrary<Criterion> = fc.oneof(
  fc
    .tuple(sides(['00:00', '05:00', '12:00', '17:30', '17:30:01']), timezone)
    .map(([between, zone]): Criterion => ({ timeOfDay: { ...between, timezone: zone } })),
  fc
    .tuple(
      sides(['2026-11-27', '2026-11-28', '2026-11-27T12:00', '2026-11-27T17:30:00', '2026-11-27T12:00Z']),
      timezone,
    )
    .map(([between, zone]): Criterion => ({ date: { ...between, timezone: zone } })),
  fc
    .tuple(
      fc.subarray<'Thursday' | 'Friday' | 'Saturday'>(['Thursday', 'Friday', 'Saturday'], { minLength: 1 }),
      timezone,
    )
    .map(([days, zone]): Criterion => ({ dayOfWeek: { in: days, timezone: zone } })),
);

const sent = texts(['1', '2'], ['1', '2'], 'ours');
export const requestCriterion: fc.Arbitrary<Criterion> = fc.oneof(
  { weight: 3, arbitrary: sharedRequest('ours') },
  sent.map((matcher): Criterion => ({ header: { name: 'X-A', ...matcher } })),
  sent.map((matcher): Criterion => ({ query: { name: 'q', ...matcher } })),
  times,
  fc.constant<Criterion>({ invalidClientCertificate: true }),
  fc.constant<Criterion>({ clientCertificate: { fingerprint: ['AB'.repeat(32)] } }),
  texts(['a.example', 'b.example'], ['a', '.example'], 'ours').map((sanDns): Criterion => ({
    clientCertificate: { sanDns },
  })),
  cel(celOfRequest),
);

const mixed = (person: fc.Arbitrary<Criterion>, request: fc.Arbitrary<Criterion>): fc.Arbitrary<Criterion> =>
  fc.oneof({ weight: 2, arbitrary: person }, { weight: 1, arbitrary: request });
export const anyCriterion = mixed(personCriterion, requestCriterion);
export const pomeriumCriterion = mixed(sharedPerson('pomerium'), sharedRequest('pomerium'));

export const operatorsOf = (criterion: fc.Arbitrary<Criterion>): fc.Arbitrary<Operators> => {
  // An empty list never comes out of the parser; the compiler skips it all the same, as Pomerium does.
  const list = fc.array(criterion, { maxLength: 3 });
  return fc.record({ and: list, or: list, not: list, nor: list }, { requiredKeys: [] });
};

const mode: fc.Arbitrary<PolicyMode> = fc.constantFrom('Enforce', 'Enforce', 'Enforce', 'Audit');

export const rulesOf = (
  allowed: fc.Arbitrary<Criterion>,
  denied: fc.Arbitrary<Criterion> = anyCriterion,
): fc.Arbitrary<Rule[]> =>
  fc.array(fc.record({ allow: operatorsOf(allowed), deny: operatorsOf(denied), mode }, { requiredKeys: [] }), {
    minLength: 1,
    maxLength: 3,
  });

export const policyOf = (rules: readonly Rule[], policyMode: PolicyMode = 'Enforce'): Policy => ({
  name: 'p',
  mode: policyMode,
  rules,
  dataSets,
});

const attachedOf = (rules: fc.Arbitrary<Rule[]>): fc.Arbitrary<AttachedPolicy> =>
  fc.record({
    attachment: fc.constantFrom('Own' as const, 'Own' as const, 'Default' as const, 'Mandatory' as const),
    policy: fc
      .tuple(rules, mode, fc.nat({ max: 19 }))
      .map(([some, how, luck]): Policy => ({ ...policyOf(some, how), ...(luck === 0 && { broken: 'of luck' }) })),
  });

export const accessOf = (rules: fc.Arbitrary<Rule[]>): fc.Arbitrary<Access> =>
  fc.record({
    policies: fc.array(attachedOf(rules), { maxLength: 3 }),
    defaultAccess: fc.constantFrom('Deny' as const, 'Authenticated' as const),
  });

export const anyAccess = accessOf(rulesOf(anyCriterion));

const fewGroups = fc.subarray(['eng', 'ops']);
const manyGroups = fewGroups.map((groups) => [...groups, ...Array.from({ length: 40 }, (_, index) => `g${index}`)]);
const claimValue = fc.constantFrom<unknown>('a', ['a'], ['a', 'b'], [], 7, true, ['7', 7], [{}]);
const claims = fc.record(
  {
    team: claimValue,
    realm: fc.record({ roles: claimValue }),
    acr: fc.constantFrom('aal1', 'aal2', 3),
    amr: fc.constantFrom<unknown>(['pwd'], ['pwd', 'hwk'], 'pwd'),
  },
  { requiredKeys: [] },
);
const identityOf = (email: fc.Arbitrary<string>) =>
  fc
    .tuple(
      fc.record({ user: fc.constantFrom('u1', 'u2'), groups: fc.oneof(fewGroups, manyGroups), claims }),
      fc.option(email, { nil: undefined }),
      // Most are people: little that an allow asks for is a workload's.
      fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, fc.constantFrom('ci/deployer', 'ci/tester')),
    )
    .map(([identity, address, serviceAccount]) => ({
      ...identity,
      ...(address !== undefined && { email: address }),
      ...(serviceAccount !== undefined && { serviceAccount }),
    }));

const headers = fc
  .record(
    {
      'x-a': fc.constantFrom(['1'], ['2'], ['1', '2'], ['1', '1']),
      origin: fc.constant(['https://a.example']),
      'access-control-request-method': fc.constant(['PUT']),
    },
    { requiredKeys: [] },
  )
  .map((fields) => new Map(Object.entries(fields)));

const clientCertificate = fc.constantFrom(
  { fingerprint: 'ab'.repeat(32), spkiHash: '', sanEmails: [], sanDnsNames: ['a.example', 'b.example'], sanUris: [] },
  { fingerprint: '', spkiHash: '', sanEmails: [], sanDnsNames: [], sanUris: [] },
);

export const anonymous: fc.Arbitrary<Facts> = fc
  .tuple(
    fc.record({
      method: fc.constantFrom('GET', 'DELETE', 'OPTIONS'),
      path: fc.constantFrom('/', '/a', '/a/b'),
      ip: fc.constantFrom('10.1.2.3', '::ffff:10.1.2.3', '192.0.2.7', '198.51.100.1', '2001:db8::1', 'unknown'),
    }),
    headers,
    fc.constantFrom('', '?q=1', '?q=2&q=1', '?Q=1'),
    fc.constantFrom(noon - 1, noon, noon + 5.5 * 3_600_000, noon + 14 * 3_600_000),
    fc.option(clientCertificate, { nil: undefined, freq: 2 }),
  )
  .map(([request, sentHeaders, query, now, certificate]) => ({
    ...factsOfTest({ request }),
    headers: sentHeaders,
    query,
    now,
    ...(certificate && { clientCertificate: certificate }),
  }));

const age = fc.constantFrom(0, 59_000, 60_000, 60_001, 600_000, 600_001);
export const signedIn = (email: fc.Arbitrary<string> = fc.constantFrom(...emails)): fc.Arbitrary<Facts> =>
  fc.tuple(anonymous, identityOf(email), age, age).map(([facts, identity, authenticated, started]) => ({
    ...facts,
    identity,
    session: { provider: 'okta', authenticatedAt: facts.now - authenticated, startedAt: facts.now - started },
  }));
export const anyFacts: fc.Arbitrary<Facts> = fc.oneof(anonymous, signedIn());
