// Writes the table of verdicts (test/policy/verdicts): the same policies each time, and what the engine answers today.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { criterion as criterionSchema } from '../src/model/criteria.ts';
import type { Criterion } from '../src/model/criteria.ts';
import type { Operators } from '../src/model/policy.ts';
import { folder, readLines, row as rowSchema, scene as sceneSchema, verdictIn } from '../test/policy/verdict-table.ts';
import type { Row } from '../test/policy/verdict-table.ts';

/** mulberry32: what is drawn must be the same each time, on every machine. */
let state = 20_260_101;
function draw(): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
function pick<Value>(values: readonly Value[]): Value {
  const value = values[Math.floor(draw() * values.length)];
  if (value === undefined) throw new Error('there is nothing to pick from');
  return value;
}
const some = <Value>(values: readonly Value[], max: number): Value[] =>
  Array.from({ length: 1 + Math.floor(draw() * max) }, () => pick(values));

const scenes = readLines('scenes.jsonl', sceneSchema);

// ── Every criterion with every operator of its matcher, on values that the scenes have, or nearly have. ──

interface Subject {
  readonly values: readonly string[];
  readonly parts: readonly string[];
  readonly pattern: string;
  readonly wrap: (matcher: object) => object;
}

const texts: readonly Subject[] = [
  { values: ['u-ana', 'u-bob'], parts: ['u-', 'ana'], pattern: 'u-(ana|eve)', wrap: (user) => ({ user }) },
  {
    values: ['ana@example.com', 'bob@partner.example'],
    parts: ['ana', '@example.com', 'example'],
    pattern: '.*@(example[.]com|partner[.]example)',
    wrap: (email) => ({ email }),
  },
  {
    values: ['example.com', 'partner.example'],
    parts: ['example', '.com'],
    pattern: '.*[.]com',
    wrap: (domain) => ({ domain }),
  },
  {
    values: ['shop/robot', 'shop/cart'],
    parts: ['shop/', 'bot'],
    pattern: 'shop/r.*',
    wrap: (serviceAccount) => ({ serviceAccount }),
  },
  { values: ['phr', 'phrh', '1'], parts: ['ph', 'hr'], pattern: 'phrh?', wrap: (acr) => ({ acr }) },
  { values: ['GET', 'POST', 'DELETE'], parts: ['P', 'T'], pattern: 'GET|HEAD', wrap: (httpMethod) => ({ httpMethod }) },
  {
    values: ['/', '/api/items', '/admin'],
    parts: ['/api', 'items', 'admin'],
    pattern: '/api/[a-z]+',
    wrap: (httpPath) => ({ httpPath }),
  },
  {
    values: ['a', 'b'],
    parts: ['a', 'b'],
    pattern: '[ab]',
    wrap: (matcher) => ({ header: { name: 'X-Team', ...matcher } }),
  },
  {
    values: ['a', 'b'],
    parts: ['a', 'b'],
    pattern: '[ab]',
    wrap: (matcher) => ({ query: { name: 'team', ...matcher } }),
  },
  {
    values: ['ana@example.com', 'ops@example.com'],
    parts: ['ana', '.com'],
    pattern: 'ops@.*',
    wrap: (sanEmail) => ({ clientCertificate: { sanEmail } }),
  },
  {
    values: ['a.example.com', 'b.example.com'],
    parts: ['a.', '.com'],
    pattern: '[ab][.].*',
    wrap: (sanDns) => ({ clientCertificate: { sanDns } }),
  },
  {
    values: ['spiffe://a/b', 'spiffe://a/c'],
    parts: ['spiffe', '/b'],
    pattern: 'spiffe:.*',
    wrap: (sanUri) => ({ clientCertificate: { sanUri } }),
  },
];

const lists: readonly Pick<Subject, 'values' | 'wrap'>[] = [
  { values: ['eng', 'oncall', 'g7'], wrap: (groups) => ({ groups }) },
  { values: ['a', '7', 'true'], wrap: (matcher) => ({ claim: { path: ['team'], ...matcher } }) },
  { values: ['admin', 'viewer'], wrap: (matcher) => ({ claim: { path: ['realm', 'roles'], ...matcher } }) },
  { values: ['pwd', 'hwk'], wrap: (authenticationMethod) => ({ authenticationMethod }) },
];

const spki = 'RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=';
const others: readonly object[] = [
  { accept: true },
  { reject: true },
  { authenticatedUser: true },
  { corsPreflight: true },
  { invalidClientCertificate: true },
  { clientCertificate: { fingerprint: ['ab'.repeat(32), 'cd'.repeat(32)] } },
  { clientCertificate: { spkiHash: [spki] } },
  { authenticatedWithin: '5m' },
  { authenticatedWithin: '1h30m' },
  { sessionAge: { under: '2h' } },
  { sessionAge: { over: '2h' } },
  { sourceIp: { is: '10.0.0.0/8' } },
  { sourceIp: { in: ['192.0.2.1', '2001:db8::/32'] } },
  { timeOfDay: { after: '08:00', before: '18:00' } },
  { timeOfDay: { after: '20:00', before: '06:00', timezone: 'America/New_York' } },
  { timeOfDay: { before: '08:00', timezone: 'Europe/Berlin' } },
  { dayOfWeek: { in: ['Saturday', 'Sunday'] } },
  { dayOfWeek: { in: ['Friday'], timezone: 'Asia/Tokyo' } },
  { date: { after: '2026-01-02' } },
  { date: { after: '2026-01-01T12:30:00', before: '2026-01-03T20:00:00+01:00', timezone: 'Europe/Berlin' } },
  { cel: 'request.path.startsWith("/api") && request.method == "POST"' },
  { cel: 'user.groups.exists(group, group == "eng")' },
  { cel: 'user.claims.level >= 3' },
  { cel: 'now - session.authenticatedAt < duration("10m")' },
  { cel: 'user.email in data.oncall' },
  { cel: 'user.email in data.stale' },
  { cel: '"x" in data.unread' },
];

function criteriaOfTexts({ values, parts, pattern, wrap }: Subject): readonly object[] {
  return [
    { is: pick(values) },
    { not: pick(values) },
    { in: some(values, 2) },
    { notIn: some(values, 2) },
    { startsWith: pick(parts) },
    { endsWith: pick(parts) },
    { contains: pick(parts) },
    { matches: pattern },
    { inDataSet: pick(['oncall', 'oncall', 'stale', 'unread']) },
    { notInDataSet: pick(['oncall', 'oncall', 'stale', 'unread']) },
  ].map(wrap);
}

function criteriaOfLists({ values, wrap }: Pick<Subject, 'values' | 'wrap'>): readonly object[] {
  const matchers = [{ has: pick(values) }, { is: pick(values) }, { exclude: pick(values) }];
  return [...matchers, { hasAnyInDataSet: 'oncall' }, { hasNoneInDataSet: pick(['oncall', 'stale']) }].map(wrap);
}

const every: readonly Criterion[] = [
  ...texts.flatMap(criteriaOfTexts),
  ...lists.flatMap(criteriaOfLists),
  ...others,
].map((one) => criterionSchema.parse(one));

// ── What they are put into. ──

type Input = Parameters<typeof rowSchema.parse>[0];
const open = { or: [{ accept: true }] };
/** One that lets in and one that keeps out, each by itself: by turns plain and inverted, and what has no matcher both. */
const criteria: readonly Input[] = every.flatMap((one, index) => {
  const plain = [{ allow: { or: [one] } }, { allow: open, deny: { and: [one] } }];
  const inverted = [{ allow: { not: [one] } }, { allow: open, deny: { nor: [one] } }];
  const isOther = index >= every.length - others.length;
  const drawn = index % 2 === 0 ? [plain[0], inverted[1]] : [inverted[0], plain[1]];
  return (isOther ? [...plain, ...inverted] : drawn).map((rule) => ({ policies: [{ rules: [rule] }] }));
});

const names = ['and', 'or', 'not', 'nor'] as const satisfies (keyof Operators)[];
const operatorsOf = (max: number): object =>
  Object.fromEntries([...new Set(some(names, max))].map((name) => [name, some(every, 3)]));
const ruleOf = (audited: boolean): object => {
  const kind = pick(['allow', 'allow', 'both', 'deny']);
  return {
    ...(audited && { mode: 'Audit' }),
    ...(kind !== 'deny' && { allow: operatorsOf(2) }),
    ...(kind !== 'allow' && { deny: operatorsOf(1) }),
  };
};
const policyOf = (): object => ({
  ...(draw() < 0.2 && { mode: 'Audit' }),
  attachment: pick(['Own', 'Own', 'Default', 'Mandatory']),
  rules: Array.from({ length: 1 + Math.floor(draw() * 2) }, () => ruleOf(draw() < 0.2)),
  ...(draw() < 0.05 && { broken: 'it is broken' }),
});

const operators: readonly Input[] = Array.from({ length: 48 }, () => ({
  policies: [{ rules: [ruleOf(false)] }],
}));
const combinations: readonly Input[] = [
  { policies: [] },
  { policies: [], defaultAccess: 'Authenticated' },
  ...Array.from({ length: 56 }, () => ({
    policies: Array.from({ length: 1 + Math.floor(draw() * 3) }, policyOf),
    defaultAccess: pick(['Deny', 'Authenticated']),
  })),
];

/** As it was drawn: the defaults of the schema would only make it longer. */
function lineOf(input: Input): string {
  const row: Row = rowSchema.parse({ ...Object(input), verdicts: {} });
  const verdicts = Object.fromEntries(scenes.map((scene) => [scene.name, verdictIn(row, scene)]));
  return JSON.stringify({ ...Object(input), verdicts });
}

for (const [file, inputs] of Object.entries({ criteria, operators, combinations })) {
  writeFileSync(join(folder, `${file}.jsonl`), `${inputs.map(lineOf).join('\n')}\n`);
}
