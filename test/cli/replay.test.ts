// `sallyport check DIR --replay LOG`: which logged decisions would change under a folder's policies, and which cannot be judged.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import type { Replay } from '../../src/cli/replay.ts';

const root = join(import.meta.dirname, '../..');
const bin = join(root, 'bin/sallyport');
const made: string[] = [];
after(() => made.forEach((folder) => rmSync(folder, { recursive: true })));

/** A folder with an Ingress for each host of `*.localhost`, under the Policy of its name or what `access` says. */
function folderOf(routes: Readonly<Record<string, { readonly access?: string; readonly spec?: string }>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-replay-'));
  made.push(folder);
  const objects = Object.entries(routes).map(([name, { access, spec }]) => {
    const annotations = [
      ...(access === undefined ? [] : [`sallyport.dev/access: ${access}`]),
      ...(spec === undefined ? [] : [`sallyport.dev/policy: ${name}`]),
    ];
    return `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ${name}, namespace: demo, annotations: {${annotations.join(', ')}}}
spec:
  ingressClassName: sallyport
  rules:
    - host: ${name}.localhost
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: app, port: {number: 80}}}}]}
---
${spec === undefined ? '' : `apiVersion: sallyport.dev/v1alpha1\nkind: Policy\nmetadata: {name: ${name}, namespace: demo}\nspec: ${spec}\n`}`;
  });
  writeFileSync(join(folder, 'routes.yaml'), objects.join('---\n'));
  writeFileSync(join(folder, 'class.yaml'), common);
  return folder;
}

const common = `apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: sallyport}
spec:
  controller: sallyport.dev/ingress-controller
  parameters: {apiGroup: sallyport.dev, kind: Sallyport, name: default}
---
apiVersion: sallyport.dev/v1alpha1
kind: Sallyport
metadata: {name: default}
spec: {defaultIdentityProviderRef: {name: okta}, sessions: {store: {type: Memory}}}
---
apiVersion: sallyport.dev/v1alpha1
kind: IdentityProvider
metadata: {name: okta}
spec: {oidc: {issuer: https://provider.example.com, clientID: sallyport}}
---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: demo}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: app, namespace: demo, labels: {kubernetes.io/service-name: app}}
addressType: IPv4
ports: [{port: 9}]
endpoints: [{addresses: [127.0.0.1]}]
`;

interface Line {
  readonly host: string;
  readonly verdict?: string;
  readonly [field: string]: unknown;
}

const day = '2026-11-26T12:00:00.000Z';

function line({ host, ...fields }: Line, at: number): string {
  const route = { id: `request-${at}`, route: `demo/${host} ${host}.localhost/`, ingress: `demo/${host}` };
  const asked = { host: `${host}.localhost`, method: 'GET', path: '/', client: '192.0.2.7' };
  return JSON.stringify({
    level: 'info',
    time: day,
    ...route,
    ...asked,
    verdict: 'Allow',
    reasons: [],
    ...fields,
    msg: 'decision',
  });
}

function person(email: string, ...groups: readonly string[]) {
  const moments = { authenticatedAt: '2026-11-26T11:50:00.000Z', sessionStartedAt: '2026-11-26T11:00:00.000Z' };
  return { provider: 'okta', session: 'abcdefgh', user: `u-${email}`, email, groups, ...moments };
}
const [ana, eve] = [person('ana@example.com', 'staff'), person('eve@example.org')];

function check(folder: string, lines: readonly Line[], ...args: readonly string[]) {
  return spawnSync(bin, ['check', folder, '--replay', '-', ...args], {
    encoding: 'utf8',
    cwd: root,
    input: lines.map(line).join('\n'),
  });
}

function replay(folder: string, lines: readonly Line[]): Replay {
  const { stdout, stderr } = check(folder, lines, '-o', 'json');
  assert.equal(stderr, '');
  return (JSON.parse(stdout) as { replay: Replay }).replay;
}

const staff = '{rules: [{name: staff, allow: {and: [{groups: {has: staff}}]}}]}';

test('what would change is told by route and policy, with how many, whom, and an example', () => {
  const folder = folderOf({ wiki: { spec: staff }, open: { access: 'public' }, broken: { spec: '{rules: []}' } });
  const lines: readonly Line[] = [
    { host: 'wiki', ...ana },
    { host: 'wiki', ...eve },
    { host: 'wiki', ...eve, path: '/x' },
    { host: 'wiki' },
    { host: 'wiki', verdict: 'Login' },
    { host: 'open', verdict: 'Login' },
    { host: 'broken', ...ana },
    { host: 'gone', ...ana },
  ];
  const { stdout, status } = check(folder, lines);
  const [, told] = stdout.split('warnings\n\n');
  assert.equal(
    told,
    `Replayed 8 decisions, from ${day} to ${day}

Would change:
  Allow → Deny at demo/wiki wiki.localhost/
    Policy demo/wiki: the person's groups do not match
    2 requests by 1 person (eve@example.org)
    at ${day}; for instance request request-1
  Allow → Login at demo/wiki wiki.localhost/
    Policy demo/wiki: nobody is signed in
    1 request without a sign-in
    at ${day}; for instance request request-3
  Login → Allow at demo/open open.localhost/
    annotations of Ingress demo/open: it accepts everybody
    1 request without a sign-in
    at ${day}; for instance request request-5
  Allow → Deny at demo/broken broken.localhost/
    Policy demo/broken is broken, and a broken policy denies
    1 request by 1 person (ana@example.com)
    at ${day}; for instance request request-6
  Allow → no route at demo/gone gone.localhost/
    nothing serves this host and path
    1 request by 1 person (ana@example.com)
    at ${day}; for instance request request-7

6 decisions would change, 2 would not, 0 cannot be judged.
`,
  );
  assert.equal(status, 1, 'the broken policy is an error');
});

test('changes are no errors, unless they are to be', () => {
  const folder = folderOf({ wiki: { spec: staff } });
  assert.equal(check(folder, [{ host: 'wiki', ...eve }]).status, 0);
  assert.equal(check(folder, [{ host: 'wiki', ...eve }], '--fail-on-change').status, 1);
  assert.equal(check(folder, [{ host: 'wiki', ...ana }], '--fail-on-change').status, 0);
  const alone = spawnSync(bin, ['check', folder, '--fail-on-change'], { encoding: 'utf8' });
  assert.deepEqual([alone.status, /--replay FILE/.test(alone.stderr)], [2, true]);
  const absent = spawnSync(bin, ['check', folder, '--replay', join(folder, 'absent')], { encoding: 'utf8' });
  assert.deepEqual([absent.status, /absent/.test(absent.stderr)], [2, true]);
});

test('what hangs on what no log holds is not judged, and all else is', () => {
  const allow = (criterion: string) => ({ spec: `{rules: [{allow: {and: [${criterion}]}}]}` });
  const asks: Readonly<Record<string, readonly [string, readonly string[]]>> = {
    header: ['{header: {name: X-A, is: a}}', ['headers']],
    query: ['{query: {name: a, is: a}}', ['query']],
    claim: ['{claim: {path: [team], has: core}}', ['claims']],
    acr: ['{acr: {is: high}}', ['claims']],
    'cel-header': [`{cel: '"x-a" in request.headers'}`, ['headers']],
    'cel-query': [`{cel: '"a" in request.query'}`, ['query']],
    'cel-claim': [`{cel: 'user.claims.team == "core"'}`, ['claims']],
    'cel-email': [`{cel: 'user.email == "ana@example.com"'}`, []],
    'cel-path': [`{cel: 'request.path == "/"'}`, []],
    preflight: ['{corsPreflight: true}', []],
    groups: ['{groups: {has: staff}}', []],
    domain: ['{domain: {is: example.com}}', []],
    address: ['{sourceIp: {is: 192.0.2.0/24}}', []],
    day: ['{dayOfWeek: {in: [Thursday], timezone: UTC}}', []],
    fresh: ['{authenticatedWithin: 15m}', []],
    age: ['{sessionAge: {over: 30m}}', []],
  };
  const folder = folderOf(
    Object.fromEntries(Object.entries(asks).map(([name, [criterion]]) => [name, allow(criterion)])),
  );
  const names = Object.keys(asks);
  const { notJudged, changes, same } = replay(
    folder,
    names.map((host) => ({ host, ...ana })),
  );
  const expected = Object.entries(asks).filter(([, [, missing]]) => missing.length > 0);
  assert.deepEqual(
    Object.fromEntries(notJudged.map(({ route, missing }) => [/ (.*)\.localhost/.exec(route)?.[1], missing])),
    Object.fromEntries(expected.map(([name, [, missing]]) => [name, missing])),
  );
  assert.deepEqual(
    changes.map(({ route, to }) => [route, to]),
    [['demo/preflight preflight.localhost/', 'Deny']],
  );
  assert.equal(same, names.length - expected.length - 1);

  const special: readonly Line[] = [
    { host: 'preflight', ...ana, method: 'OPTIONS' },
    { host: 'groups', ...ana, groupsOmitted: 3 },
    { host: 'fresh', ...ana, authenticatedAt: undefined },
    { host: 'domain', fault: 'there is no Policy x', verdict: 'Deny' },
    // Without a session, and with one of another provider, they are Login whatever claims there are.
    { host: 'claim', verdict: 'Login' },
    { host: 'claim', verdict: 'Login', ...ana, provider: 'github' },
  ];
  const odd = replay(folder, special);
  assert.deepEqual(
    odd.notJudged.flatMap(({ missing }) => missing),
    ['headers', 'all groups', 'when they signed in', 'who asked'],
  );
  assert.equal(odd.same, 2);
});

test('a workload that was let in by its own token is judged as one', () => {
  const spec = '{rules: [{name: deploy, allow: {or: [{serviceAccount: {is: ci/deployer}}]}}]}';
  const provider = 'system:serviceaccounts';
  const token = { ...person(''), provider, email: undefined, user: 'system:serviceaccount:ci:deployer' };
  const lines: readonly Line[] = [
    { host: 'deploy', ...token, serviceAccount: 'ci/deployer' },
    { host: 'wiki', ...token, serviceAccount: 'ci/deployer' },
  ];
  const { changes } = replay(folderOf({ deploy: { spec }, wiki: { spec: staff } }), lines);
  // Where no policy speaks of workloads any more, the token counts as nothing.
  assert.deepEqual(
    changes.map(({ from, to, route }) => [from, to, route]),
    [['Allow', 'Login', 'demo/wiki wiki.localhost/']],
  );
});

test('groups that nobody could tell are not told by the log either', () => {
  const line = { host: 'wiki', ...ana, groupsUnknown: true, verdict: 'Deny' };
  const { changes, same } = replay(folderOf({ wiki: { spec: staff } }), [line]);
  assert.deepEqual([changes, same], [[], 1]);
});

test('what is in Audit in the folder is told apart from what is enforced', () => {
  const audit = `{mode: Audit, rules: [{name: staff, allow: {and: [{groups: {has: staff}}]}}]}`;
  const folder = folderOf({ wiki: { access: 'authenticated', spec: audit } });
  const { changed, changesIfEnforced } = replay(folder, [
    { host: 'wiki', ...ana },
    { host: 'wiki', ...eve },
  ]);
  assert.equal(changed, 0);
  assert.deepEqual(
    changesIfEnforced.map(({ from, to, policy, rule, people }) => [from, to, policy, rule, people]),
    [['Allow', 'Deny', 'Policy demo/wiki', undefined, ['eve@example.org']]],
  );
});

/** Asks the path of each host, and returns all that was logged until it stopped. */
async function served(folder: string, asks: readonly (readonly [method: string, host: string])[]): Promise<string> {
  const off = ['--https', '', '--probes', '', '--admin', ''];
  const child = spawn(bin, ['run', '--manifests', folder, '--http', '127.0.0.1:0', '--decision-log', 'all', ...off], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  for await (const text of createInterface({ input: child.stdout })) {
    lines.push(text);
    const { msg, addresses } = JSON.parse(text) as { msg: string; addresses: readonly string[] };
    if (msg !== 'ready') continue;
    for (const [method, host] of asks) {
      await new Promise((resolve) => {
        const asked = request(addresses[0] ?? '', { method, headers: { host: `${host}.localhost` } }, (answer) =>
          answer.resume().on('end', resolve),
        );
        asked.end();
      });
    }
    child.kill('SIGTERM');
  }
  return lines.join('\n');
}

test('what a running Sallyport logs is what report and replay read', async () => {
  const noDeletes = (mode: string) =>
    `{mode: ${mode}, rules: [{name: no deletes, deny: {and: [{httpMethod: {is: DELETE}}]}}]}`;
  const log = await served(folderOf({ wiki: { access: 'public', spec: noDeletes('Audit') } }), [
    ['GET', 'wiki'],
    ['DELETE', 'wiki'],
    ['DELETE', 'wiki'],
    ['GET', 'elsewhere'],
  ]);
  const reported = spawnSync(bin, ['report', '-', '--since', '1h'], { encoding: 'utf8', cwd: root, input: log }).stdout;
  assert.match(reported, /^3 decisions since/);
  assert.match(
    reported,
    /Policy demo\/wiki, rule “no deletes”: the request method matches\n +2 requests without a sign-in/,
  );
  assert.match(
    reported,
    /Enforcing what is in Audit would have refused 2 requests that were let through: 2 requests without a sign-in\.\n$/,
  );
  const enforcing = folderOf({ wiki: { access: 'public', spec: noDeletes('Enforce') } });
  const { stdout } = spawnSync(bin, ['check', enforcing, '--replay', '-'], { encoding: 'utf8', cwd: root, input: log });
  assert.match(stdout, /Allow → Deny at demo\/wiki wiki\.localhost\/\n +Policy demo\/wiki, rule “no deletes”: /);
  assert.match(stdout, /2 decisions would change, 1 would not, 0 cannot be judged\.\n$/);
});
