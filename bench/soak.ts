// Changes and traffic for MINUTES (30): `make soak`. Prints the memory of each minute, and fails where it grows by more than a tenth after the first fifth.
import { setTimeout as sleep } from 'node:timers/promises';
import { startFarHost } from '../test/cluster/far-host.ts';
import { hasPolicy, ingressOf, policyOf, sliceOf } from './scale-objects.ts';
import { fill, startApi, startSubject, valueOf } from './scale-rig.ts';
import { createClient, send } from './scale-traffic.ts';

const minutes = Number(process.env['MINUTES'] ?? 30);
const count = Number(process.env['INGRESSES'] ?? 1_000);
const requestsPerSecond = Number(process.env['RATE'] ?? 300);
const changesPerSecond = 20;
const mayGrow = 1.1;

const stops: (() => Promise<unknown>)[] = [];
const rss: number[] = [];
let failed = 0;
try {
  const api = await startApi();
  stops.push(api.stop);
  const hosts = [];
  for (const [at, name] of ['first', 'second'].entries()) {
    const host = await startFarHost(name, 31 + at);
    stops.push(host.stop);
    hosts.push(host);
  }
  const [first, second] = hosts;
  if (first === undefined || second === undefined) throw new Error('two applications are needed');
  await fill(api, count, [first]);
  const subject = await startSubject(api.kubeconfig);
  stops.push(subject.stop);
  const client = createClient(subject);
  let turn = 0;
  const change = async () => {
    turn += 1;
    const index = (turn * 6_151) % count;
    if (turn % 4 === 3) await api.apply(ingressOf(index, `/v${turn}`));
    else if (turn % 4 === 1 && hasPolicy(index)) await api.apply(policyOf(index, `M${turn}`));
    else await api.apply(sliceOf(index, [turn % 2 === 0 ? first : second]));
  };
  const clock = setInterval(() => void change(), 1_000 / changesPerSecond);
  console.log('minute | RSS, MB | changes | requests failed | rounds');
  for (let minute = 1; minute <= minutes; minute += 1) {
    const sent = await send(client, count, requestsPerSecond, 60);
    failed += sent.failed;
    rss.push(await subject.rssMegabytes());
    const rounds = valueOf(await subject.metrics(), 'sallyport_rounds_total');
    console.log(`${minute} | ${rss.at(-1)?.toFixed(0)} | ${turn} | ${sent.failed} | ${rounds}`);
  }
  clearInterval(clock);
  await sleep(500);
  client.close();
} finally {
  for (const stop of stops.toReversed()) await stop();
}

// Single readings go up and down with the collector: the last fifth against the one after the warm-up.
const part = Math.max(1, Math.floor(rss.length / 5));
const highest = (values: readonly number[]) => Math.max(...values);
const before = highest(rss.slice(part, 2 * part));
const after = highest(rss.slice(-part));
// Of a few readings nothing can be said.
const grown = part >= 3 && after > before * mayGrow;
console.log(`${before.toFixed(0)} MB after the warm-up, ${after.toFixed(0)} MB at the end; ${failed} requests failed`);
if (grown || failed > 0) process.exitCode = 1;
