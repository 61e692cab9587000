// `sallyport access`, as a person runs it on a folder: what somebody may open, who may open a route, and unused grants.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { access } from '../../src/cli/access.ts';
import type { Unused } from '../../src/cli/unused.ts';
import type { Opening, Reach } from '../../src/review/answer.ts';
import { assertGolden, manifests, printed, sallyport } from './golden.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-access-'));
after(() => rmSync(folder, { recursive: true }));

const of = ['--manifests', manifests];
const texts: Readonly<Record<string, readonly string[]>> = {
  'access of an engineer': ['--person', 'ana@example.com', '--group', 'engineering'],
  'access of whoever is on call': ['--person', 'carl@example.com', '--group', 'on-call'],
  'access of a stranger': ['--person', 'eve@example.org'],
  'access to a host': ['--route', 'grafana.example.com'],
  'access to a path': ['--route', 'grafana.example.com/api/x'],
  'access to a route at fault': ['--route', 'wiki.example.com'],
};

for (const [name, args] of Object.entries(texts)) {
  test(name, async () => assertGolden(name, await printed(access, [...args, ...of])));
}

async function json<T>(...args: string[]): Promise<T> {
  return JSON.parse(await printed(access, [...args, ...of, '-o', 'json'])) as T;
}

test('-o json says the same to a program', async () => {
  const { reach } = await json<{ reach: Reach[] }>('--person', 'carl@example.com', '--group', 'on-call');
  const api = reach.find(({ route }) => route.path === '/api');
  assert.deepEqual([api?.verdict, api?.dependsOn], ['Depends', ['ip', 'time', 'method']]);
  const { openings } = await json<{ openings: Opening[] }>('--route', 'grafana.example.com/api');
  assert.deepEqual(
    openings[0]?.rules.map(({ rule, action, mode, grants }) => [rule, action, mode, grants]),
    [
      ['engineering', 'allow', 'Enforce', true],
      ['on call, from the office', 'allow', 'Enforce', true],
      ['nobody deletes at night', 'deny', 'Enforce', false],
      ['fresh sign-ins only', 'deny', 'Audit', false],
      ['staff', 'deny', 'Enforce', false],
    ],
  );
});

test('a workload may open what a policy names it for, and what is public', async () => {
  const args = ['--service-account', 'ci/deployer', '--manifests', 'test/review/workloads', '-o', 'json'];
  const { reach } = JSON.parse(await printed(access, args)) as { reach: Reach[] };
  assert.deepEqual(
    reach.map(({ route: { host }, verdict, note }) => [host, verdict, note]),
    [
      ['deploy.example.com', 'Allow', undefined],
      ['notes.example.com', 'Allow', 'no policy there speaks of a serviceAccount'],
    ],
  );
});

const route = 'monitoring/grafana grafana.example.com/api';
const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();

function logOf(...lines: { readonly days: number; readonly rule: string; readonly verdict?: string }[]): string {
  const file = join(folder, 'decisions.jsonl');
  const decisions = lines.map(({ days, rule, verdict = 'Allow' }) => ({
    time: daysAgo(days),
    msg: 'decision',
    id: 'x',
    route,
    ingress: 'monitoring/grafana',
    host: 'grafana.example.com',
    method: 'GET',
    path: '/api',
    client: '192.0.2.1',
    verdict,
    policy: 'Policy monitoring/engineers',
    rule,
    reasons: [],
  }));
  writeFileSync(file, ['{"msg":"ready"}', ...decisions.map((one) => JSON.stringify(one)), ''].join('\n'));
  return file;
}

const rulesOf = ({ unused }: Unused) =>
  unused.filter((grant) => grant.route === route).map(({ rule, lastUsed }) => [rule, lastUsed !== undefined]);

test('a grant that nobody used for so long is listed, with when it last was', async () => {
  const log = logOf(
    { days: 90, rule: 'on call, from the office' },
    { days: 40, rule: 'engineering' },
    { days: 3, rule: 'engineering' },
    // A refusal is no use of it.
    { days: 1, rule: 'on call, from the office', verdict: 'Deny' },
  );
  const unused = (days: string) => json<Unused>('--log', log, '--unused-for', days);
  assert.deepEqual(rulesOf(await unused('30d')), [['on call, from the office', true]]);
  assert.deepEqual(rulesOf(await unused('24h')), [
    ['engineering', true],
    ['on call, from the office', true],
  ]);
  assert.deepEqual(rulesOf(await unused('365d')), []);
  assert.match((await unused('365d')).warnings.join(), /the log begins only at/);
  // The other routes: nobody was there at all.
  assert.ok(
    (await unused('30d')).unused.some((grant) => grant.lastUsed === undefined && grant.route.endsWith('=/healthz')),
  );
});

test('a log that cannot tell is not taken for one that says no', async () => {
  const refusals = logOf({ days: 90, rule: 'staff', verdict: 'Deny' });
  assert.match((await json<Unused>('--log', refusals, '--unused-for', '30d')).warnings.join(), /--decision-log all/);
  writeFileSync(join(folder, 'empty'), '');
  assert.match(
    (await json<Unused>('--log', join(folder, 'empty'), '--unused-for', '30d')).warnings.join(),
    /no decision/,
  );
});

test('the list for people, from stdin, of one route', () => {
  const line = { time: '2020-01-01T00:00:00.000Z', msg: 'decision', id: 'x', route, ingress: 'monitoring/grafana' };
  const rest = { host: 'h', method: 'GET', path: '/', client: '192.0.2.1', verdict: 'Allow', reasons: [] };
  const cause = { policy: 'Policy monitoring/engineers', rule: 'engineering' };
  const args = ['access', '--route', 'grafana.example.com/api', '--log', '-', '--unused-for', '2026-01-01T00:00:00Z'];
  const { status, stdout, stderr } = sallyport([...args, ...of], `${JSON.stringify({ ...line, ...rest, ...cause })}\n`);
  assert.deepEqual([status, stderr], [0, '']);
  assertGolden('access that nobody uses', stdout);
});

test('wrong usage is told in one line, and what is not there', async () => {
  const wrong: readonly (readonly [readonly string[], 1 | 2, RegExp])[] = [
    [[], 2, /one of --person EMAIL, --service-account NS\/NAME, --route HOST, --log/],
    [['--person', 'a@example.com', '--route', 'x'], 2, /not both/],
    [['--log', 'x'], 2, /go together/],
    [['--log', 'x', '--unused-for', 'long'], 2, /long/],
    [['--log', 'absent', '--unused-for', '30d'], 2, /absent/],
    [['--route', 'https://grafana.example.com'], 2, /route: a host is wanted/],
    [['--group', 'x'], 2, /said of nobody/],
    [['--route', 'nowhere.example.org'], 1, /no route has the host nowhere\.example\.org/],
    [['--route', 'grafana.example.com/a/../b'], 1, /segment that is \. or \.\./],
  ];
  for (const [args, code, message] of wrong) {
    const name = code === 2 ? 'UsageError' : 'Error';
    await assert.rejects(printed(access, [...args, ...of]), { name, message }, args.join(' '));
  }
  assert.equal(sallyport(['access', '--route', 'nowhere.example.org', ...of]).status, 1);
  assert.equal(sallyport(['access', ...of]).status, 2);
});
