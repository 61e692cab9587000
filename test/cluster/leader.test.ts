// Three replicas on a real API server: one leads, another within the lease when it is killed, and one that was stopped in the middle of writing writes nothing more.
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, until } from '../integration/rig.ts';
import { startReplica } from '../replicas/replica.ts';
import type { Replica } from '../replicas/replica.ts';
import { startApiServer } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';
import { installCrds } from './install.ts';

/** client-go's: 15 s after the last renewal that was seen, and a look every 2 to 4.4 s; the rest is a loaded machine's. */
const takeOverMs = 15_000 + 4_400 + 10_000;
const policies = 400;
let api: ApiServer;
const replicas: Replica[] = [];

before(async () => {
  api = await startApiServer();
  await installCrds(api);
  await api.apply(`
apiVersion: v1
kind: Namespace
metadata: {name: sallyport-system}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: sallyport}
spec: {controller: sallyport.dev/ingress-controller}
`);
  for (let index = 0; index < 3; index += 1) replicas.push(await start());
});
after(async () => {
  for (const replica of replicas) await replica.stop();
  await api?.stop();
});

async function start(): Promise<Replica> {
  const port = await freePort();
  const tokenFile = join(tmpdir(), `sallyport-leader-${port}.token`);
  return startReplica({ port, source: ['--kubeconfig', api.kubeconfigPath], tokenFile });
}

const policy = (name: string, group: string, provider?: string) => `
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: ${name}, namespace: shop}
spec:
  ${provider === undefined ? '' : `identityProviderRef: {name: ${provider}}`}
  rules: [{name: members, allow: {and: [{groups: {has: ${group}}}]}}]
`;
const provider = `
apiVersion: sallyport.dev/v1alpha1
kind: IdentityProvider
metadata: {name: late}
spec:
  allowedNamespaces: {selector: {}}
  oidc: {issuer: "https://idp.example.com", clientID: a}
`;

async function leader(among: readonly Replica[]): Promise<Replica> {
  let found: Replica | undefined;
  const look = async () => {
    const leading = await Promise.all(among.map((one) => one.metric('sallyport_leader')));
    assert.ok(leading.filter((value) => value === 1).length <= 1, 'never two');
    found = among[leading.indexOf(1)];
    return found !== undefined;
  };
  await until(look, takeOverMs, 'one leads');
  assert.ok(found !== undefined);
  return found;
}

interface Seen {
  readonly resourceVersion: string;
  readonly generation: number;
  readonly observed: number | undefined;
  readonly isResolved: boolean;
}

async function seen(): Promise<ReadonlyMap<string, Seen>> {
  const { stdout } = await api.kubectl(['get', 'policies', '-n', 'shop', '-o', 'json']);
  const { items } = JSON.parse(stdout) as {
    items: {
      metadata: { name: string; resourceVersion: string; generation: number };
      status?: { conditions?: { type: string; status: string; observedGeneration: number }[] };
    }[];
  };
  return new Map(
    items.map(({ metadata: { name, resourceVersion, generation }, status: { conditions = [] } = {} }) => {
      const isResolved = conditions.some(({ type, status }) => type === 'ResolvedRefs' && status === 'True');
      return [name, { resourceVersion, generation, observed: conditions[0]?.observedGeneration, isResolved }];
    }),
  );
}

const isTold = async () => [...(await seen()).values()].every(({ generation, observed }) => generation === observed);

test('one of three is killed, and statuses go on within the lease', { timeout: 180_000 }, async () => {
  await api.apply(policy('members', 'staff'));
  const first = await leader(replicas);
  await until(isTold, 10_000, 'the leader writes');
  await first.kill();
  replicas.splice(replicas.indexOf(first), 1);
  await api.apply(policy('members', 'directors'));
  const ms = await until(isTold, takeOverMs, 'another writes');
  console.log(`${Math.round(ms)} ms from the death of the leader until another had written what changed`);
  await leader(replicas);
});

test('one that was stopped in the middle of writing writes nothing more', { timeout: 240_000 }, async () => {
  const paused = await leader(replicas);
  const names = Array.from({ length: policies }, (_, index) => `many-${index}`);
  await api.apply(names.map((name) => policy(name, 'staff', 'late')).join('---'));
  const resolved = async () => [...(await seen()).values()].filter(({ isResolved }) => isResolved).length;
  await until(isTold, 30_000, 'the leader writes');
  assert.equal(await resolved(), 1);
  // All of them have something else to say now, at once.
  await api.apply(provider);
  await until(async () => (await resolved()) > 1, 10_000, 'it has begun');
  paused.signal('SIGSTOP');
  const written = await resolved();
  assert.ok(written < policies, `it was in the middle of writing: ${written} of ${policies}`);
  const others = replicas.filter((one) => one !== paused);
  const next = await leader(others);
  await until(async () => (await resolved()) === policies + 1, 60_000, 'the next has written the others');
  // What the paused one has waiting is no longer so.
  await api.delete('identityprovider', 'late');
  await until(async () => (await resolved()) === 1, 60_000, 'and what came after');
  await sleep(1_000);
  const before = await seen();
  paused.signal('SIGCONT');
  await until(
    async () => paused.log.some(({ msg }) => msg === 'leads no longer'),
    20_000,
    'the paused one knows that it leads no longer',
  );
  await sleep(5_000);
  assert.deepEqual(await seen(), before);
  assert.equal(await leader(replicas), next);
  console.log(
    `stopped with ${policies - written} of ${policies} statuses to write, of which it wrote none when it went on`,
  );
});

test('a leader that stops gives the Lease back, and nobody waits for it to run out', { timeout: 120_000 }, async () => {
  replicas.push(await start());
  const last = await leader(replicas);
  const others = replicas.filter((one) => one !== last);
  const stoppedAt = performance.now();
  last.signal('SIGTERM');
  await until(
    async () => (await Promise.all(others.map((one) => one.metric('sallyport_leader')))).includes(1),
    takeOverMs,
    'another leads',
  );
  const ms = Math.round(performance.now() - stoppedAt);
  const { stdout } = await api.kubectl(['get', 'lease', 'sallyport-sallyport', '-n', 'sallyport-system', '-o', 'json']);
  const { spec } = JSON.parse(stdout) as { spec: { leaseTransitions: number; leaseDurationSeconds: number } };
  assert.equal(spec.leaseDurationSeconds, 15);
  assert.ok(ms < 12_000, `${ms} ms, which is less than a lease`);
  console.log(`${ms} ms from SIGTERM until another led, after ${spec.leaseTransitions} transitions`);
});
