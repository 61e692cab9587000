// What an application is told, with an assertion that serves all requests of a session to a route until the session is renewed.
import { LRUCache } from 'lru-cache';
import { AuthorityError } from '../auth/authority.ts';
import type { AssertionSubject, Authority, Credential, OpenedSession } from '../auth/authority.ts';
import type { Route } from '../model/route.ts';
import type { ClassSettings } from '../model/settings.ts';
import { hasAssertion } from './identity-headers.ts';
import type { Told } from './identity-headers.ts';
import { withDeadline } from './opened.ts';
import type { FoundSession } from './sessions.ts';

/** A request that is let through. */
export interface Admitted {
  readonly found: FoundSession;
  readonly host: string;
  readonly route: Route;
  readonly requestId: string;
  readonly settings: ClassSettings;
}

export interface Assertions {
  /** `Ended`: the session did, between the decision and now. `Unavailable`: `auth` cannot be asked. */
  tell(admitted: Admitted): Promise<Told | 'Ended' | 'Unavailable'>;
}

export interface AssertionsOptions {
  readonly authority: Authority;
  readonly timeoutMs?: number;
  /** Some 1 KB each. */
  readonly limit?: number;
}

interface Made {
  /** It vouches for what the session said then: once that was opened again, another one is made. */
  readonly opened: OpenedSession;
  readonly assertion: Promise<string | undefined>;
}

export function createAssertions({ authority, timeoutMs = 10_000, limit = 10_000 }: AssertionsOptions): Assertions {
  const cache = new LRUCache<string, Made>({ max: limit });

  const make = (host: string, credential: Credential, subject: AssertionSubject) =>
    withDeadline(authority.assert(host, credential, subject), timeoutMs);

  /** Concurrent requests share one question. */
  function shared({ found: { opened, credential }, host, route }: Admitted): Promise<string | undefined> {
    // Neither a session's id nor a host name has a space, so no two triples make one key.
    const key = `${opened.session.id} ${host} ${route.id}`;
    const known = cache.get(key);
    if (known?.opened === opened) return known.assertion;
    const assertion = make(host, credential, { route: route.id });
    const made: Made = { opened, assertion };
    cache.set(key, made);
    const forget = (): void => {
      if (cache.peek(key) === made) cache.delete(key);
    };
    assertion.then((text) => text === undefined && forget(), forget);
    return assertion;
  }

  return {
    async tell(admitted) {
      const { found, host, route, requestId, settings } = admitted;
      const { identity } = found.opened.session;
      const { preset, assertion: use } = settings.identityHeaders;
      if (!hasAssertion(preset)) return { identity };
      try {
        const own = { route: route.id, requestId };
        const assertion = await (use === 'Shared' ? shared(admitted) : make(host, found.credential, own));
        return assertion === undefined ? 'Ended' : { identity, assertion };
      } catch (error) {
        if (error instanceof AuthorityError) return 'Unavailable';
        throw error;
      }
    },
  };
}
