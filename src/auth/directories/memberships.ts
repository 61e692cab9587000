// Which groups people are in by their provider's directory: in memory, read again at an interval, believed for a bounded time while it is away.
import { LRUCache } from 'lru-cache';
import { DirectoryError } from './directory-error.ts';
import type { Directory, Person } from './directory.ts';
import type { Logger, Metrics } from '../../telemetry.ts';

export interface MembershipsOptions {
  readonly directory: Directory;
  /** For the log: the IdentityProvider's name. */
  readonly provider: string;
  /** How long what the directory said counts before it is asked again. */
  readonly intervalMs: number;
  /** How much longer it counts while the directory does not answer; after that nobody can tell who is in which group. */
  readonly graceMs: () => number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface Membership {
  /** `undefined`: nobody can tell. */
  readonly groups: readonly string[] | undefined;
  /** Ask again after this moment, milliseconds since the epoch. */
  readonly renewAt: number;
}

export interface Memberships {
  /** Never fails, and waits three seconds at the most. */
  groupsOf(person: Person): Promise<Membership>;
  close(): Promise<void>;
}

/** What one person's request waits for a directory. A read goes on after it, and the next request has it. */
const maxWaitMs = 3_000;
/** Where there was no answer, the data path asks again this soon. */
const soonMs = 5_000;
const maxPeople = 50_000;
/** Reads at a time: after a restart, thousands are due at once. */
const maxReads = 8;
const firstPauseMs = 1_000;
const maxPauseMs = 60_000;
/** However long a directory wants not to be asked, it is asked again within this time. */
const maxWantedPauseMs = 3_600_000;

interface Known {
  readonly groups: readonly string[];
  readonly at: number;
}

interface Entry {
  known?: Known;
  reading?: Promise<void>;
  /** After a refusal that concerns this person: not before. */
  notBefore: number;
}

export function createMemberships(options: MembershipsOptions): Memberships {
  const { directory, intervalMs, graceMs, now } = options;
  const people = new LRUCache<string, Entry>({ max: maxPeople });
  const turns = createTurns(maxReads);
  const pause = createPause(options);

  async function read(person: Person, entry: Entry): Promise<void> {
    const leave = await turns.enter(entry.known === undefined);
    try {
      // It may have failed for others while this one waited.
      if (!pause.isOver()) return;
      const at = now();
      const groups = await directory.groupsOf(person);
      entry.known = { groups: [...new Set(groups)], at };
      pause.succeeded();
    } catch (error) {
      const failure =
        error instanceof DirectoryError
          ? error
          : new DirectoryError('denied', 'it could not be asked', { cause: error });
      if (failure.code === 'denied') entry.notBefore = now() + maxPauseMs;
      pause.failed(failure);
    } finally {
      leave();
      delete entry.reading;
    }
  }

  return {
    async groupsOf(person) {
      const entry = people.get(person.subject) ?? { notBefore: 0 };
      people.set(person.subject, entry);
      const freshUntil = () => (entry.known?.at ?? -Infinity) + intervalMs;
      if (now() >= freshUntil() && now() >= entry.notBefore && pause.isOver()) {
        entry.reading ??= read(person, entry);
      }
      if (now() >= freshUntil() && entry.reading !== undefined) await atMost(entry.reading, maxWaitMs);
      if (now() < freshUntil()) return { groups: entry.known?.groups, renewAt: freshUntil() };
      const isStale = now() < freshUntil() + graceMs();
      options.metrics.directoryOutdated.inc({ groups: isStale ? 'Stale' : 'Unknown' });
      return { groups: isStale ? entry.known?.groups : undefined, renewAt: now() + soonMs };
    },
    async close() {
      await directory.close();
    },
  };
}

async function atMost(reading: Promise<void>, waitMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, waitMs);
  await Promise.race([reading, promise]);
  clearTimeout(timer);
}

/** So many at a time. Whoever is not known yet comes before those of whom something is known. */
function createTurns(max: number) {
  const first: (() => void)[] = [];
  const again: (() => void)[] = [];
  let taken = 0;
  const leave = () => {
    const next = first.shift() ?? again.shift();
    if (next === undefined) taken -= 1;
    else next();
  };
  return {
    async enter(isFirst: boolean): Promise<() => void> {
      if (taken < max) {
        taken += 1;
        return leave;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      (isFirst ? first : again).push(resolve);
      await promise;
      return leave;
    },
  };
}

/** While a directory is away or wants not to be asked, nobody is asked for: each failure in a row doubles the time. */
function createPause({ provider, now, log, metrics }: MembershipsOptions) {
  let until = 0;
  let failures = 0;
  let isAway = false;
  let denialLoggedAt = -Infinity;

  // It concerns one person, or everybody: of thousands, one line a minute.
  function denied(err: DirectoryError) {
    metrics.directoryReads.inc({ outcome: 'Denied' });
    if (now() - denialLoggedAt < maxPauseMs) return;
    denialLoggedAt = now();
    log.warn({ err, provider }, 'the directory does not let us ask who is in which group');
  }

  return {
    isOver: () => now() >= until,
    succeeded() {
      metrics.directoryReads.inc({ outcome: 'Read' });
      failures = 0;
      if (isAway) log.info({ provider }, 'the directory answers again');
      isAway = false;
    },
    failed(error: DirectoryError) {
      if (error.code === 'denied') return denied(error);
      metrics.directoryReads.inc({ outcome: 'Unavailable' });
      if (!isAway) log.warn({ err: error, provider }, 'the directory does not answer');
      isAway = true;
      const own = Math.min(firstPauseMs * 2 ** Math.min(failures, 10), maxPauseMs);
      failures += 1;
      until = Math.max(until, now() + Math.min(error.retryAfterMs ?? own, maxWantedPauseMs));
    },
  };
}
