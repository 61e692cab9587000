// `sallyport explain`, as a person runs it on a folder: the whole text, the JSON, and what it says to wrong usage.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { explain, explainHelp } from '../../src/cli/explain.ts';
import type { ExplainAnswer } from '../../src/review/answer.ts';
import { assertGolden, manifests, printed, root, sallyport } from './golden.ts';

const of = ['--manifests', manifests];
const at = ['--at', '2026-12-24T20:30:00Z'];
const ana = ['--as', 'ana@example.com', '--group', 'engineering'];
const url = 'https://grafana.example.com/api/x';

/** A name for the golden file, and the arguments. */
const texts: Readonly<Record<string, readonly string[]>> = {
  'explain a policy that allows': [url, ...ana, ...at],
  'explain a deny by method and time, beside a rule in Audit': [
    url,
    ...ana,
    ...at,
    '--method',
    'delete',
    '--authenticated-at',
    '2026-12-24T12:00:00Z',
  ],
  'explain nobody who is signed in': [url, ...at],
  'explain annotations, and a guardrail over them': ['https://grafana.example.com/healthz', ...at],
  'explain a route whose policy is missing': ['https://wiki.example.com/', ...ana, ...at],
  'explain a host that nobody has': ['https://a.b.example.com/', ...at],
  'explain a path of ours': ['https://grafana.example.com/.sallyport/', ...at],
  'explain plain http': ['http://grafana.example.com/', ...at],
  'explain another provider': ['https://grafana.example.com/', ...ana, '--provider', 'entra', ...at],
};

for (const [name, args] of Object.entries(texts)) {
  test(name, async () => {
    const text = await printed(explain, [...args, ...of]);
    assertGolden(name, text);
    for (const line of text.split('\n')) assert.ok(line.length <= 100, line);
  });
}

const workloads = ['--manifests', 'test/review/workloads', ...at];
const deployer = ['https://deploy.example.com/', '--service-account', 'ci/deployer'];

/** As above, of a cluster whose workloads come with their own tokens. */
const workloadTexts: Readonly<Record<string, readonly string[]>> = {
  'explain a workload that a policy names': deployer,
  'explain a workload by a claim of its token': [...deployer, '--claim', 'kubernetes.io={"pod":{"name":"stolen"}}'],
  'explain a workload where none counts': ['https://notes.example.com/', '--service-account', 'ci/deployer'],
  'explain a person where workloads alone are let in': ['https://deploy.example.com/', ...ana],
};

for (const [name, args] of Object.entries(workloadTexts)) {
  test(name, async () => {
    assertGolden(name, await printed(explain, [...args, ...workloads]));
  });
}

test('a workload is no person, and -o json says so', async () => {
  const json = await printed(explain, [...deployer, ...workloads, '-o', 'json']);
  const { asked: by, verdict, route } = JSON.parse(json) as ExplainAnswer;
  assert.equal(verdict, 'Allow');
  assert.deepEqual(by?.as, { user: 'system:serviceaccount:ci:deployer', serviceAccount: 'ci/deployer', groups: [] });
  assert.deepEqual([route?.providers, route?.workloads], [[], true]);
});

test('as a process it prints the same, and ends with 0 whatever the verdict', () => {
  const name = 'explain a route whose policy is missing';
  const { status, stdout, stderr } = sallyport(['explain', ...(texts[name] ?? []), ...of]);
  assert.deepEqual([status, stderr], [0, '']);
  assertGolden(name, stdout);
});

async function asked(...args: string[]): Promise<ExplainAnswer> {
  return JSON.parse(await printed(explain, [...args, ...of, '-o', 'json'])) as ExplainAnswer;
}

test('-o json says the same to a program', async () => {
  const answer = await asked(url, ...ana, ...at);
  assert.equal(answer.verdict, 'Allow');
  assert.equal(answer.outcome, 'Forwarded');
  assert.deepEqual([answer.route?.ingress, answer.route?.path], ['monitoring/grafana', '/api']);
  assert.deepEqual(
    answer.policies.map(({ policy, because }) => [policy, because]),
    [
      ['Policy monitoring/engineers', 'annotation sallyport.dev/policy'],
      ['ClusterPolicy staff-only', 'its namespaceSelector selects monitoring'],
    ],
  );
  assert.deepEqual(answer.cause, {
    policy: 'Policy monitoring/engineers',
    rule: 'engineering',
    reasons: ['groups-ok', 'email-ok'],
  });
});

test('what is judged is what the proxy would judge: its canonical form, or its refusal', async () => {
  assert.equal((await asked('https://GRAFANA.example.com./%61pi//x#top', ...ana)).route?.path, '/api');
  for (const bad of ['/a/../b', '/a%2fb', '/a\\b', '/a/%2e%2e/b']) {
    const { verdict, outcome, why, route } = await asked(`https://grafana.example.com${bad}`, ...ana);
    assert.deepEqual([verdict, outcome, route], ['Deny', 'BadRequest', null], bad);
    assert.match(why[0] ?? '', /^The proxy refuses it with 400: The /, bad);
  }
  assert.match((await asked('https://ana@grafana.example.com/')).why[0] ?? '', /Host header is not a host name/);
});

test('address, headers and claims are what the flags say', async () => {
  const onCall = ['--as', 'carl@example.com', '--group', 'on-call'];
  assert.equal((await asked(url, ...onCall)).verdict, 'Deny');
  assert.equal((await asked(url, ...onCall, '--from', '203.0.113.9')).verdict, 'Allow');
  assert.equal((await asked(url, ...onCall, '--from', '2001:db8::1')).asked?.from, '2001:db8::1');
  // As a sign-in does it: what follows the @ has no letter case.
  assert.equal((await asked(url, '--as', 'ana@EXAMPLE.com', '--group', 'engineering')).verdict, 'Allow');
});

test('a preflight is answered where CORS is ours, and is a request like any other elsewhere', async () => {
  const preflight = ['--header', 'Origin: https://app.example.com', '--header', 'Access-Control-Request-Method:PUT'];
  const outcome = async (path: string, ...args: string[]) =>
    (await asked(`https://grafana.example.com${path}`, ...args)).outcome;
  assert.equal(await outcome('/healthz', '--method', 'OPTIONS', ...preflight), 'Preflight');
  assert.equal(await outcome('/healthz', '--method', 'OPTIONS'), 'SignInStarted');
  assert.equal(await outcome('/api', '--method', 'OPTIONS', ...preflight), 'SignInStarted');
});

test('a URL without a path asks for the root, with its query', async () => {
  for (const bare of [
    'https://grafana.example.com',
    'https://grafana.example.com?a=b',
    'https://grafana.example.com#x',
  ])
    assert.equal((await asked(bare, ...ana)).asked?.path, '/', bare);
});

test('what is shown moves no cursor', async () => {
  const odd = ['--as', 'ana@example.com', '--group', 'a\u001b[2Jb\u202e'];
  const text = await printed(explain, [url, ...odd, ...of]);
  assert.match(text, /a\ufffd\[2Jb\ufffd/);
  assert.doesNotMatch(text, /(?!\n)[\p{Cc}\p{Cf}]/u);
});

test('wrong usage is told in one line, which says what would be right', async () => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /one URL is wanted/],
    [[url, 'https://b'], /one URL is wanted/],
    [['grafana.example.com'], /url: a URL is wanted, such as https/],
    [[url, '-o', 'xml'], /-o is text or json/],
    [[url, '--nonsense'], /nonsense/],
    [[url, '--group', 'a'], /--group is said of nobody/],
    [[url, ...ana, '--claim', 'x'], /--claim: "x" is not a claim/],
    [[url, '--header', 'x'], /--header: "x" is not a header/],
    [[url, '--header', 'a b: x'], /headers\.0\.0: the name of a header/],
    [[url, '--from', 'home'], /from: an address is wanted/],
    [[url, '--at', 'noon'], /at: a moment of RFC 3339/],
    [[url, ...ana, '--authenticated-at', 'noon'], /as\.authenticatedAt: a moment/],
    [[url, '--service-account', 'deployer'], /as\.serviceAccount: a ServiceAccount is wanted, such as ci\/deployer/],
    [[url, ...ana, '--service-account', 'ci/deployer'], /--service-account is instead of a person/],
    [['--request-id', 'x'], /goes with --admin/],
    [[url, '--request-id', 'x', '--admin', 'http://127.0.0.1:1'], /not both/],
    [[url, '--admin', 'http://127.0.0.1:1'], /one of them is asked/],
  ];
  for (const [args, message] of wrong) {
    await assert.rejects(printed(explain, [...args, ...of]), { name: 'UsageError', message }, args.join(' '));
  }
  for (const admin of ['http://evil.example:9090', 'https://127.0.0.1:9090', 'localhost']) {
    const message = /--admin: .* is not an address like http:\/\/127\.0\.0\.1:9090/;
    await assert.rejects(printed(explain, [url, '--admin', admin]), { name: 'UsageError', message }, admin);
  }
  const { status, stderr, stdout } = sallyport(['explain', url, '--manifests', join(root, 'absent')]);
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /^sallyport: .+\n$/);
});

test('what cannot be reached is one line and exit code 1', async () => {
  for (const args of [
    ['--admin', 'http://127.0.0.1:1'],
    ['--admin', 'http://127.0.0.1:1', '--admin-token-file', 'package.json'],
    ['--kubeconfig', 'absent.yaml'],
  ]) {
    await assert.rejects(printed(explain, [url, ...args]), { name: 'Error', message: /^[^\n]+$/ }, args.join(' '));
  }
  assert.equal(sallyport(['explain', url, '--admin', 'http://127.0.0.1:1']).status, 1);
});

test('the help names every flag', () => {
  for (const flag of ['as', 'group', 'user', 'claim', 'provider', 'method', 'from', 'header', 'at', 'authenticated-at'])
    assert.match(explainHelp, new RegExp(`--${flag} `), flag);
});
