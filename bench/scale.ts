// What 10,000 Ingresses cost, against a real kube-apiserver: `make bench-scale`. Prints a table, which bench/scale.md keeps, and says which figure was missed.
import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFarHost } from '../test/cluster/far-host.ts';
import { hasPolicy, ingressOf, policyOf, sliceOf } from './scale-objects.ts';
import type { Place, Sent } from './scale-objects.ts';
import { each, fill, startApi, startSubject, valueOf } from './scale-rig.ts';
import type { Api, Subject } from './scale-rig.ts';
import { rowsOf } from './scale-table.ts';
import type { Figures } from './scale-table.ts';
import { createClient, send } from './scale-traffic.ts';
import type { Client } from './scale-traffic.ts';

const count = Number(process.env['INGRESSES'] ?? 10_000);
const trafficSeconds = Number(process.env['SECONDS'] ?? 60);
const changesPerSecond = 20;
const measuredChanges = Math.min(400, count);
const burst = Math.min(500, count);
const requestsPerSecond = Number(process.env['RATE'] ?? 2_000);

const say = (text: string) => console.error(`${new Date().toISOString()} ${text}`);
/** An order that goes through all namespaces. */
const scattered = (turn: number): number => (turn * 6_151) % count;

/** Asks every host until it serves; how many did not at first, and when the last did, in milliseconds. */
async function untilAllServe(client: Client): Promise<{ readonly late: number; readonly afterMs: number }> {
  const began = performance.now();
  let late = 0;
  const waiting = Array.from({ length: count }, (_, index) => index).values();
  const worker = async () => {
    for (const index of waiting) {
      for (let tries = 0; (await client.ask(index)).status !== 200; tries += 1) {
        if (tries === 0) late += 1;
        if (performance.now() - began > 120_000) throw new Error(`host ${index} is not served`);
        await sleep(20);
      }
    }
  };
  await Promise.all(Array.from({ length: 48 }, worker));
  return { late, afterMs: performance.now() - began };
}

/** From the acknowledgement of a change until a request shows it, in milliseconds. */
async function untilSeen(client: Client, index: number, name: string, from: number): Promise<number> {
  while ((await client.ask(index)).address !== name) {
    if (performance.now() - from > 30_000) throw new Error(`host ${index} is not served by ${name}`);
    await sleep(1);
  }
  return performance.now() - from;
}

type Application = Place & { readonly name: string };

async function changeOneByOne(api: Api, client: Client, to: Application): Promise<readonly number[]> {
  const seen: Promise<number>[] = [];
  const began = performance.now();
  for (let turn = 0; turn < measuredChanges; turn += 1) {
    await sleep(Math.max(0, began + (turn * 1_000) / changesPerSecond - performance.now()));
    const index = scattered(turn);
    seen.push(api.apply(sliceOf(index, [to])).then(() => untilSeen(client, index, to.name, performance.now())));
  }
  return Promise.all(seen);
}

async function changeAtOnce(api: Api, client: Client, to: Application) {
  const indices = Array.from({ length: burst }, (_, turn) => scattered(turn));
  const began = performance.now();
  await each(
    indices.map((index) => sliceOf(index, [to])),
    api.apply,
  );
  const acknowledged = performance.now();
  await Promise.all(indices.map((index) => untilSeen(client, index, to.name, acknowledged)));
  return { acknowledgedMs: acknowledged - began, servedMs: performance.now() - acknowledged };
}

/** Changes of every kind until it is stopped: endpoints that roll, Ingresses and Policies in between. */
function changeOn(api: Api, applications: readonly Application[]) {
  /** Of a host, the application that is no longer behind it, and since when. */
  const gone = new Map<number, { readonly name: string; readonly at: number }>();
  let changes = 0;
  const apply = async (turn: number): Promise<void> => {
    const index = scattered(turn);
    const change = changeAt(index, turn);
    if (change !== undefined) return api.apply(change);
    const [from, to] = [applications[0], applications[1 + (turn % 2)]];
    if (from === undefined || to === undefined || gone.has(index)) return;
    // As a rollout does: the new one comes before the old one goes.
    await api.apply(sliceOf(index, [from, to]));
    await sleep(200);
    await api.apply(sliceOf(index, [to]));
    gone.set(index, { name: from.name, at: performance.now() });
  };
  const clock = setInterval(() => void apply((changes += 1)), 1_000 / changesPerSecond);
  return {
    gone,
    changes: () => changes,
    stop: () => clearInterval(clock),
  };
}

function changeAt(index: number, turn: number): Sent | undefined {
  if (turn % 4 === 3) return ingressOf(index, `/v${turn}`);
  return turn % 4 === 1 && hasPolicy(index) ? policyOf(index, `M${turn}`) : undefined;
}

async function traffic(api: Api, client: Client, applications: readonly Application[]) {
  say('traffic without changes');
  const calm = await send(client, count, requestsPerSecond, Math.min(20, trafficSeconds));
  say('traffic during changes');
  const changing = changeOn(api, applications);
  let astray = 0;
  const busy = await send(client, count, requestsPerSecond, trafficSeconds, (index, { address }, askedAt) => {
    const left = changing.gone.get(index);
    if (left !== undefined && left.name === address && askedAt - left.at > 1_000) astray += 1;
  });
  changing.stop();
  return { calm, busy, astray, changes: changing.changes() };
}

async function workOf(subject: Subject, work: () => Promise<unknown>) {
  const [before, cpuBefore] = [await subject.metrics(), await subject.cpuSeconds()];
  await work();
  await sleep(500);
  const [after, cpuAfter] = [await subject.metrics(), await subject.cpuSeconds()];
  const more = (name: string) => valueOf(after, name) - valueOf(before, name);
  return {
    translated: more('sallyport_translated_ingresses_total'),
    sent: more('sallyport_hosts_sent_total'),
    cpuSeconds: cpuAfter - cpuBefore,
  };
}

async function pageSizeOf(api: Api, places: readonly Place[]): Promise<number> {
  await fill(api, 10, places);
  const subject = await startSubject(api.kubeconfig);
  const client = createClient(subject);
  for (let index = 0; index < 10; index += 1) await client.ask(index);
  const size = (await subject.metrics()).length;
  client.close();
  await subject.stop();
  return size;
}

async function measure(api: Api, applications: readonly Application[]): Promise<Figures> {
  const [first, second, third] = applications;
  if (first === undefined || second === undefined || third === undefined)
    throw new Error('three applications are needed');
  const smallPage = await pageSizeOf(api, [first]);
  say(`making ${count} Ingresses`);
  await fill(api, count, [first]);
  await sleep(2_000);
  const listMs = await api.listMs();
  say('start');
  const subject = await startSubject(api.kubeconfig);
  const client = createClient(subject);
  try {
    const { late, afterMs } = await untilAllServe(client);
    const startMs = subject.readyMs + (late > 0 ? afterMs : 0) - listMs;
    const rssAtRest = await subject.rssMegabytes();
    say(`ready after ${subject.readyMs.toFixed(0)} ms, lists ${listMs.toFixed(0)} ms, ${late} hosts late; changes`);
    let latenciesMs: readonly number[] = [];
    const work = await workOf(subject, async () => (latenciesMs = await changeOneByOne(api, client, second)));
    say('many at once');
    const many = await changeAtOnce(api, client, third);
    const flow = await traffic(api, client, applications);
    const largePage = (await subject.metrics()).length;
    const rss = await subject.rssMegabytes();
    return {
      listMs,
      startMs,
      late,
      single: { changes: measuredChanges, perSecond: changesPerSecond, latenciesMs, ...work },
      many: { changes: burst, ...many },
      flow: { ...flow, perSecond: requestsPerSecond, seconds: trafficSeconds },
      rss: { atRest: rssAtRest, atEnd: rss },
      page: { small: smallPage, large: largePage },
    };
  } finally {
    client.close();
    await subject.stop();
  }
}

const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GB`;
const kernel = execFileSync('uname', ['-sr'], { encoding: 'utf8' }).trim();
const stops: (() => Promise<unknown>)[] = [];
try {
  const api = await startApi();
  stops.push(api.stop);
  const applications: Application[] = [];
  for (const [at, name] of ['first', 'second', 'third'].entries()) {
    const host = await startFarHost(name, 21 + at);
    stops.push(host.stop);
    applications.push({ name, address: host.address, port: host.port });
  }
  const rows = rowsOf(await measure(api, applications));
  console.log(`# What ${count.toLocaleString('en')} Ingresses cost

\`make bench-scale\`, on ${cpus().length} × ${cpus()[0]?.model ?? 'an unknown processor'}, ${memory}, ${kernel}, Node.js ${process.version}. All of it shares this
machine: etcd, kube-apiserver, three applications, the load and Sallyport.

| what | figure | must | aim | |
|---|---|---|---|---|`);
  for (const { what, figure, must, aim, verdict } of rows) {
    console.log(`| ${what} | ${figure} | ${must} | ${aim} | ${verdict} |`);
  }
  console.log(`
${count.toLocaleString('en')} Ingresses in ${Math.ceil(count / 50)} namespaces, each with its host, Service and EndpointSlice; every fifth with a Policy, every fifth with a
certificate, whose host is asked over TLS. Sallyport is one process of all roles. Each request is timed from when it was due.`);
} finally {
  for (const stop of stops.toReversed()) await stop();
}
