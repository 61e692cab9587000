// Groups of a directory, remembered: when it is asked, how often, by how many at once, and what counts while it is away.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { DirectoryError } from '../../src/auth/directories/directory-error.ts';
import type { Person } from '../../src/auth/directories/directory.ts';
import { createMemberships } from '../../src/auth/directories/memberships.ts';
import { createLogger, createMetrics } from '../../src/telemetry.ts';

const minute = 60_000;
const person = (subject: string): Person => ({ subject, claims: {} });
const ana = person('ana');

/** A directory that answers as it is told. */
function createFake() {
  const fake = {
    groups: ['engineering'] as readonly string[],
    failure: undefined as Error | undefined,
    reads: [] as string[],
    /** Reads that wait until a test lets them go. */
    held: undefined as (() => void)[] | undefined,
    running: 0,
    most: 0,
    async groupsOf({ subject }: Person) {
      fake.reads.push(subject);
      fake.running += 1;
      fake.most = Math.max(fake.most, fake.running);
      const { groups, failure, held } = fake;
      await new Promise<void>((go) => (held === undefined ? queueMicrotask(go) : held.push(go)));
      fake.running -= 1;
      if (failure !== undefined) throw failure;
      return groups;
    },
    close: async () => {},
  };
  return fake;
}

/** Memberships over it, at a clock that stands until it is put forward. */
function createRig() {
  const lines: { msg: string; level: string }[] = [];
  const metrics = createMetrics();
  const directory = createFake();
  const clock = { at: 1_000_000 };
  const memberships = createMemberships({
    directory,
    provider: 'okta',
    intervalMs: 10 * minute,
    graceMs: () => 5 * minute,
    now: () => clock.at,
    log: createLogger('info', (line) => lines.push(JSON.parse(line) as { msg: string; level: string })),
    metrics,
  });
  return {
    directory,
    clock,
    lines,
    memberships,
    groupsOf: async (who = ana) => (await memberships.groupsOf(who)).groups,
    async counted(name: string) {
      const text = await metrics.registry.metrics();
      return text.split('\n').filter((line) => line.startsWith(`sallyport_directory_${name}`));
    },
  };
}

test('asked once in an interval, and told when to ask again', async () => {
  const rig = createRig();
  assert.deepEqual(await rig.memberships.groupsOf(ana), {
    groups: ['engineering'],
    renewAt: rig.clock.at + 10 * minute,
  });
  const readAt = rig.clock.at;
  rig.clock.at += 10 * minute - 1;
  assert.deepEqual(await rig.memberships.groupsOf(ana), { groups: ['engineering'], renewAt: readAt + 10 * minute });
  assert.deepEqual(rig.directory.reads, ['ana']);
});

test('a group that somebody left is gone at the end of the interval', async () => {
  const rig = createRig();
  await rig.groupsOf();
  rig.directory.groups = [];
  const { renewAt } = await rig.memberships.groupsOf(ana);
  rig.clock.at = renewAt;
  assert.deepEqual(await rig.groupsOf(), []);
});

test('the interval counts from before the question: what changed meanwhile is asked for again in time', async () => {
  const rig = createRig();
  rig.directory.held = [];
  const asking = rig.memberships.groupsOf(ana);
  await settled();
  const askedAt = rig.clock.at;
  rig.clock.at += 2_000;
  rig.directory.held[0]?.();
  assert.equal((await asking).renewAt, askedAt + 10 * minute);
});

test('many requests of one person at once are one read', async () => {
  const rig = createRig();
  await Promise.all(Array.from({ length: 100 }, () => rig.groupsOf()));
  assert.equal(rig.directory.reads.length, 1);
});

test('10,000 people at once are eight reads at a time, and whoever is unknown comes first', async () => {
  const rig = createRig();
  const known = Array.from({ length: 100 }, (_, index) => person(`known-${index}`));
  await Promise.all(known.map((one) => rig.groupsOf(one)));
  rig.clock.at += 11 * minute;
  rig.directory.reads.length = 0;
  rig.directory.most = 0;
  const unknown = Array.from({ length: 9_900 }, (_, index) => person(`new-${index}`));
  const all = await Promise.all([...known, ...unknown].map((one) => rig.groupsOf(one)));
  assert.ok(all.every((groups) => groups?.length === 1));
  assert.equal(rig.directory.most, 8);
  assert.equal(rig.directory.reads.length, 10_000);
  assert.deepEqual(
    rig.directory.reads.slice(8, -92).filter((subject) => subject.startsWith('known')),
    [],
    'beside the first eight, those known before come last',
  );
});

test('while the directory is away the groups of before count, for the grace and no longer', async () => {
  const rig = createRig();
  await rig.groupsOf();
  rig.directory.failure = new DirectoryError('unavailable', 'away');
  rig.clock.at += 10 * minute;
  assert.deepEqual(await rig.memberships.groupsOf(ana), { groups: ['engineering'], renewAt: rig.clock.at + 5_000 });
  rig.clock.at += 5 * minute - 1;
  assert.deepEqual(await rig.groupsOf(), ['engineering']);
  rig.clock.at += 1;
  assert.equal(await rig.groupsOf(), undefined, 'and then nobody can tell');
  assert.deepEqual(await rig.counted('outdated'), [
    'sallyport_directory_outdated_total{groups="Stale"} 2',
    'sallyport_directory_outdated_total{groups="Unknown"} 1',
  ]);
  rig.directory.failure = undefined;
  rig.clock.at += minute;
  assert.deepEqual(await rig.groupsOf(), ['engineering'], 'and all heals');
  assert.deepEqual(
    rig.lines.map(({ level, msg }) => [level, msg]),
    [
      ['warn', 'the directory does not answer'],
      ['info', 'the directory answers again'],
    ],
  );
});

test('after a first read that fails nobody can tell, and is tried again soon', async () => {
  const rig = createRig();
  rig.directory.failure = new DirectoryError('unavailable', 'away');
  assert.deepEqual(await rig.memberships.groupsOf(ana), { groups: undefined, renewAt: rig.clock.at + 5_000 });
  rig.directory.failure = undefined;
  rig.clock.at += 5_000;
  assert.deepEqual(await rig.groupsOf(), ['engineering']);
});

test('a directory that hangs is waited for three seconds, and what it says later counts', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const rig = createRig();
    rig.directory.held = [];
    const asking = rig.memberships.groupsOf(ana);
    await settled();
    mock.timers.tick(2_999);
    let isDone = false;
    void asking.then(() => (isDone = true));
    await settled();
    assert.equal(isDone, false);
    mock.timers.tick(1);
    assert.equal((await asking).groups, undefined);
    rig.directory.held[0]?.();
    await settled();
    assert.deepEqual(await rig.groupsOf(), ['engineering']);
    assert.equal(rig.directory.reads.length, 1);
  } finally {
    mock.timers.reset();
  }
});

test('Retry-After is kept, for everybody', async () => {
  const rig = createRig();
  rig.directory.failure = new DirectoryError('unavailable', 'too often', { retryAfterMs: 90_000 });
  await rig.groupsOf();
  rig.directory.failure = undefined;
  rig.clock.at += 89_999;
  await rig.groupsOf();
  await rig.groupsOf(person('eve'));
  assert.deepEqual(rig.directory.reads, ['ana']);
  rig.clock.at += 1;
  assert.deepEqual(await rig.groupsOf(person('eve')), ['engineering']);
});

test('without it, each failure in a row doubles the time, up to a minute; a success begins anew', async () => {
  const rig = createRig();
  rig.directory.failure = new DirectoryError('unavailable', 'away');
  const begun = rig.clock.at;
  const tried: number[] = [];
  while (rig.clock.at < begun + 300_000) {
    const before = rig.directory.reads.length;
    await rig.groupsOf();
    if (rig.directory.reads.length > before) tried.push((rig.clock.at - begun) / 1000);
    rig.clock.at += 1_000;
  }
  assert.deepEqual(tried, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
  rig.directory.failure = undefined;
  rig.clock.at += minute;
  await rig.groupsOf();
  rig.directory.failure = new DirectoryError('unavailable', 'away');
  rig.clock.at += 11 * minute;
  await rig.groupsOf();
  const { length } = rig.directory.reads;
  rig.clock.at += 1_000;
  await rig.groupsOf();
  assert.equal(rig.directory.reads.length, length + 1);
});

test('those who wait for a turn are not asked for once one before them was told to wait', async () => {
  const rig = createRig();
  rig.directory.failure = new DirectoryError('unavailable', 'too often', { retryAfterMs: 60_000 });
  await Promise.all(Array.from({ length: 1_000 }, (_, index) => rig.groupsOf(person(`${index}`))));
  assert.equal(rig.directory.reads.length, 8);
});

test('a refusal concerns one person: the others are asked for, and the log has one line a minute', async () => {
  const rig = createRig();
  rig.directory.failure = new DirectoryError('denied', 'not one of ours');
  for (let index = 0; index < 50; index += 1) assert.equal(await rig.groupsOf(person(`${index}`)), undefined);
  assert.equal(rig.directory.reads.length, 50);
  assert.equal(rig.lines.length, 1);
  rig.clock.at += 30_000;
  await rig.groupsOf(person('0'));
  assert.equal(rig.directory.reads.length, 50, 'nobody is asked for again within a minute');
  rig.directory.failure = undefined;
  assert.deepEqual(await rig.groupsOf(), ['engineering']);
  assert.deepEqual(await rig.counted('reads'), [
    'sallyport_directory_reads_total{outcome="Denied"} 50',
    'sallyport_directory_reads_total{outcome="Read"} 1',
  ]);
});

test('a fault of ours is no way in, and ends nothing', async () => {
  const rig = createRig();
  rig.directory.failure = new TypeError('a fault');
  assert.equal(await rig.groupsOf(), undefined);
});

test('no more than 50,000 people are remembered, those who came last', async () => {
  const rig = createRig();
  for (let index = 0; index <= 50_000; index += 1) await rig.groupsOf(person(`${index}`));
  await rig.groupsOf(person('50000'));
  await rig.groupsOf(person('1'));
  assert.equal(rig.directory.reads.length, 50_001);
  await rig.groupsOf(person('0'));
  assert.equal(rig.directory.reads.length, 50_002);
});

/** Lets everything that waits for no timer go on. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}
