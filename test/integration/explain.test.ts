// Explanations of a running instance: what it says of a request is what the request gets, and what it got.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { access } from '../../src/cli/access.ts';
import { explain } from '../../src/cli/explain.ts';
import type { ExplainAnswer, Reach } from '../../src/review/answer.ts';
import { printed, root } from '../cli/golden.ts';
import { createClient, send } from './client.ts';
import type { Answer, Client } from './client.ts';
import { startRig, until } from './rig.ts';
import type { Rig } from './rig.ts';

const ingress = (name: string, annotation: string, path = '/') => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ${name}, namespace: demo, annotations: {sallyport.dev/${annotation}}}
spec:
  ingressClassName: sallyport
  rules:
    - host: ${name}.localhost
      http: {paths: [{path: ${path}, pathType: Prefix, backend: {service: {name: mirror, port: {name: http}}}}]}
---`;

const files = {
  'more.yaml': `${ingress('methods', 'policy: methods')}
${ingress('away', 'policy: nowhere')}
${ingress('narrow', 'access: public', '/only')}
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: methods, namespace: demo}
spec:
  contact: "#methods"
  rules:
    - {name: readers, allow: {and: [{groups: {has: staff}}]}}
    - {name: nobody writes, deny: {not: [{httpMethod: {in: [GET, HEAD]}}]}}
    - {name: no robots, deny: {or: [{header: {name: User-Agent, contains: robot}}, {query: {name: as, is: robot}}]}}
`,
};

let rig: Rig;
let admin: string[];
const people: { readonly flags: readonly string[]; readonly client?: Client }[] = [];

before(async () => {
  rig = await startRig({ files });
  admin = ['--admin', `http://127.0.0.1:${rig.sallyport.adminPort}`];
  people.push({ flags: [] });
  for (const [account, flags] of [
    ['account-ana', ['--as', 'ana@example.com', '--group', 'engineering', '--group', 'staff']],
    ['account-eve', ['--as', 'eve@example.org', '--group', 'guests']],
  ] as const) {
    const client = createClient();
    await client.signIn(await client.visit(rig.url('app')), account);
    for (const host of ['engineering', 'methods', 'clock']) await client.visit(rig.url(host));
    people.push({ flags, client });
  }
});
after(() => rig?.stop());

async function asked(...args: string[]): Promise<ExplainAnswer> {
  return JSON.parse(await printed(explain, [...args, ...admin, '-o', 'json'])) as ExplainAnswer;
}

/** As a process, while this one answers it. */
async function command(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(join(root, 'bin/sallyport'), args);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

function sent(
  url: string,
  client: Client | undefined,
  headers: Record<string, string>,
  method: string,
): Promise<Answer> {
  const { hostname } = new URL(url);
  const cookie = client?.cookies.get(hostname)?.get('__Host-sallyport');
  const whose = cookie === undefined ? {} : { cookie: `__Host-sallyport=${cookie}` };
  return send(new URL(url), { method, headers: { accept: '*/*', ...headers, ...whose } });
}

/** Of an answer of ours; whatever an application answers, it was forwarded to. */
function statusOf({ status, headers }: Answer): number | 'Forwarded' {
  return headers['x-request-id'] === undefined ? 'Forwarded' : status;
}

const statuses: Readonly<Record<string, number | 'Forwarded'>> = {
  Forwarded: 'Forwarded',
  Refused: 403,
  SignInStarted: 401,
  NoSuchHost: 404,
  NoSuchPath: 404,
};

test('what is said of a request is what it gets', async () => {
  const seen = new Set<string>();
  for (const { flags, client } of people) {
    for (const host of ['welcome', 'app', 'engineering', 'methods', 'away', 'narrow', 'nobody']) {
      for (const [method, path, headers] of [
        ['GET', '/', {}],
        ['GET', '/only/this?as=robot', {}],
        ['DELETE', '/only', {}],
        ['GET', '/', { 'user-agent': 'a robot' }],
      ] as const) {
        const url = rig.url(host, path);
        const said = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]);
        const { outcome = '', verdict } = await asked(
          url,
          '--method',
          method,
          '--from',
          '127.0.0.1',
          ...flags,
          ...said,
        );
        const answer = await sent(url, client, headers, method);
        assert.equal(statusOf(answer), statuses[outcome], `${method} ${url} ${flags[1] ?? 'nobody'}: ${outcome}`);
        seen.add(`${outcome} ${verdict}`);
      }
    }
  }
  assert.deepEqual([...seen].toSorted(), [
    'Forwarded Allow',
    'NoSuchHost Deny',
    'NoSuchPath Deny',
    'Refused Deny',
    'SignInStarted Login',
  ]);
});

test('a request that happened is explained by its id, on the facts and the policies of then', async () => {
  const [, , eve] = people;
  assert.ok(eve?.client);
  const refused = await sent(rig.url('engineering', '/d/1?token=QUERY-CANARY'), eve.client, {}, 'GET');
  const { requestId } = JSON.parse(refused.body) as { requestId: string };
  const answer = await asked('--request-id', requestId);
  assert.deepEqual([answer.verdict, answer.asked?.as?.email, answer.asked?.path], ['Deny', 'eve@example.org', '/d/1']);
  assert.deepEqual(answer.cause?.policy, 'Policy demo/engineers');
  assert.doesNotMatch(JSON.stringify(answer), /QUERY-CANARY|__Host-/);
  const shown = await printed(explain, ['--request-id', requestId, ...admin]);
  assert.match(shown, /✗ groups: \{has: engineering\}, saw \[.*\] \(groups-unauthorized\)/);

  await rig.edit('engineering.yaml', (file) => file.replace('{has: engineering}', '{has: guests}'));
  const changed = async () => (await asked('--request-id', requestId)).why.some((one) => /has changed since/.test(one));
  await until(changed, 3_000, 'the policy has changed');
  const then = await asked('--request-id', requestId);
  assert.equal(then.policies[0]?.rules[0]?.operators[0]?.criteria[0]?.reason, 'groups-unauthorized');
  await rig.edit('engineering.yaml', (file) => file.replace('{has: guests}', '{has: engineering}'));
  const ana = people[1]?.flags ?? [];
  await until(async () => (await asked(rig.url('engineering'), ...ana)).verdict === 'Allow', 3_000, 'it is as before');
});

test('an id that is unknown, or of a request that nobody decided, says so', async () => {
  const bad = await send(new URL(rig.url('app', '/a%2fb')), { headers: { accept: '*/*' } });
  const { requestId } = JSON.parse(bad.body) as { requestId: string };
  for (const id of [requestId, 'never-seen']) {
    await assert.rejects(printed(explain, ['--request-id', id, ...admin]), {
      name: 'Error',
      message: new RegExp(`^no decision is known of request ${id}`),
    });
  }
});

test('a refused program is told whom to ask, and the page too', async () => {
  const [, ana] = people;
  const refused = await sent(rig.url('methods'), ana?.client, {}, 'DELETE');
  assert.deepEqual([refused.status, (JSON.parse(refused.body) as { contact?: string }).contact], [403, '#methods']);
  assert.doesNotMatch(refused.body, /nobody writes/);
});

test('what a person may open is what they may open', async () => {
  for (const { flags, client } of people.slice(1)) {
    const args = flags.map((flag) => (flag === '--as' ? '--person' : flag));
    const { reach } = JSON.parse(await printed(access, [...args, ...admin, '-o', 'json'])) as { reach: Reach[] };
    for (const { route, verdict, atItsPath } of reach) {
      if (verdict === 'Depends' && atItsPath === undefined) continue;
      const answer = await sent(rig.url(route.host.replace('.localhost', ''), route.path), client, {}, 'GET');
      const wanted = (atItsPath ?? verdict) === 'Allow' ? 'Forwarded' : 403;
      assert.equal(statusOf(answer), wanted, `${route.host} ${flags[1]}`);
    }
    assert.ok(reach.length >= 7);
  }
});

test('the command finds the token by itself, and a wrong one is refused', async () => {
  const { code, stdout } = await command('explain', rig.url('app'), ...admin);
  assert.equal(code, 0);
  assert.match(stdout, /^Verdict {3}Login$/m);
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-token-'));
  writeFileSync(join(folder, 'token'), 'wrong');
  const wrong = await command('explain', rig.url('app'), ...admin, '--admin-token-file', join(folder, 'token'));
  rmSync(folder, { recursive: true });
  assert.deepEqual([wrong.code, wrong.stdout], [1, '']);
  assert.match(wrong.stderr, /does not take the token of/);
});

test('a question at fault is wrong usage, over the port as well', async () => {
  await assert.rejects(asked('ftp://x'), { name: 'UsageError', message: /url: a URL is wanted/ });
});
