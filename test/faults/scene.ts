// One fault, from before it begins until all is well again: who is there, what they see, and what Sallyport says.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../integration/rig.ts';
import type { Client } from '../integration/client.ts';
import type { Replica } from '../replicas/replica.ts';
import type { Replicas } from '../replicas/replicas.ts';
import { cookieOf, signIn, statusOf } from '../replicas/visitor.ts';
import type { Fault, Row, Stage } from './stage.ts';
import { visitAsNewcomer, visitAsProgram, visitToSignOut, visitWith, watch } from './visits.ts';
import type { Seen } from './visits.ts';

/** That a store answers is believed for a second. */
const believedMs = 1_100;
const lastsMs = 3_000;
const tokenSeconds = 4;
const healMs = 60_000;
/** A sign-in that is under way as all becomes well may fail as late as its last step. */
const untilTheLastStep = 4;

/** What happens to sessions while their store is in trouble, seen at the second replica. */
export async function playStoreFault(fault: Fault, stage: Stage): Promise<Row> {
  const { replicas } = stage;
  const { first, second } = replicas;
  await connected(replicas);
  const [known, unknown, leaving] = [await signIn(first.port), await signIn(first.port), await signIn(first.port)];
  for (const session of [known, leaving]) await use(session, second);
  const told = listen(replicas);
  const seen = await whileIn(fault, stage, async (over) => ({
    visits: await Promise.all([
      watchReady(replicas.all, over),
      watch(() => visitWith(known, second), 100, over),
      watch(() => visitWith(unknown, second), 500, over),
      watch(() => visitAsNewcomer(second), 500, over),
      watch(() => visitAsProgram(second), 200, over),
    ]),
    // Whoever leaves makes room for others, where room is what is missing.
    out: await visitToSignOut(leaving, second, first),
    up: await second.metric('sallyport_store_up'),
  }));
  const healedMs = await until(() => isStoreWell(replicas), healMs, 'all is well again');
  const [ready, person, stranger, newcomer, program] = seen.visits;
  return {
    Fault: fault.name,
    'Has a session': words(person),
    '… new to the replica': words(stranger),
    'Has none': words(newcomer),
    'A program without': words(program),
    'Signs out': seen.out,
    '`/readyz`': ready,
    '`store_up`': String(seen.up),
    Log: told(),
    Slowest: seconds(person.slowestMs),
    'Well after': seconds(healedMs),
  };
}

/** What happens to sign-ins and to sessions that are due for a refresh while the provider is in trouble. */
export async function playProviderFault(fault: Fault, stage: Stage): Promise<Row> {
  const { replicas } = stage;
  const { first, second, provider } = replicas;
  await connected(replicas);
  const known = await signIn(first.port);
  provider.tokensLive(tokenSeconds);
  const expired = await signIn(first.port);
  for (const session of [known, expired]) await use(session, second);
  // Whichever token it has by now, be it refreshed already, expires.
  await delay(tokenSeconds * 1_000 + 500);
  provider.tokensLive(3_600);
  const told = listen(replicas);
  const counted = await count(replicas);
  const [ready, person, due, newcomer, program] = await whileIn(fault, stage, (over) =>
    Promise.all([
      watchReady(replicas.all, over),
      watch(() => visitWith(known, second), 100, over),
      watch(() => visitWith(expired, second), 500, over),
      watch(() => visitAsNewcomer(second), 500, over),
      watch(() => visitAsProgram(second), 200, over),
    ]),
  );
  const outcomes = await counted();
  const isWell = async () => (await visitAsNewcomer(second, untilTheLastStep)) === 'signs in';
  const healedMs = await until(isWell, healMs, 'all is well again');
  return {
    Fault: fault.name,
    'Has a session': words(person),
    '… with an expired token': words(due),
    'Has none': words(newcomer),
    'A program without': words(program),
    '`/readyz`': ready,
    'Counted as': outcomes,
    Log: told(),
    Slowest: seconds(Math.max(person.slowestMs, due.slowestMs)),
    'Well after': seconds(healedMs),
  };
}

/** Who has just started may not have reached its store yet. */
async function connected({ all }: Replicas): Promise<void> {
  for (const one of all)
    await until(async () => (await visitAsNewcomer(one, untilTheLastStep)) === 'signs in', healMs, 'people sign in');
}

async function use(session: Client, { port }: Replica): Promise<void> {
  assert.equal(await statusOf(port, cookieOf(session)), 200);
}

async function whileIn<T>(fault: Fault, stage: Stage, see: (over: () => boolean) => Promise<T>): Promise<T> {
  try {
    await stage.begin();
    await delay(believedMs);
    const stopAt = performance.now() + (fault.lastsMs ?? lastsMs);
    return await see(() => performance.now() > stopAt);
  } finally {
    await stage.end();
  }
}

const words = (seen: Seen) => seen.words.join('; then ');
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

/** The two hear of each other again, too: a session that ended at one is not served by the other. */
async function isStoreWell({ first, second }: Replicas): Promise<boolean> {
  if ((await visitAsNewcomer(second, untilTheLastStep)) !== 'signs in') return false;
  for (const replica of [first, second]) if ((await replica.metric('sallyport_store_up')) !== 1) return false;
  const session = await signIn(first.port).catch(() => undefined);
  if (session === undefined || (await statusOf(first.port, cookieOf(session))) !== 200) return false;
  return (await visitToSignOut(session, second, first)) === 'signed out';
}

async function watchReady(replicas: readonly Replica[], over: () => boolean): Promise<string> {
  const seen = await Promise.all(replicas.map((one) => watch(async () => String(await one.readyz()), 200, over)));
  const all = [...new Set(seen.flatMap((one) => one.words))];
  assert.deepEqual(all, ['200'], 'pods stay ready');
  return all.join();
}

/** Warnings and errors of both since now, each once: sorted, for two parts of Sallyport notice a fault in either order. */
function listen({ all }: Replicas): () => string {
  const since = all.map(({ log }) => log.length);
  return () => {
    const told = all
      .flatMap(({ log }, index) => log.slice(since[index]))
      .filter(({ level }) => level === 'warn' || level === 'error')
      .map(({ code, msg }) => (typeof code === 'string' ? `${code}: ${msg}` : msg));
    return [...new Set(told)].toSorted().join('<br>');
  };
}

/** How sign-ins and refreshes ended since now, at both. */
async function count({ all }: Replicas): Promise<() => Promise<string>> {
  const read = async () => (await Promise.all(all.map((one) => one.metrics()))).map(outcomesOf);
  const before = await read();
  return async () => {
    const grown = (await read()).flatMap((page, index) =>
      [...page].filter(([name, value]) => value > (before[index]?.get(name) ?? 0)).map(([name]) => name),
    );
    return [...new Set(grown)].toSorted().join(', ');
  };
}

const outcomesOf = (page: string) =>
  new Map(
    [...page.matchAll(/^sallyport_(sign_ins|refreshes)_total\{outcome="(\w+)"\} (\d+)$/gm)].map(
      ([, metric = '', outcome = '', value]) => [`\`${metric}\` ${outcome}`, Number(value)] as const,
    ),
  );
