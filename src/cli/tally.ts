// Decisions, counted by what they have in common, in bounded memory: how many, of whom, from when to when, and why.
import type { DecisionLine } from '../model/decision-line.ts';
import { reasons } from '../model/reason.ts';
import { printable } from './layout.ts';

/** The decisions of one group. */
export interface Tally {
  readonly requests: number;
  /** E-mail addresses, else the names that providers give; not more than `maxPeople` of them. */
  readonly people: readonly string[];
  /** There were more people than are named. */
  readonly hasMorePeople: boolean;
  /** Requests of nobody who was signed in. */
  readonly anonymous: number;
  /** RFC 3339. */
  readonly first: string;
  readonly last: string;
  /** The request id of one of them. */
  readonly example: string;
  readonly reasons: readonly string[];
}

const maxPeople = 1000;
/** Of routes, policies and rules there are never as many: beyond it somebody has made them up. */
const maxGroups = 10_000;
const maxReasons = 100;

interface Counting extends Tally {
  requests: number;
  anonymous: number;
  first: string;
  last: string;
  hasMorePeople: boolean;
}

export interface Tallies<Key extends object> {
  add(key: Key, line: DecisionLine, why: readonly string[]): void;
  /** The largest first. */
  all(): readonly (Key & Tally)[];
  /** Requests that no group had room for. */
  readonly omitted: number;
}

export function createTallies<Key extends object>(): Tallies<Key> {
  const groups = new Map<
    string,
    { key: Key; count: (line: DecisionLine, why: readonly string[]) => void; tally: Tally }
  >();
  let omitted = 0;
  return {
    add(key, line, why) {
      const name = JSON.stringify(key);
      let group = groups.get(name);
      if (group === undefined && groups.size < maxGroups) {
        group = { key, ...createTally(line) };
        groups.set(name, group);
      }
      if (group === undefined) omitted += 1;
      else group.count(line, why);
    },
    all: () =>
      [...groups.values()]
        .map(({ key, tally }) => ({ ...key, ...tally }))
        .toSorted((one, other) => other.requests - one.requests),
    get omitted() {
      return omitted;
    },
  };
}

export function createTally({ id, time }: Pick<DecisionLine, 'id' | 'time'>) {
  const [people, why] = [new Set<string>(), new Set<string>()];
  const tally: Counting = {
    requests: 0,
    get people() {
      return [...people];
    },
    hasMorePeople: false,
    anonymous: 0,
    first: time,
    last: time,
    example: id,
    get reasons() {
      return [...why];
    },
  };
  const count = (line: DecisionLine, because: readonly string[]): void => {
    tally.requests += 1;
    if (line.time < tally.first) tally.first = line.time;
    if (line.time > tally.last) tally.last = line.time;
    for (const reason of because) if (why.size < maxReasons) why.add(reason);
    const person = line.email ?? line.serviceAccount ?? line.user;
    if (person === undefined) tally.anonymous += 1;
    else if (people.size < maxPeople) people.add(person);
    else tally.hasMorePeople ||= !people.has(person);
  };
  return { tally: tally as Tally, count };
}

const namedPeople = 5;

/** `12 requests: 9 by 2 people (ana@example.com, eve@example.org), 3 without a sign-in`. */
export function describeWho(tally: Tally): string {
  const { requests, people, hasMorePeople, anonymous } = tally;
  const asked = count(requests, 'request');
  if (people.length === 0) return `${asked} without a sign-in`;
  const named = people.slice(0, namedPeople).map(printable).join(', ');
  const more = people.length - namedPeople;
  const rest = more > 0 ? `, and ${hasMorePeople ? 'at least ' : ''}${more} more` : '';
  const by = `by ${countPeople(tally)} (${named}${rest})`;
  return anonymous === 0 ? `${asked} ${by}` : `${asked}: ${requests - anonymous} ${by}, ${anonymous} without a sign-in`;
}

export function countPeople({ people, hasMorePeople }: Pick<Tally, 'people' | 'hasMorePeople'>): string {
  return `${hasMorePeople ? 'at least ' : ''}${count(people.length, 'person', 'people')}`;
}

/** `Policy a/b, rule “c”: the person's groups do not match`. */
export function describeCause(cause: {
  readonly policy?: string;
  readonly rule?: string;
  readonly fault?: string;
  readonly reasons: readonly string[];
}): string {
  const { policy, rule, fault } = cause;
  if (fault !== undefined) return `the route is at fault: ${printable(fault)}`;
  const known: Readonly<Record<string, string>> = reasons;
  const why = cause.reasons.map((reason) => (Object.hasOwn(known, reason) ? known[reason] : printable(reason)));
  if (policy === undefined) return why.length === 0 ? 'nothing grants access' : why.join(', ');
  const by = rule === undefined ? printable(policy) : `${printable(policy)}, rule “${printable(rule)}”`;
  // Whoever refuses has a reason, save one that nobody could ask.
  return why.length === 0 ? `${by} is broken, and a broken policy denies` : `${by}: ${why.join(', ')}`;
}

export function describeWhen({ first, last, example }: Tally): string {
  const when = first === last ? `at ${first}` : `from ${first} to ${last}`;
  return `${when}; for instance request ${printable(example)}`;
}

export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}
