// CEL: what expressions come to, what is refused before it runs, and that none spends more than its budget.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { celList, isCelError, run as runLibrary } from '@bufbuild/cel';
import type { CelInput } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import * as fc from 'fast-check';
import { compileCel, maxSteps } from '../../src/policy/cel.ts';
import type { CelBindings, CelExpression } from '../../src/policy/cel.ts';
import { hostileExpressions, largest } from './hostile.ts';

const bindings: CelBindings = {
  request: {
    method: 'GET',
    path: '/admin/users',
    host: 'app.example.com',
    ip: '192.0.2.7',
    headers: new Map([
      ['x-team', 'ops, dev'],
      ['accept', 'text/html'],
    ]),
    query: new Map([
      ['team', ['ops', 'dev']],
      ['empty', ['']],
    ]),
  },
  user: {
    user: 'u1',
    email: 'ana@example.com',
    groups: ['ops', 'eng', 'oncall-berlin'],
    claims: { level: 3, admin: true, nothing: null, team: { roles: ['lead', 'dev'] }, mixed: [1, 'a', null] },
  },
  session: {
    authenticatedAt: Date.parse('2026-03-29T00:30:00Z'),
    startedAt: Date.parse('2026-03-28T00:30:00Z'),
    provider: 'okta',
    amr: ['pwd', 'otp'],
  },
  now: Date.parse('2026-03-29T01:30:00.250Z'),
  data: { people: ['ana@example.com'], teams: { ops: ['u1'], 'on-call': ['u2'] } },
};
const names = ['people', 'teams', 'gone'];

function compiled(expression: string): CelExpression {
  const result = compileCel(expression, names);
  assert.ok(!('mistake' in result), `${expression}: ${'mistake' in result ? result.mistake : ''}`);
  return result;
}

function result(expression: string): boolean | 'failed' {
  const answer = compiled(expression).run(bindings);
  return typeof answer === 'boolean' ? answer : 'failed';
}

const timestampOf = (milliseconds: number): CelInput => {
  const value = runLibrary(`timestamp("${new Date(milliseconds).toISOString()}")`);
  assert.ok(!isCelError(value));
  return value;
};

const { user, session } = bindings;
assert.ok(user && session);
const libraryBindings: Record<string, CelInput> = {
  request: new Map<string, CelInput>([
    ...Object.entries(bindings.request).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
    ['headers', bindings.request.headers],
    ['query', bindings.request.query],
  ]),
  user: { user: user.user, email: user.email ?? '', groups: celList(user.groups), claims: user.claims as CelInput },
  session: {
    authenticatedAt: timestampOf(session.authenticatedAt),
    startedAt: timestampOf(session.startedAt),
    provider: session.provider,
    amr: celList(session.amr ?? []),
  },
  now: timestampOf(bindings.now),
  data: bindings.data as CelInput,
};

function resultByLibrary(expression: string): boolean | 'failed' {
  const value = runLibrary(expression, libraryBindings, { funcs: strings });
  return typeof value === 'boolean' ? value : 'failed';
}

const good: readonly (readonly [expression: string, expected: boolean | 'failed'])[] = [
  // The request.
  ['request.path.startsWith("/admin") && "ops" in user.groups', true],
  ['request.method == "GET"', true],
  ['request.method in ["POST", "DELETE"]', false],
  ['request.host.endsWith(".example.com")', true],
  ['request.path.contains("/users")', true],
  ['request.ip == "192.0.2.7"', true],
  ['request.headers["x-team"] == "ops, dev"', true],
  ['request.headers.accept == "text/html"', true],
  ['"x-team" in request.headers', true],
  ['has(request.headers.cookie)', false],
  ['request.headers.cookie == ""', 'failed'],
  ['request.query.team == ["ops", "dev"]', true],
  ['request.query.team[1] == "dev"', true],
  ['"debug" in request.query', false],
  ['request.query.all(name, request.query[name].size() > 0)', true],
  ['request.path.matches("^/admin(/|$)")', true],
  ['request.path.matches("dmin")', true],
  ['request.path.matches("^dmin")', false],
  ['request.path.split("/")[1] == "admin"', true],
  ['request.method.lowerAscii() == "get" && "é".upperAscii() == "é"', true],
  ['size(request.path) == 12 && "\\U0001F600é".size() == 2', true],
  // Who it is.
  ['user.email == "ana@example.com"', true],
  ['has(user.email) && !has(user.name)', true],
  ['user.name == "Ana"', 'failed'],
  ['user.groups.exists(g, g.startsWith("oncall-"))', true],
  ['user.groups.all(g, g != "interns")', true],
  ['user.groups.exists_one(g, g.contains("o"))', false],
  ['user.groups.filter(g, g.contains("e")).size() == 2', true],
  ['user.groups.map(g, g + "@x")[0] == "ops@x"', true],
  ['user.groups.map(g, g != "ops", g.size()) == [3, 13]', true],
  ['user.claims.level >= 3', true],
  ['user.claims.level == 3 && 3.0 == user.claims.level', true],
  ['user.claims.level + 1.0 == 4.0', true],
  ['user.claims.level + 1 == 4', 'failed'],
  ['user.claims.admin', true],
  ['user.claims.level', 'failed'],
  ['user.claims.admin == true ? user.claims.level > 1 : false', true],
  ['user.claims.nothing == null', true],
  ['"lead" in user.claims.team.roles', true],
  ['has(user.claims.team.roles) && !has(user.claims.team.nobody)', true],
  ['user.claims["team"]["roles"][1] == "dev"', true],
  ['has(user.claims.constructor) || has(user.claims.__proto__)', false],
  ['"toString" in user.claims', false],
  ['user.claims.team.nobody == "x"', 'failed'],
  ['user.claims.level.startsWith("3")', 'failed'],
  ['user.claims.mixed.exists(m, m == "a")', true],
  ['user.claims.mixed.exists(m, m < 0)', 'failed'],
  ['user.claims.mixed.exists(m, m > 0)', true],
  ['user.claims.mixed[2] == null', true],
  ['user.claims.mixed[3] == 1', 'failed'],
  ['user.claims.mixed[-1] == 1', 'failed'],
  // Failing, and passing over what failed.
  ['user.claims.gone == 1 || true', true],
  ['true || user.claims.gone == 1', true],
  ['user.claims.gone == 1 || false', 'failed'],
  ['user.claims.gone == 1 && false', false],
  ['user.claims.gone == 1 && true', 'failed'],
  ['user.claims.level || true', true],
  ['user.claims.level && true', 'failed'],
  ['[1, 0, 2].all(x, 4 / x > 2)', false],
  ['[1, 0].all(x, 4 / x > 2)', 'failed'],
  ['[0, 1].exists(x, 4 / x > 2)', true],
  ['[0, 1].exists_one(x, 4 / x > 2)', 'failed'],
  ['[1, 0].map(x, 4 / x).size() == 2', 'failed'],
  ['9223372036854775807 + user.groups.size() > 0', 'failed'],
  ['user.groups.size() % 2 == 1 && -user.groups.size() / 2 == -1', true],
  ['double(user.groups.size()) / 0.0 > 1.0', true],
  ['int("x" + user.user) > 1', 'failed'],
  // Times.
  ['now - session.authenticatedAt < duration("1h1s")', true],
  ['now - session.authenticatedAt <= duration("1h")', false],
  ['now == timestamp("2026-03-29T03:30:00.25+02:00")', true],
  ['now > timestamp("2026-03-29T00:00:00Z") + duration("1.5h")', true],
  ['(now - session.startedAt).getHours() == 25', true],
  ['now.getFullYear() == 2026 && now.getMonth() == 2 && now.getDate() == 29 && now.getDayOfMonth() == 28', true],
  ['now.getDayOfWeek() == 0 && now.getDayOfYear() == 87 && now.getMilliseconds() == 250', true],
  ['now.getHours("Europe/Berlin") == 3 && session.authenticatedAt.getHours("Europe/Berlin") == 1', true],
  ['now.getHours("-02:30") == 23 && now.getMinutes("-02:30") == 0 && now.getDate("-02:30") == 28', true],
  ['string(now) == "2026-03-29T01:30:00.250Z" && string(duration("90s")) == "90s"', true],
  ['int(now) == 1774747800', true],
  ['session.provider == "okta" && "otp" in session.amr && !has(session.acr)', true],
  ['session.acr == "gold"', 'failed'],
  // Data sets.
  ['user.email in data.people', true],
  ['user.user in data.teams.ops', true],
  ['data["teams"]["on-call"] == ["u2"]', true],
  ['has(data.teams.ops) && !has(data.teams.dev)', true],
  ['data.gone == []', 'failed'],
  // Literals.
  ['{"a": 1, "b": 2}["b"] == 2 && {1: "x"}[1.0] == "x" && {true: 1}[true] == 1', true],
  ['{"a": 1}.exists(k, k == "a") && 1 in {1: 2}', true],
  ['{user.user: 1, "u1": 2}.size() == 2', 'failed'],
  ['[1, 2] + [3] == [1, 2, 3] && [1] != [1.5] && {"a": [1]} == {"a": [1.0]}', true],
  ['1 < 2.5 && 2.0 == 2 && "a" < "b" && false < true && 0x10 == 16 && -5 / 2 == -2 && -5 % 2 == -1', true],
  ['[1, "a", null].exists(x, x == "a") && null == null', true],
  ['string(1) + string(1.5) + string(true) == "11.5true" && bool("true") && double("1.5") == 1.5', true],
  ['r"\\d" == "\\\\d" && """a"b""" == "a\\"b"', true],
];

const mistakes: readonly (readonly [expression: string, expected: string])[] = [
  ['usr.email == "a"', '0: there is no variable usr; did you mean user?'],
  ['request.pth == "a"', '7: request has no pth; did you mean path?'],
  ['user == "a"', '0: user is used by what is in it: user.user, user.email, user.name, user.groups, user.claims'],
  ['data.poeple == []', '4: there is no data set poeple; did you mean people?'],
  ['data[user.email] == []', '4: the name of a data set must be written out'],
  ['has(data.people)', '0: a data set is there, or the expression fails'],
  ['now.hour == 1', '3: timestamp has no fields'],
  ['request.path', '0: it gives string, and must give bool'],
  ['user.groups.size()', '0: it gives int, and must give bool'],
  ['user.groups', '0: it gives list, and must give bool'],
  ['request.query.team == "ops"', '19: list is never equal to string'],
  ['user.email in user.email', '11: in does not take string and string'],
  ['1 in user.groups', '1: int is never in list'],
  ['1 in request.headers', '1: int is never in map'],
  ['request.headers["X-Team"] == "a"', '15: headers are named in lower case: x-team'],
  ['request.headers.Accept == "a"', '15: headers are named in lower case: accept'],
  ['request.path.startWith("/")', '12: there is no method startWith; did you mean startsWith?'],
  ['request.path.startsWith()', '12: startsWith takes one argument'],
  ['request.path.startsWith(1)', '12: startsWith does not take string and int'],
  ['startsWith(request.path, "/")', '0: there is no function startsWith'],
  ['lowercase("A") == "a"', '0: there is no function lowercase'],
  ['request.path + 1 == "a"', '13: + does not take string and int'],
  ['!request.path', '0: ! does not take string'],
  ['request.path && true', '0: string stands where bool is needed'],
  ['request.path ? true : false', '0: string stands where bool is needed'],
  ['user.email.all(c, true)', '10: a macro is called on a list or a map, not on string'],
  ['user.groups.all(g, g)', '19: a condition must be bool, not string'],
  ['user.groups.all(g)', '16: there is no variable g'],
  ['user.groups.exists(user, true)', '11: the variable of a macro cannot be named user, for that is taken'],
  ['user.groups.all(x, user.groups.all(y, user.groups.all(z, true)))', '49: more than 2 macros within each other'],
  ['user.groups["a"] == "b"', '11: list has nothing at a string'],
  ['user.email[0] == "a"', '10: string has nothing at an index'],
  ['user.email.domain == "a"', '10: string has no fields'],
  ['request.path.matches(user.email)', '12: the pattern of matches must be written out as a string'],
  ['request.path.matches("(a")', '12: the pattern of matches: missing closing ): `(a`'],
  [
    'request.path.matches("(a{1000}){1000}")',
    '12: the pattern of matches: it is too large: with its repetitions written out it has more than 1024 steps',
  ],
  ['timestamp("tomorrow") < now', '0: a timestamp is written like 2026-01-31T09:00:00Z'],
  ['timestamp("2026-02-30T00:00:00Z") < now', '0: a timestamp is written like 2026-01-31T09:00:00Z'],
  ['duration("1 day") > duration("1h")', '0: a duration is written like 1h30m or 90s'],
  ['now.getHours("Europe/Berlim") > 1', '3: the time zone of getHours must be written out, like "Europe/Berlin"'],
  ['now.getHours(user.email) > 1', '3: the time zone of getHours must be written out, like "Europe/Berlin"'],
  ['1 / 0 == 1', '1: a division by zero'],
  ['9223372036854775808 == 1', '0: an int of more than 64 bits'],
  ['1u == 1u', '0: bytes and unsigned numbers are not used here'],
  ['b"a" == b"a"', '0: bytes and unsigned numbers are not used here'],
  ['type(1) == int', '0: there is no function type'],
  ['google.protobuf.Timestamp{seconds: 1} == now', '0: there are no messages here, only maps'],
  ['{1.5: 1}.size() == 1', '0: the key of a map is a string, an int or a bool, not double'],
  ['1 +', '2: it is no CEL: found +'],
  ['"a', '0: it is no CEL: found "'],
  ['a.b.c(', '3: it is no CEL: found .'],
  ['user.email == "a" // why', '18: it is no CEL: found /'],
  ['', '0: it is no CEL: found end of input'],
  [`true${' '.repeat(1021)}`, ': it is longer than 1024 characters'],
  ['['.repeat(40), ': it has more than 32 brackets within each other'],
  [`1${' + 1'.repeat(40)} == 1`, '33: it is nested more than 32 deep'],
  [Array.from({ length: 170 }, () => '1==1').join('||'), ': it has more than 500 parts'],
];

/** Expressions of every type from every other, most of them sound. */
type Part = 'bool' | 'int' | 'text' | 'ints' | 'texts' | 'dyn';
const { bool: anyExpression } = fc.letrec<Record<Part, string>>((tie) => ({
  bool: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('true', 'false', 'user.claims.admin', 'has(user.claims.gone)', 'user.claims.gone'),
    fc
      .tuple(tie('bool'), fc.constantFrom('&&', '||', '==', '!='), tie('bool'))
      .map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie('bool').map((a) => `!${a}`),
    fc
      .tuple(tie('int'), fc.constantFrom('<', '<=', '>', '>=', '==', '!='), tie('int'))
      .map(([a, op, b]) => `(${a} ${op} ${b})`),
    fc.tuple(tie('text'), fc.constantFrom('<', '>=', '==', '!='), tie('text')).map(([a, op, b]) => `(${a} ${op} ${b})`),
    fc
      .tuple(tie('dyn'), fc.constantFrom('<', '>=', '==', '!='), fc.oneof(tie('text'), tie('int'), tie('dyn')))
      .map(([a, op, b]) => `(${a} ${op} ${b})`),
    fc
      .tuple(tie('text'), fc.constantFrom('startsWith', 'endsWith', 'contains'), tie('text'))
      .map(([a, name, b]) => `${a}.${name}(${b})`),
    fc
      .tuple(
        tie('ints'),
        fc.constantFrom('all', 'exists', 'exists_one'),
        fc.constantFrom('x > 1', '4 / x > 1', 'x == dyn("a")', 'x % 2 == 0'),
      )
      .map(([a, name, b]) => `${a}.${name}(x, ${b})`),
    fc
      .tuple(tie('texts'), fc.constantFrom('all', 'exists', 'exists_one'), tie('text'))
      .map(([a, name, b]) => `${a}.${name}(x, x < ${b})`),
    fc.tuple(tie('int'), tie('ints')).map(([a, b]) => `(${a} in ${b})`),
    fc.tuple(tie('text'), tie('texts')).map(([a, b]) => `(${a} in ${b})`),
    fc.tuple(tie('dyn'), tie('dyn')).map(([a, b]) => `(${a} in ${b})`),
    fc.tuple(tie('ints'), tie('ints')).map(([a, b]) => `(${a} == ${b})`),
    fc.tuple(tie('bool'), tie('bool'), tie('bool')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
  ),
  int: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('0', '1', '-2', '3', '9223372036854775807', 'user.groups.size()', 'int(now)'),
    fc.tuple(tie('int'), fc.constantFrom('+', '-', '*', '/', '%'), tie('int')).map(([a, op, b]) => `(${a} ${op} ${b})`),
    fc.oneof(tie('text'), tie('texts'), tie('ints')).map((a) => `size(${a})`),
    fc.tuple(tie('ints'), tie('int')).map(([a, b]) => `${a}[${b}]`),
    tie('text').map((a) => `int(${a})`),
  ),
  text: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(
      '""',
      '"a"',
      '"ops"',
      '"12"',
      'user.email',
      'request.path',
      'request.headers.gone',
      'user.claims.team.roles[0]',
    ),
    fc.tuple(tie('text'), tie('text')).map(([a, b]) => `(${a} + ${b})`),
    fc.oneof(tie('int'), tie('bool')).map((a) => `string(${a})`),
    fc.tuple(tie('texts'), tie('int')).map(([a, b]) => `${a}[${b}]`),
  ),
  ints: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('[]', '[1, 2, 3]', '[0, 1]', 'user.groups.map(g, g.size())'),
    fc.array(tie('int'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc
      .tuple(tie('ints'), fc.constantFrom('map(x, x + 1)', 'filter(x, x > 1)', 'map(x, x > 1, 6 / x)'))
      .map(([a, b]) => `${a}.${b}`),
    fc.tuple(tie('ints'), tie('ints')).map(([a, b]) => `(${a} + ${b})`),
  ),
  texts: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('user.groups', 'user.claims.team.roles', 'request.query.team', '["a", "b"]'),
    fc.tuple(tie('texts'), tie('text')).map(([a, b]) => `${a}.map(x, x + ${b})`),
    fc.tuple(tie('texts'), tie('text')).map(([a, b]) => `${a}.filter(x, x != ${b})`),
  ),
  dyn: fc.constantFrom(
    'user.claims.level',
    'user.claims.mixed',
    'user.claims.mixed[0]',
    'user.claims.team',
    'user.claims.nothing',
    'user.claims.gone',
    'data.teams',
    'dyn("a")',
    'dyn([1, 2])',
    'dyn({"a": [1]})',
  ),
}));

describe('an expression', () => {
  test('comes to what it says', () => {
    for (const [expression, expected] of good) assert.equal(result(expression), expected, expression);
  });

  test('comes to what the library makes of it', () => {
    for (const [expression, expected] of good) assert.equal(resultByLibrary(expression), expected, expression);
  });

  test('comes to what the library makes of it, whatever it is', () => {
    let judged = 0;
    fc.assert(
      fc.property(anyExpression, (expression) => {
        const ours = compileCel(expression, names);
        // What has the wrong types, or fails whatever is asked, we refuse beforehand.
        if ('mistake' in ours) return;
        judged += 1;
        assert.equal(result(expression), resultByLibrary(expression), expression);
      }),
      { numRuns: 400, seed: 7 },
    );
    assert.ok(judged > 200, `${judged} of 400 were judged`);
  });

  test('is refused with what is wrong and where', () => {
    for (const [expression, expected] of mistakes) {
      const answer = compileCel(expression, names);
      assert.ok('mistake' in answer, `${expression} is refused`);
      assert.equal(`${answer.offset ?? ''}: ${answer.mistake}`, expected, expression.slice(0, 100));
    }
  });

  test('takes any data set where none are named', () => {
    const answer = compileCel('"a" in data.whatever');
    assert.ok(!('mistake' in answer));
    assert.deepEqual(answer.dataSets, ['whatever']);
  });

  test('says which facts it reads', () => {
    const cases: [string, string[], boolean, string[]][] = [
      ['request.path == "/" && request.method == "GET"', ['method', 'path'], false, []],
      ['request.host == "a" || request.ip == "b"', ['host', 'ip'], false, []],
      ['has(request.headers.a) || "b" in request.query', ['headers', 'query'], false, []],
      ['true || has(user.email)', ['identity'], true, []],
      [
        'user.groups.exists(g, g in data.teams) || data["people"] == []',
        ['data', 'identity'],
        true,
        ['people', 'teams'],
      ],
      ['session.provider == "okta"', ['session'], true, []],
      ['now > timestamp("2026-01-01T00:00:00Z")', ['time'], false, []],
      ['true', [], false, []],
    ];
    for (const [expression, reads, readsIdentity, dataSets] of cases) {
      const answer = compiled(expression);
      assert.deepEqual([...answer.reads].sort(), reads, expression);
      assert.equal(answer.readsIdentity, readsIdentity, expression);
      assert.deepEqual([...answer.dataSets].sort(), dataSets, expression);
    }
  });

  test('reads nothing that it does not name', () => {
    const forbidden = (): never => assert.fail('it was read');
    const guarded: CelBindings = {
      ...bindings,
      request: Object.defineProperties(
        { ...bindings.request },
        { headers: { get: forbidden }, query: { get: forbidden } },
      ),
    };
    assert.equal(compiled('request.path.startsWith("/admin")').run(guarded), true);
    assert.throws(() => compiled('has(request.headers.a)').run(guarded), /it was read/);
  });

  test('fails without a session where it asks about one', () => {
    const { user: _, session: __, ...anonymous } = bindings;
    for (const expression of ['user.email != "a"', 'session.provider != "a"', '!("a" in user.groups)']) {
      assert.equal(typeof compiled(expression).run(anonymous), 'object', expression);
    }
  });

  test('says why it failed, and never what a person sent', () => {
    const failed = (expression: string): string => {
      const answer = compiled(expression).run(bindings);
      assert.ok(typeof answer === 'object');
      return answer.failed;
    };
    assert.equal(failed('user.name == "a"'), 'there is no name');
    assert.equal(failed('user.claims.a.b == "a"'), 'there is no a');
    assert.equal(failed('data.teams[request.headers.accept] == []'), 'there is no such key');
    assert.equal(failed('user.claims.level'), 'it gives double, and must give bool');
    assert.equal(failed('user.claims.level + 1 > 2'), '+ does not take double and int');
    assert.equal(failed('user.claims.level.matches("3")'), 'matches does not take double');
    assert.equal(failed('request.path.matches("[ab]*a[ab]{900}") || user.claims.gone'), 'there is no gone');
  });
});

describe('the budget', () => {
  test('is kept by the largest person and request that there are', () => {
    const cases: [string, boolean | 'failed'][] = [
      ['request.path.startsWith("/admin") && "ops" in user.groups', false],
      ['user.groups.exists(g, g.startsWith("team-") && g.endsWith("-admin"))', false],
      ['user.groups.filter(g, g.startsWith("group-99")).size() == 111', true],
      ['user.groups.all(g, g in data.teams)', true],
      ['user.email.matches("^[a-z]+@example[.]com$")', true],
      ['request.headers.all(h, !request.headers[h].contains("secret"))', true],
      ['user.groups.all(g, user.groups.all(h, g != h || true))', 'failed'],
    ];
    for (const [expression, expected] of cases) {
      const answer = compiled(expression).run(largest);
      assert.equal(typeof answer === 'boolean' ? answer : 'failed', expected, expression);
    }
  });

  test('is spent by each loop, and what is over it fails even where `||` would pass over it', () => {
    const expression = compiled('user.groups.all(g, user.groups.all(h, g != h || true)) || true');
    const meter = { left: maxSteps };
    assert.deepEqual(expression.run(largest, meter), { failed: 'it costs too much' });
    assert.ok(meter.left < 0);
    assert.equal(expression.run(bindings), true, 'the next run has a budget of its own');
    const spent = (count: number): number => {
      const some = { ...largest, user: { ...largest.user, groups: largest.user.groups.slice(0, count) } };
      const own = { left: maxSteps };
      compiled('user.groups.all(g, g != "")').run(some, own);
      return maxSteps - own.left;
    };
    assert.deepEqual([spent(1), spent(10), spent(10_000)], [4, 40, 40_000], 'three parts and the turn itself');
  });

  test('is never overdrawn by more than one part costs, whoever wrote the expression', () => {
    assert.ok(hostileExpressions.length >= 25);
    let ran = 0;
    for (const expression of hostileExpressions) {
      const answer = compileCel(expression);
      if ('mistake' in answer) continue;
      ran += 1;
      const meter = { left: maxSteps };
      const came = answer.run(largest, meter);
      if (meter.left < 0) assert.deepEqual(came, { failed: 'it costs too much' }, expression);
    }
    assert.ok(ran >= 25, `${ran} were run`);
  });

  test('makes no long strings', () => {
    const doubling = `[request.path]${'.map(x, x + x + x + x)'.repeat(4)}[0].size() > 0`;
    assert.deepEqual(compiled(doubling).run(largest), { failed: 'a string of more than 65536 characters' });
  });

  test('does not follow a claim deeper than the stack', () => {
    const deep = compiled('user.claims.nested == user.claims.other');
    assert.deepEqual(deep.run(largest), { failed: 'a value is nested too deeply' });
  });
});
