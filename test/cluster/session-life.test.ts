// People with sessions in Secrets, on a real API server: a restart, two replicas, an API server that is away, a dump, and a full namespace.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { unseal } from '../../src/auth/keys.ts';
import type { Purpose } from '../../src/auth/keys.ts';
import { startSallyport } from '../../src/cli/run.ts';
import type { RunningSallyport } from '../../src/cli/run.ts';
import { readRunSettings } from '../../src/cli/settings.ts';
import type { KeyRing } from '../../src/model/settings.ts';
import { createLogger } from '../../src/telemetry.ts';
import { parseKeyRing } from '../../src/translate/keyring.ts';
import { createClient, send } from '../integration/client.ts';
import type { Client } from '../integration/client.ts';
import { freePort, until } from '../integration/rig.ts';
import { flagsFor, ingress, startClusterRig } from './rig.ts';
import type { ClusterRig } from './rig.ts';

const namespace = 'sallyport-sessions';
const sessions = `{store: {type: Secret, secret: {namespace: ${namespace}, max: 5}}, outageGrace: 25s, idleTimeout: 1h}`;
// A cluster that was lent to the tests is not killed.
const skip =
  process.env['KUBECONFIG_TEST'] !== undefined && 'KUBECONFIG_TEST is set: it takes an API server of our own';

let rig: ClusterRig;
let port: number;
const log: Record<string, unknown>[] = [];
let second: RunningSallyport;

async function startSecond(): Promise<void> {
  const logger = createLogger('info', (line) => log.push(JSON.parse(line) as Record<string, unknown>));
  second = await startSallyport(readRunSettings(flagsFor(rig.api, port), {}), logger);
}

before(async () => {
  const objects = `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${namespace}}\n`;
  rig = await startClusterRig({ sessions, objects });
  port = await freePort();
  await startSecond();
  await rig.api.apply(ingress('app', 'red', 'sallyport.dev/access: authenticated'));
  await rig.becomes('app', '401');
});
after(async () => {
  await second?.stop();
  await rig?.stop();
});

/** Signs in on the first replica. */
async function signIn(account = 'account-ana'): Promise<Client> {
  const client = createClient();
  const arrived = await client.signIn(await client.visit(`http://app.localhost:${rig.port}/`), account);
  assert.equal(arrived.status, 200, arrived.body);
  return client;
}

function cookieOf(client: Client, host = 'app'): string {
  return `__Host-sallyport=${client.cookies.get(`${host}.localhost`)?.get('__Host-sallyport')}`;
}

async function statusAt(at: number, client: Client): Promise<number> {
  const headers = { accept: '*/*', cookie: cookieOf(client) };
  return (await send(new URL(`http://app.localhost:${at}/`), { headers })).status;
}

/** A request that is under way when its session ends is broken off: no answer is none yet. */
const isRefused = (at: number, client: Client) =>
  statusAt(at, client).then(
    (status) => status === 401,
    () => false,
  );

interface StoredSecret {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly data: Record<string, string>;
}

async function secrets(): Promise<readonly StoredSecret[]> {
  const stdout = await rig.kubectl('get', 'secrets', '-n', namespace, '-o', 'json');
  return (JSON.parse(stdout) as { items: StoredSecret[] }).items;
}

const clean = () => rig.kubectl('delete', 'secrets', '--all', '-n', namespace);

async function signOut(client: Client): Promise<number> {
  const url = `http://app.localhost:${rig.port}/.sallyport/sign-out`;
  const headers = { origin: `http://app.localhost:${rig.port}`, 'sec-fetch-site': 'same-origin' };
  return (await client.visit(url, { method: 'POST', headers, follow: 0 })).status;
}

test('who signed in on one replica is signed in on the other, and after a restart; nothing is written by requests', async () => {
  const client = await signIn();
  assert.equal(await statusAt(port, client), 200);
  const before = await secrets();
  assert.equal(before.length, 1, 'one Secret, its code used up');
  for (let count = 0; count < 200; count += 1) assert.equal(await statusAt(port, client), 200);
  assert.deepEqual(await secrets(), before);
  await second.stop();
  await startSecond();
  assert.equal(await statusAt(port, client), 200);
  await clean();
});

test('a sign-out on one replica ends the session on the other within a second', async () => {
  const client = await signIn();
  assert.equal(await statusAt(port, client), 200);
  const thief = createClient();
  for (const [host, jar] of client.cookies) thief.cookies.set(host, new Map(jar));
  const began = performance.now();
  assert.equal(await signOut(client), 303);
  const answeredMs = performance.now() - began;
  const tookMs = await until(() => isRefused(port, thief), 1_000, 'it ended on the other replica');
  console.log(
    `a sign-out took ${answeredMs.toFixed()} ms; the other replica refused ${tookMs.toFixed(1)} ms after it was answered`,
  );
  assert.equal(await statusAt(rig.port, thief), 401);
  assert.deepEqual(await secrets(), []);
});

test('a Secret that an operator deletes ends its session on both replicas within a second', async () => {
  const client = await signIn();
  assert.equal(await statusAt(port, client), 200);
  await clean();
  const tookMs = await until(
    async () => (await isRefused(port, client)) && (await isRefused(rig.port, client)),
    1_000,
    'it ended on both',
  );
  console.log(`a deleted Secret ended its session on both replicas within ${tookMs.toFixed(1)} ms`);
});

describe('a dump of the Secrets', () => {
  const purposes: readonly Purpose[] = ['flow', 'request', 'host-cookie', 'listing', 'body', 'index', 'return'];

  test('names nobody, and opens nothing but the listing, and that with the key ring alone', async () => {
    await signIn();
    const dump = await rig.kubectl('get', 'secrets', '-n', namespace, '-o', 'yaml');
    const stored = await secrets();
    const plain = stored.map(({ data }) => Buffer.from(data['record.json'] ?? '', 'base64').toString());
    // A person, a group, a domain, and how every JWT begins; the dump is base64, which begins so for any JSON.
    const canaries = [/\bana\b/i, /engineering/i, /example\.com/i, /\bdemo\b/i, /\beyJ/];
    const found = plain.flatMap((text) => canaries.filter((one) => one.test(text)));
    found.push(...canaries.slice(0, -1).filter((one) => one.test(dump)));
    assert.deepEqual(found, []);
    assert.equal(plain.length, 1);
    const { body, listing, index } = JSON.parse(plain[0] ?? '') as {
      body: string;
      listing: string;
      index: Record<string, string>;
    };
    const ring = await keyRing();
    const id = Buffer.from(stored[0]?.metadata.name.split('-')[1] ?? '', 'hex').toString();
    const expiresAt = Date.parse(/expires-at: "?([^"\n]+)/.exec(dump)?.[1] ?? '');
    const bounds = ['', id, `${id} ${expiresAt}`, `code ${id}`];
    const opened = [body, listing, ...Object.values(index)].flatMap((sealed) =>
      purposes.flatMap((purpose) => bounds.flatMap((bound) => unseal(ring, purpose, sealed, bound)?.toString() ?? [])),
    );
    assert.equal(opened.length, 1, 'the listing');
    const listed = JSON.parse(opened[0] ?? '') as Record<string, unknown>;
    assert.deepEqual(Object.keys(listed).toSorted(), ['address', 'createdAt', 'person', 'provider', 'usedAt', 'user']);
    await clean();
  });

  test('gives ids away, which alone are no way in', async () => {
    const client = await signIn();
    const [stored] = await secrets();
    const id = Buffer.from(stored?.metadata.name.split('-')[1] ?? '', 'hex').toString();
    const forged = [`${id}.`, `${id}.${'A'.repeat(43)}`, `${id}.k.${'A'.repeat(80)}`];
    for (const value of forged) {
      const headers = { accept: '*/*', cookie: `__Host-sallyport=${value}` };
      assert.equal((await send(new URL(`http://app.localhost:${port}/`), { headers })).status, 401);
    }
    assert.equal(await statusAt(port, client), 200);
    await clean();
  });
});

async function keyRing(): Promise<KeyRing> {
  const stdout = await rig.kubectl('get', 'secret', 'sallyport-keys', '-n', 'sallyport-system', '-o', 'json');
  const { data } = JSON.parse(stdout) as StoredSecret;
  const ring = parseKeyRing(Buffer.from(data['keys.json'] ?? '', 'base64').toString());
  assert.ok(typeof ring !== 'string');
  return ring;
}

test('a full namespace refuses the next sign-in, keeps who is in, and says what to do', async () => {
  const clients: Client[] = [];
  for (let count = 0; count < 5; count += 1) clients.push(await signIn());
  const client = createClient();
  const refused = await client.signIn(await client.visit(`http://app.localhost:${rig.port}/`), 'account-ana');
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers['retry-after']) > 0);
  const next = createClient();
  assert.equal((await next.visit(`http://app.localhost:${rig.port}/`)).status, 503, 'before the provider is asked');
  for (const one of clients) assert.equal(await statusAt(port, one), 200);
  const said = rig.log.map(({ err }) => (err as { message?: string } | undefined)?.message ?? '');
  assert.ok(
    said.some((message) => /holds 5 sessions, the maximum: raise spec\.sessions\.store\.secret\.max/.test(message)),
  );
  await clean();
  const opens = async () => (await createClient().visit(`http://app.localhost:${rig.port}/`)).status !== 503;
  await until(opens, 10_000, 'somebody tries again');
});

test(
  'the API server away: who is in goes on, who is not gets 503 before the provider, pods stay ready, all heals',
  { skip, timeout: 180_000 },
  async () => {
    for (const [how, stop, start] of [
      ['paused', async () => rig.api.pause(), async () => rig.api.resume()],
      ['killed', () => rig.api.kill(), () => rig.api.restart()],
    ] as const) {
      const client = await signIn();
      assert.equal(await statusAt(port, client), 200);
      const newcomer = async () => {
        const browser = createClient();
        const answer = await browser.visit(`http://app.localhost:${port}/`);
        const atProvider = browser.hops.some(({ port: hop }) => hop === String(rig.provider.port));
        return { status: answer.status, retry: Number(answer.headers['retry-after'] ?? 0), atProvider };
      };
      const linesBefore = rig.log.length;
      await delay(1_100);
      await stop();
      const began = performance.now();
      const first = await newcomer();
      const newcomerMs = performance.now() - began;
      assert.deepEqual({ ...first, retry: first.retry > 0 }, { status: 503, retry: true, atProvider: false });
      let served = 0;
      let slowestMs = 0;
      while (performance.now() - began < 9_000) {
        const askedAt = performance.now();
        assert.equal(await statusAt(rig.port, client), 200);
        slowestMs = Math.max(slowestMs, performance.now() - askedAt);
        served += 1;
        await delay(10);
      }
      assert.equal((await newcomer()).status, 503);
      assert.equal(await up(), 0);
      await start();
      const healedMs = await until(async () => (await up()) === 1, 40_000, 'it heals');
      await signIn();
      const lines = rig.log.slice(linesBefore).filter(({ msg }) => String(msg).startsWith('the session store is'));
      console.log(
        `${how}: ${served} requests served, the slowest in ${slowestMs.toFixed()} ms; a newcomer had 503 after ${newcomerMs.toFixed()} ms; well ${healedMs.toFixed()} ms after`,
      );
      assert.deepEqual(
        lines.map(({ msg }) => msg),
        ['the session store is away: live sessions go on, and nobody can sign in', 'the session store is back'],
      );
      await clean();
    }
  },
);

async function up(): Promise<number | undefined> {
  return (await rig.sallyport.metrics.storeUp.get()).values[0]?.value;
}
