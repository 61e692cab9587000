// Opened sessions, as the data path knows them: those of a request's credentials, and the open streams that end when their session does.
import { isRefused } from '../auth/authority.ts';
import type { Authority, Credential, OpenedSession, RefusedToken } from '../auth/authority.ts';
import type { Session } from '../model/identity.ts';
import { createOpened } from './opened.ts';

/** A request under way, for as long as its session lives. */
export interface HeldStream {
  readonly opened: OpenedSession;
  readonly host: string;
  readonly credential: Credential;
  /** Whether the person may still use the route: asked again when the session was renewed, for their groups may be others. */
  readonly stillAllowed: (session: Session) => boolean;
  /** Ends the stream; called at most once. */
  readonly end: () => void;
}

export interface FoundSession {
  readonly opened: OpenedSession;
  readonly credential: Credential;
}

export interface Sessions {
  /**
   * The first of these credentials that opens a session of one of these providers on this host, or the refusal of a token
   * where none does.
   * @throws {AuthorityError} where none does, and one of them could not be asked about.
   */
  find(
    host: string,
    credentials: readonly Credential[],
    providers: readonly string[],
  ): Promise<FoundSession | RefusedToken | undefined>;
  /** Ends the stream when its session does, by revocation or by age. Returns how to let go. */
  hold(stream: HeldStream): () => void;
  close(): void;
}

export interface SessionsOptions {
  readonly authority: Authority;
  readonly now: () => number;
  readonly openTimeoutMs?: number;
  readonly sweepMs?: number;
}

interface Stream extends HeldStream {
  opened: OpenedSession;
  /** When to ask again; `Infinity` while asking. */
  askAt: number;
}

const askAgainMs = 5_000;

export function createSessions({ authority, now, openTimeoutMs = 10_000, sweepMs = 1_000 }: SessionsOptions): Sessions {
  const { open, isLive, close } = createOpened({ authority, now, timeoutMs: openTimeoutMs });
  const streams = new Map<string, Set<Stream>>();

  function drop(stream: Stream): void {
    const { id } = stream.opened.session;
    const held = streams.get(id);
    if (held?.delete(stream) === true && held.size === 0) streams.delete(id);
  }

  function end(stream: Stream): void {
    drop(stream);
    stream.end();
  }

  /** An open stream keeps its session fresh, and learns of an end whose news went astray. */
  async function renew(stream: Stream): Promise<void> {
    stream.askAt = Infinity;
    try {
      const opened = await open(stream.host, stream.credential);
      const isSame = opened !== undefined && !isRefused(opened) && opened.session.id === stream.opened.session.id;
      if (!isSame || !stream.stillAllowed(opened.session)) end(stream);
      else Object.assign(stream, { opened, askAt: opened.renewAt });
    } catch {
      // The authority is away: the stream lives on until its session expires.
      stream.askAt = now() + askAgainMs;
    }
  }

  function sweep(): void {
    for (const stream of [...streams.values()].flatMap((held) => [...held])) {
      if (!isLive(stream.opened)) end(stream);
      else if (stream.askAt <= now()) void renew(stream);
    }
  }

  const sweeper = setInterval(sweep, sweepMs).unref();
  const stopListening = authority.onEnded((ids) => {
    for (const id of ids) {
      for (const stream of streams.get(id) ?? []) end(stream);
    }
  });

  const stopDoubting = authority.onDoubted(() => {
    for (const held of streams.values()) {
      for (const stream of held) if (stream.askAt !== Infinity) stream.askAt = now();
    }
  });

  return {
    async find(host, credentials, providers) {
      let failure: unknown;
      let refused: RefusedToken | undefined;
      for (const credential of credentials) {
        try {
          const opened = await open(host, credential);
          if (opened === undefined) continue;
          if (isRefused(opened)) refused = opened;
          else if (vouching(credential, providers).includes(opened.session.provider)) return { opened, credential };
        } catch (error) {
          failure = error;
        }
      }
      if (failure !== undefined) throw failure;
      return refused;
    },
    hold(given) {
      const stream: Stream = { ...given, askAt: given.opened.renewAt };
      if (!isLive(given.opened)) {
        stream.end();
        return () => undefined;
      }
      const { id } = given.opened.session;
      const held = streams.get(id) ?? new Set();
      streams.set(id, held.add(stream));
      return () => drop(stream);
    },
    close() {
      clearInterval(sweeper);
      stopListening();
      stopDoubting();
      close();
    },
  };
}

/** A token's own providers are fewer or more than those of cookies: workloads have no other credential. */
function vouching(credential: Credential, providers: readonly string[]): readonly string[] {
  return credential.kind === 'Bearer' ? credential.providers : providers;
}
