// What was let through and is under way: requests, downloads, event streams and tunnels, each for as long as it may be here.
import { isRefused } from '../auth/authority.ts';
import type { Authority, Opening } from '../auth/authority.ts';
import type { Session } from '../model/identity.ts';
import type { RouteTable } from '../model/route.ts';
import { matchHost } from './match.ts';
import type { Opened } from './opened.ts';
import type { FoundSession } from './sessions.ts';

/** A request that was let through. */
export interface HeldStream {
  readonly host: string;
  /** Absent: somebody without a name, on a route that lets them in. */
  readonly found?: FoundSession;
  /** The table under which it was let through. */
  readonly table: RouteTable;
  /** Whether it still may, by a table that has come since, or by what its session has become. */
  readonly isAllowed: (table: RouteTable, session: Session | undefined) => boolean;
  /** Ends it; called at most once. */
  readonly end: () => void;
}

export interface Streams {
  /** Ends the stream when its session does, or when it may no longer be here. Returns how to let go. */
  hold(stream: HeldStream): () => void;
  /** A new table is there. */
  recheck(table: RouteTable): void;
  close(): void;
}

export interface StreamsOptions {
  readonly authority: Authority;
  readonly opened: Opened;
  readonly now: () => number;
  readonly sweepMs?: number;
}

interface Stream extends Omit<HeldStream, 'found'> {
  found: FoundSession | undefined;
  table: RouteTable;
  /** When to ask again; `Infinity` while asking. */
  askAt: number;
}

const askAgainMs = 5_000;
/** A policy may speak of the time of day, and a stream without a session is not renewed by it. */
const judgeAgainMs = 60_000;
const nobody = '';

export function createStreams({ authority, opened, now, sweepMs = 1_000 }: StreamsOptions): Streams {
  /** By session; those without one together. */
  const streams = new Map<string, Set<Stream>>();
  let current: RouteTable | undefined;
  const keyOf = ({ found }: Pick<Stream, 'found'>) => found?.opened.session.id ?? nobody;

  function drop(stream: Stream): void {
    const key = keyOf(stream);
    const held = streams.get(key);
    if (held?.delete(stream) === true && held.size === 0) streams.delete(key);
  }

  function end(stream: Stream): void {
    drop(stream);
    stream.end();
  }

  function judge(stream: Stream, session: Session | undefined): boolean {
    if (stream.isAllowed(stream.table, session)) return true;
    end(stream);
    return false;
  }

  function lookAgain(stream: Stream, table: RouteTable): void {
    const before = matchHost(stream.table, stream.host);
    stream.table = table;
    // A host that nothing touched is the same object.
    if (matchHost(table, stream.host) !== before) judge(stream, stream.found?.opened.session);
  }

  /** An open stream keeps its session fresh, and learns of an end whose news went astray. */
  async function renew(stream: Stream, found: FoundSession): Promise<void> {
    stream.askAt = Infinity;
    let again: Opening;
    try {
      again = await opened.open(stream.host, found.credential);
    } catch {
      // The authority is away: the stream lives on until its session expires.
      stream.askAt = now() + askAgainMs;
      return;
    }
    if (again === undefined || isRefused(again) || again.session.id !== found.opened.session.id) return end(stream);
    stream.found = { ...found, opened: again };
    if (judge(stream, again.session)) stream.askAt = again.renewAt;
  }

  function sweep(): void {
    for (const stream of all()) {
      const { found } = stream;
      if (found !== undefined && !opened.isLive(found.opened)) end(stream);
      else if (stream.askAt > now()) continue;
      else if (found !== undefined) void renew(stream, found);
      else if (judge(stream, undefined)) stream.askAt = now() + judgeAgainMs;
    }
  }

  const all = () => [...streams.values()].flatMap((held) => [...held]);
  const sweeper = setInterval(sweep, sweepMs).unref();
  const stopListening = authority.onEnded((ids) => {
    for (const id of ids) {
      for (const stream of streams.get(id) ?? []) end(stream);
    }
  });
  const stopDoubting = authority.onDoubted(() => {
    for (const stream of all()) if (stream.askAt !== Infinity) stream.askAt = now();
  });

  return {
    hold(given) {
      const { found } = given;
      const stream: Stream = { ...given, found, askAt: found?.opened.renewAt ?? now() + judgeAgainMs };
      if (found !== undefined && !opened.isLive(found.opened)) {
        stream.end();
        return () => undefined;
      }
      const key = keyOf(stream);
      const held = streams.get(key) ?? new Set();
      streams.set(key, held.add(stream));
      // A table that came while it was being decided about.
      if (current !== undefined) lookAgain(stream, current);
      return () => drop(stream);
    },
    recheck(table) {
      current = table;
      for (const stream of all()) lookAgain(stream, table);
    },
    close() {
      clearInterval(sweeper);
      stopListening();
      stopDoubting();
    },
  };
}
