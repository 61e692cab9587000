// Sessions as the data path knows them: that of a request's credentials, and the streams that hold one.
import { isRefused } from '../auth/authority.ts';
import type { Authority, Credential, OpenedSession, RefusedToken } from '../auth/authority.ts';
import { createOpened } from './opened.ts';
import { createStreams } from './streams.ts';
import type { Streams } from './streams.ts';

export interface FoundSession {
  readonly opened: OpenedSession;
  readonly credential: Credential;
}

export interface Sessions extends Streams {
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
}

export interface SessionsOptions {
  readonly authority: Authority;
  readonly now: () => number;
}

const openTimeoutMs = 10_000;

export function createSessions({ authority, now }: SessionsOptions): Sessions {
  const opened = createOpened({ authority, now, timeoutMs: openTimeoutMs });
  const streams = createStreams({ authority, opened, now });
  return {
    ...streams,
    async find(host, credentials, providers) {
      let failure: unknown;
      let refused: RefusedToken | undefined;
      for (const credential of credentials) {
        try {
          const found = await opened.open(host, credential);
          if (found === undefined) continue;
          if (isRefused(found)) refused = found;
          else if (vouching(credential, providers).includes(found.session.provider))
            return { opened: found, credential };
        } catch (error) {
          failure = error;
        }
      }
      if (failure !== undefined) throw failure;
      return refused;
    },
    close() {
      streams.close();
      opened.close();
    },
  };
}

/** A token's own providers are fewer or more than those of cookies: workloads have no other credential. */
function vouching(credential: Credential, providers: readonly string[]): readonly string[] {
  return credential.kind === 'Bearer' ? credential.providers : providers;
}
