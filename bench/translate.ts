// What a change costs from the watch to the table, at any size: `make bench-translate`. Prints a table, which bench/translate.md keeps, and says which aim was missed.
import { cpus } from 'node:os';
import { createDiagnosticLog } from '../src/cli/diagnostics.ts';
import { createController } from '../src/controller.ts';
import { createObjectCache } from '../src/inventory/cache.ts';
import type { ObjectCache } from '../src/inventory/cache.ts';
import type { KubernetesClient } from '../src/kubernetes/client.ts';
import { createEventWriter } from '../src/kubernetes/events.ts';
import { createStatusWriter } from '../src/kubernetes/statuses.ts';
import { reachKey } from '../src/model/objects.ts';
import { applyUpdate, emptyTable, tableUpdate } from '../src/model/route.ts';
import type { RouteTable } from '../src/model/route.ts';
import { defaultClassSettings } from '../src/model/settings.ts';
import { createLogger, createMetrics } from '../src/telemetry.ts';
import type { Translation } from '../src/translate/translate.ts';
import { createCertify, hasPolicy, ingressOf, objectsOf, policyOf, sliceOf } from './scale-objects.ts';
import type { Sent } from './scale-objects.ts';

const sizes = (process.env['SIZES'] ?? '100,1000,10000,50000').split(',').map(Number);
const changes = 60;
const mustMs = new Map([
  [10_000, 10],
  [50_000, 50],
]);
const place = { address: '10.1.2.3', port: 8080 };

/** Milliseconds of the processor: others may be using it, too. */
function createStopwatch() {
  const spent = new Map<string, number[]>();
  return {
    measure<T>(step: string, work: () => T): T {
      const before = process.cpuUsage();
      const result = work();
      const { user, system } = process.cpuUsage(before);
      spent.set(step, [...(spent.get(step) ?? []), (user + system) / 1000]);
      return result;
    },
    median(step: string): number {
      const values = (spent.get(step) ?? []).toSorted((a, b) => a - b);
      return values[Math.floor(values.length / 2)] ?? Number.NaN;
    },
    forget: () => spent.clear(),
  };
}

/** A change as somebody makes it: mostly endpoints, now and then an Ingress or a Policy. */
function changeOf(index: number, turn: number): Sent {
  if (turn % 3 === 1) return ingressOf(index, `/v${turn}`);
  if (turn % 3 === 2 && hasPolicy(index)) return policyOf(index, `M${turn}`);
  return sliceOf(index, [{ ...place, address: `10.2.${turn % 250}.1` }]);
}

function put(cache: ObjectCache, { collection, object }: Sent): void {
  cache.put(collection, JSON.parse(JSON.stringify(object)) as typeof object);
}

const steps = ['take in', 'the whole round', 'message', 'swap', 'report'] as const;

function measure(size: number) {
  const watch = createStopwatch();
  const cache = createObjectCache();
  for (const collection of ['secrets', 'configMaps'] as const) cache.putReach(reachKey(collection), 'Listed');
  for (const sent of objectsOf(size, [place], certify)) put(cache, sent);

  const log = createLogger('silent');
  const client: KubernetesClient = {
    request: () => new Promise(() => undefined),
    stream: () => {
      throw new Error('nothing is watched here');
    },
  };
  const writing = { client, fieldManager: 'sallyport/sallyport', log, now: Date.now };
  const writers = [createStatusWriter(writing), createEventWriter(writing)];
  const diagnosticLog = createDiagnosticLog(log);
  let table = emptyTable(defaultClassSettings);
  let served: RouteTable = table;
  let sent = 0;
  const controller = createController({
    translate: { className: 'sallyport', installationNamespace: 'sallyport-system', fromFolder: false },
    reference: () => undefined,
    publish({ settings, hosts }: Translation) {
      const next = { generation: table.generation + 1, settings, hosts };
      const update = watch.measure('message', () => tableUpdate(table, next));
      served = watch.measure('swap', () => applyUpdate(served, update));
      table = next;
      sent += update.changed.length + update.removed.length;
    },
    report(translation, inventory) {
      watch.measure('report', () => {
        diagnosticLog(translation.diagnostics);
        for (const writer of writers) writer.report(translation, inventory);
      });
    },
    log,
    metrics: createMetrics(),
  });

  watch.measure('start', () => controller.onInventory(cache.snapshot()));
  if (served.hosts.size !== size) throw new Error(`${served.hosts.size} hosts instead of ${size}`);
  const start = watch.median('start');
  watch.forget();
  sent = 0;
  for (let turn = 0; turn < changes; turn += 1) {
    const change = changeOf((turn * 35) % size, turn);
    const inventory = watch.measure('take in', () => {
      put(cache, change);
      return cache.snapshot();
    });
    watch.measure('the whole round', () => controller.onInventory(inventory));
  }
  controller.stop();
  for (const writer of writers) void writer.stop();
  return { size, start, sent, medians: steps.map((step) => watch.median(step)) };
}

const verdict = (value: number, aim: number | undefined) =>
  aim === undefined ? '' : `${value <= aim ? 'met' : '**missed**'}: ${aim} ms`;

const certify = createCertify();
// Compiled before it is measured.
measure(500);
console.log(`# What a change costs

\`make bench-translate\`, on ${cpus()[0]?.model ?? 'an unknown processor'}, Node.js ${process.version}. Milliseconds of the processor.

| Ingresses | start: translate all, and publish | µs an Ingress | ${steps.join(' | ')} | must |
|---|---|---|${steps.map(() => '---|').join('')}---|`);
for (const size of sizes) {
  const { start, sent, medians } = measure(size);
  if (sent !== changes) throw new Error(`${sent} hosts were sent for ${changes} changes of one host each`);
  const [taken = 0, round = 0] = medians;
  const figures = medians.map((ms) => ms.toFixed(2)).join(' | ');
  console.log(
    `| ${size.toLocaleString('en')} | ${start.toFixed(0)} | ${((start / size) * 1000).toFixed(0)} | ${figures} | ${verdict(taken + round, mustMs.get(size))} |`,
  );
}
console.log(`
Each size has its Ingresses, as many Services and EndpointSlices, and a fifth as many Policies and certificates. Medians of
${changes} changes, each to one host: its endpoints, its Ingress, its Policy. *Take in* is what the inventory does with an object
that the watch brings; *the whole round* is everything from there on, of which *message* (which hosts changed), *swap* (the
proxy's new table) and *report* (statuses, Events, log) are parts, and translation is the rest.`);
process.exit(0);
