// Patterns and expressions made to cost much, for the tests that count and the benchmark that measures.

/** With what their texts are made of. */
export const hostilePatterns: readonly (readonly [pattern: string, alphabet: string])[] = [
  ['(a+)+', 'a'],
  ['(a+)+b', 'a'],
  ['(a|a)*b', 'a'],
  ['(a|aa|aaa|aaaa)*b', 'a'],
  ['(x+x+)+y', 'x'],
  ['((((a*)*)*)*)*b', 'a'],
  ['(.*)*(.*)*(.*)*b', 'a'],
  ['(a|b)*a(a|b){12}', 'aabab'],
  ['[ab]*a[ab]{20}', 'aabab'],
  ['[ab]*a[ab]{100}', 'aabab'],
  ['[ab]*a[ab]{400}', 'aabab'],
  ['[ab]*a[ab]{900}', 'aabab'],
  ['(a?){100}a{100}', 'a'],
  ['(a?){300}a{300}', 'a'],
  ['(a{30}){30}', 'a'],
  ['(a{1000}){1000}', 'a'],
  ['a{1000}'.repeat(140), 'a'],
  ['((a{1,10}){1,10}){1,10}', 'a'],
  ['(((a{10}){10}){10}){10}', 'a'],
  ['.*a'.repeat(100), 'ab'],
  [`${'(a*)'.repeat(200)}b`, 'a'],
  [Array.from({ length: 100 }, (_, index) => `w${index}.*`).join('|'), 'w9'],
  [`(?i)${'[a-z]?'.repeat(169)}`, 'aBc'],
  [`(?i)[a-z]{1000}`, 'aBc'],
  ['(?i)[\\x{42}-\\x{1E942}]{100}', 'aé'],
  ['\\pL{500}', 'aé'],
  ['\\pL{56}', 'aé'],
  ['[^\\pL]{1000}', '1'],
  [`[${'\\pL\\pN'.repeat(80)}]*`, 'aé'],
  ['(\\b|a|b)*c', 'ab'],
  [`${'('.repeat(340)}a${')*'.repeat(340)}`, 'a'],
  ['('.repeat(1024), 'a'],
  [`\\Q${'('.repeat(1000)}`, '('],
  [`[${'a-bA-B'.repeat(160)}]{16}`, 'aB'],
];

const groups = Array.from({ length: 10_000 }, (_, index) => `group-${index}`);
/** Deeper than a stack: JSON of 20 KB can be. */
function nest(): Readonly<Record<string, unknown>> {
  let inner = {};
  for (let depth = 0; depth < 10_000; depth += 1) inner = { next: inner };
  return inner;
}

/** The largest that anybody is: 10,000 groups, large and deep claims, headers and a query to the brim. */
export const largest = {
  request: {
    method: 'GET',
    path: `/${'a'.repeat(8000)}`,
    host: 'app.example.com',
    ip: '192.0.2.1',
    headers: new Map(Array.from({ length: 100 }, (_, index) => [`x-${index}`, 'a'.repeat(160)] as const)),
    query: new Map(Array.from({ length: 1000 }, (_, index) => [`q${index}`, ['a', 'b']] as const)),
  },
  user: {
    user: 'u1',
    email: 'ana@example.com',
    name: 'Ana',
    groups,
    claims: {
      roles: groups,
      nested: nest(),
      other: nest(),
      texts: Array.from({ length: 100 }, () => 'a'.repeat(10_000)),
      object: Object.fromEntries(groups.map((group) => [group, 1])),
    },
  },
  session: { authenticatedAt: 1_764_000_000_000, startedAt: 1_764_000_000_000, provider: 'okta', amr: ['pwd', 'otp'] },
  now: 1_764_260_712_000,
  data: { people: groups, teams: Object.fromEntries(groups.map((group) => [group, groups.slice(0, 5)])) },
};

/** Doubles a string, level by level. */
const doubled = (levels: number): string =>
  levels === 0 ? '["aaaaaaaa"]' : `${doubled(levels - 1)}.map(x, x + x + x + x + x + x + x + x)`;

export const hostileExpressions: readonly string[] = [
  'user.groups.all(x, user.groups.all(y, x != y || true))',
  'user.groups.exists(x, user.groups.exists(y, x + y == "no"))',
  'user.groups.all(x, user.groups.all(y, user.groups.all(z, true)))',
  'user.groups.map(x, user.groups.map(y, y)).size() > 0',
  'user.groups.map(x, user.groups).size() > 0',
  'user.groups.map(x, [x, x, x, x, x, x, x, x]).size() > 0',
  'user.groups.filter(x, true).filter(x, true).filter(x, true).filter(x, true).filter(x, true).size() > 0',
  'user.groups.all(x, (user.groups + user.groups).size() > 0)',
  'user.groups.all(x, user.groups == user.claims.roles)',
  'user.groups.all(x, "no" in user.groups || true)',
  'user.groups.all(x, user.claims.nothing == 1)',
  'user.groups.all(x, user.claims.nothing == 1 || true)',
  'user.groups.all(x, dyn(x) < 1 || true)',
  'user.groups.all(x, now.getHours("Europe/Berlin") > 24 || true)',
  'user.groups.all(x, string(now) != x)',
  'user.groups.all(x, (now + duration("1h")) > now)',
  'user.groups.all(x, x.matches("(a|b)*a(a|b){12}") || true)',
  'request.path.matches("[ab]*a[ab]{400}")',
  'request.path.matches("(a+)+b")',
  'request.headers.all(h, request.headers[h].matches("(a+)+b") || true)',
  'request.query.all(q, request.query.all(r, q != r || true))',
  'user.claims.texts.all(x, x.contains(x + "b") || true)',
  'user.claims.texts.all(x, user.claims.texts.all(y, x + "a" == y + "a"))',
  'user.claims.texts.all(x, (x + "b") in user.claims.texts || true)',
  'user.claims.texts.map(x, x + x + x + x + x + x).size() > 0',
  'user.claims.texts.map(x, x.split("")).size() > 0',
  'user.claims.texts.all(x, x.lowerAscii().upperAscii().size() > 0)',
  'user.claims.nested == user.claims.other',
  'user.claims.object == user.claims.object.map(x, x)',
  'user.groups.all(x, user.claims.object.size() > 0)',
  'user.groups.all(x, data.teams == data.teams && data.teams.size() > 0)',
  'data.teams.all(t, data.teams[t].all(x, x in data.people))',
  `${doubled(6)}.size() > 0`,
  `${doubled(20)}.size() > 0`,
  `${'('.repeat(500)}true${')'.repeat(500)}`,
  '['.repeat(1000),
  `${'!'.repeat(1000)}true`,
  `user.claims${'.a'.repeat(400)} == 1`,
  `1${' + 1'.repeat(250)} == 1`,
  `${'true ? true : '.repeat(70)}true`,
  `"a" in [${'"",'.repeat(300)}"a"]`,
  `true${' '.repeat(1000)}`,
  `"${'a'.repeat(100_000)}" == "b"`,
  `${'9'.repeat(1000)} == 1`,
  'user.groups.all(x, int("1234567890123456789") / 3 > 1 && double("1.5e300") > 1.0)',
];
