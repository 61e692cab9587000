// `sallyport report`, as a person runs it: on a log with other lines and torn ones, by what is in Audit, and in bounded memory.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { blocksOf } from '../docs/pages.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-report-'));
after(() => rmSync(folder, { recursive: true }));

function report(args: readonly string[], input = '') {
  return spawnSync(join(root, 'bin/sallyport'), ['report', ...args], { encoding: 'utf8', cwd: root, input });
}

interface Line {
  readonly [field: string]: unknown;
  readonly minute?: number;
}

/** As the proxy writes it; `minute` of an hour of 2026-11-26. */
function line({ minute = 0, ...fields }: Line): string {
  const time = `2026-11-26T12:${String(minute).padStart(2, '0')}:00.000Z`;
  const route = 'monitoring/grafana grafana.example.com/';
  const request = { id: `request-${minute}`, route, ingress: 'monitoring/grafana', host: 'grafana.example.com' };
  const rest = { method: 'GET', path: '/', client: '192.0.2.7', verdict: 'Allow', reasons: [], ...fields };
  return JSON.stringify({ level: 'info', time, ...request, ...rest, msg: 'decision' });
}

const person = (email: string) => ({ provider: 'okta', session: 'abcdefgh', user: `u-${email}`, email, groups: [] });
const trial = (verdict: string, reasons: readonly string[], rule?: string) => ({
  trial: { verdict, policy: 'Policy monitoring/trial', ...(rule !== undefined && { rule }), reasons },
});
const groups = ['groups-unauthorized'];

const log = [
  line({ minute: 1, ...person('ana@example.com'), ...trial('Allow', ['groups-ok']) }),
  line({ minute: 2, ...person('eve@example.org'), ...trial('Deny', groups) }),
  line({ minute: 3, ...person('bob@example.org'), ...trial('Deny', groups) }),
  line({ minute: 4, ...person('eve@example.org'), ...trial('Deny', groups) }),
  line({ minute: 5, ...trial('Login', ['user-unauthenticated']) }),
  line({
    minute: 6,
    ...person('eve@example.org'),
    verdict: 'Deny',
    policy: 'Policy monitoring/staff',
    rule: 'staff',
    reasons: ['domain-unauthorized'],
  }),
  line({ minute: 7, verdict: 'Login', reasons: ['user-unauthenticated'] }),
  line({ minute: 8, verdict: 'Deny', fault: 'there is no Policy gone' }),
  line({ minute: 9, ...person('new@example.com'), verdict: 'Deny', ...trial('Allow', ['domain-ok'], 'the domain') }),
];
const noise = [
  '{"level":"info","time":"2026-11-26T12:00:00.000Z","id":"x","path":"/\\"msg\\":\\"decision\\"","msg":"request"}',
  'not JSON at all {',
  '{"level":"info","time":"2026-11-26T12:0',
  '12:00:00.000Z","id":"torn","msg":"decision"}',
  '',
];

test('who would have been refused by what is in Audit, who would have been let in, and who was refused in fact', () => {
  const { status, stdout, stderr } = report(['-'], [...noise, ...log].join('\n'));
  assert.equal(stderr, '');
  assert.equal(status, 0);
  assert.equal(
    stdout,
    `9 decisions, from 2026-11-26T12:01:00.000Z to 2026-11-26T12:09:00.000Z
2 lines could not be read: torn, or of another version

Would have been refused, were what is in Audit enforced:
  monitoring/grafana grafana.example.com/
    Policy monitoring/trial: the person's groups do not match
    3 requests by 2 people (eve@example.org, bob@example.org)
    from 2026-11-26T12:02:00.000Z to 2026-11-26T12:04:00.000Z; for instance request request-2
  monitoring/grafana grafana.example.com/ (asked to sign in)
    Policy monitoring/trial: nobody is signed in
    1 request without a sign-in
    at 2026-11-26T12:05:00.000Z; for instance request request-5

Would have been let in, were what is in Audit enforced:
  monitoring/grafana grafana.example.com/
    Policy monitoring/trial, rule “the domain”: the e-mail address's domain matches
    1 request by 1 person (new@example.com)
    at 2026-11-26T12:09:00.000Z; for instance request request-9

Was refused:
  monitoring/grafana grafana.example.com/
    Policy monitoring/staff, rule “staff”: the e-mail address's domain does not match
    1 request by 1 person (eve@example.org)
    at 2026-11-26T12:06:00.000Z; for instance request request-6
  monitoring/grafana grafana.example.com/
    the route is at fault: there is no Policy gone
    1 request without a sign-in
    at 2026-11-26T12:08:00.000Z; for instance request request-8
  monitoring/grafana grafana.example.com/
    nothing grants access
    1 request by 1 person (new@example.com)
    at 2026-11-26T12:09:00.000Z; for instance request request-9

Asked to sign in: 1 request

Enforcing what is in Audit would have refused 4 requests that were let through: 2 people and 1 request without a sign-in.
`,
  );
});

test('-o json says the same to a program, of a file as of stdin', () => {
  const file = join(folder, 'log.jsonl');
  writeFileSync(file, log.join('\n'));
  const { stdout } = report([file, '-o', 'json']);
  const made = JSON.parse(stdout) as Record<string, Record<string, unknown>[]> & { log: Record<string, unknown> };
  assert.deepEqual(made.log, {
    decisions: 9,
    unreadable: 0,
    holdsAllowed: true,
    first: '2026-11-26T12:01:00.000Z',
    last: '2026-11-26T12:09:00.000Z',
  });
  assert.deepEqual(made['wouldRefuse']?.[0], {
    route: 'monitoring/grafana grafana.example.com/',
    verdict: 'Deny',
    policy: 'Policy monitoring/trial',
    requests: 3,
    people: ['eve@example.org', 'bob@example.org'],
    hasMorePeople: false,
    anonymous: 0,
    first: '2026-11-26T12:02:00.000Z',
    last: '2026-11-26T12:04:00.000Z',
    example: 'request-2',
    reasons: groups,
  });
  assert.equal(made['refused']?.length, 3);
  assert.equal(report(['-o', 'json'], log.join('\n')).stdout, stdout);
});

test('--since leaves out what is older, by a moment or by a duration', () => {
  const decisions = (since: string, input = log.join('\n')) =>
    (JSON.parse(report(['--since', since, '-o', 'json'], input).stdout) as { log: { decisions: number } }).log
      .decisions;
  assert.equal(decisions('2026-11-26T12:04:00Z'), 6);
  assert.equal(decisions('2026-11-26T14:04:00+02:00'), 6);
  const fresh = log.map((text, at) => {
    const time = new Date(Date.now() - at * 3_600_000 - 60_000).toISOString();
    return JSON.stringify({ ...(JSON.parse(text) as object), time });
  });
  assert.equal(decisions('150m', fresh.join('\n')), 3);
  assert.equal(decisions('7d', fresh.join('\n')), 9);
});

test('it ends with what can be said, and says what a log of refusals cannot tell', () => {
  const last = (...lines: readonly string[]) => report([], lines.join('\n')).stdout.trimEnd().split('\n').slice(-2);
  const agreed = line({ ...person('ana@example.com'), ...trial('Allow', []) });
  const nobody = 'Enforcing what is in Audit would have refused nobody who was let through.';
  assert.deepEqual(last(agreed), ['', nobody]);
  assert.deepEqual(last(line({})), ['', 'Nothing was in Audit where these decisions were made.']);
  assert.deepEqual(last(line({ verdict: 'Deny' })), [
    'The log holds no plain yes, as --decision-log denied leaves them out: how many were let in is not known.',
    nobody,
  ]);
  assert.deepEqual(last(), ['', 'The log holds no decision of this time, so nothing can be said.']);
});

test('a line may stand behind what a collector of logs put there, and no name in it moves the cursor', () => {
  const odd = line({ ...person('eve\u001B[2J\n@example.org'), verdict: 'Deny' });
  const { stdout } = report([], `2026-11-26T12:00:00.000000000Z stdout F ${odd}\n`);
  assert.match(stdout, /1 request by 1 person \(eve\u{FFFD}\[2J\u{FFFD}@example\.org\)/u);
});

test('a log of many people and of a line without end is read in bounded memory', async () => {
  const file = join(folder, 'long.jsonl');
  const out = createWriteStream(file);
  const megabyte = 'x'.repeat(1024 * 1024);
  const write = async (text: string) => out.write(text) || (await once(out, 'drain'));
  for (let at = 0; at < 20_000; at += 1) {
    await write(`${line({ minute: at % 60, ...person(`person-${at}@example.com`), ...trial('Deny', groups) })}\n`);
  }
  for (let at = 0; at < 300; at += 1) await write(megabyte);
  await write(`\n${line({ minute: 1, verdict: 'Deny' })}\n`);
  out.end();
  await once(out, 'finish');
  const { stdout, status } = spawnSync(
    join(root, 'bin/node'),
    ['--max-old-space-size=64', join(root, 'src/cli/main.ts'), 'report', file],
    { encoding: 'utf8', cwd: root },
  );
  assert.equal(status, 0);
  assert.match(stdout, /^20001 decisions/);
  assert.match(stdout, /1 line could not be read/);
  assert.match(stdout, /20000 requests by at least 1000 people \(person-0@example\.com, .*, and at least 995 more\)/);
});

test('what the page shows is what is printed of the line that it shows', () => {
  const page = blocksOf('docs/decision-log.md');
  const line = page.find(({ language }) => language === 'json');
  const shown = page.find(({ text }) => text.startsWith('$ sallyport report'));
  const { stdout } = report([], JSON.stringify(JSON.parse(line?.text ?? '')));
  assert.equal(stdout, shown?.text.split('\n').slice(1).join('\n'));
});

test('wrong usage is one line and exit code 2', () => {
  for (const [args, message] of [
    [['a', 'b'], /one file is wanted/],
    [[join(folder, 'absent')], /absent/],
    [['--since', 'yesterday'], /--since: "yesterday" is neither a duration such as 24h/],
    [['-o', 'xml'], /-o is text or json/],
    [['--nonsense'], /nonsense/],
  ] as const) {
    const { status, stdout, stderr } = report(args);
    assert.equal(status, 2, args.join(' '));
    assert.match(stderr, /^sallyport: .+\n$/);
    assert.match(stderr, message);
    assert.equal(stdout, '');
  }
});
