// The sessions that credentials open, remembered: asked for again in time, and whenever they may have ended unheard.
import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { AuthorityError, isRefused } from '../auth/authority.ts';
import type { Authority, Credential, OpenedSession, Opening } from '../auth/authority.ts';
import { createWords } from './words.ts';

export interface Opened {
  /**
   * The session that a credential opens on a host; concurrent calls share one question.
   * @throws {AuthorityError} where it is not known, and cannot be asked about.
   */
  open(host: string, credential: Credential): Promise<Opening>;
  isLive(opened: OpenedSession): boolean;
  close(): void;
}

export interface OpenedOptions {
  readonly authority: Authority;
  readonly now: () => number;
  readonly timeoutMs: number;
  /** Sessions remembered at the most, and as many ends. */
  readonly limit?: number;
}

/** bench/sessions.md says what they take. */
const usualLimit = 100_000;
const wordsKept = 50_000;

interface Cached {
  readonly opened: OpenedSession;
  /** How many doubts there had been when it was asked for. */
  readonly doubts: number;
}

export function createOpened({ authority, now, timeoutMs, limit = usualLimit }: OpenedOptions): Opened {
  const cache = new LRUCache<string, Cached>({ max: limit });
  const words = createWords(wordsKept);
  const opening = new Map<string, Promise<Opening>>();
  // News of an end may have been lost: what was opened before the last of these is opened anew.
  let doubts = 0;
  // A session that has ended stays ended, also for an answer that was on its way when it ended. An end that is forgotten,
  // because too many came after it, is like one that was never heard of.
  const ended = new LRUCache<string, true>({
    max: limit,
    dispose: (_, __, why) => {
      if (why === 'evict') doubts += 1;
    },
  });

  const isLive = ({ session }: OpenedSession): boolean => session.expiresAt > now() && !ended.has(session.id);

  function ask(key: string, host: string, credential: Credential): Promise<Opening> {
    const before = doubts;
    const asked = withDeadline(authority.open(host, credential), timeoutMs)
      .then((answer) => {
        if (answer === undefined || isRefused(answer) || !isLive(answer)) {
          cache.delete(key);
          return answer;
        }
        const opened = words.shared(answer);
        cache.set(key, { opened, doubts: before });
        return opened;
      })
      .finally(() => opening.delete(key));
    opening.set(key, asked);
    return asked;
  }

  const stopListening = authority.onEnded((ids) => {
    for (const id of ids) ended.set(id, true);
  });
  const stopDoubting = authority.onDoubted(() => (doubts += 1));

  return {
    async open(host, credential) {
      const key = keyOf(host, credential);
      const cached = cache.get(key);
      if (cached?.doubts === doubts && cached.opened.renewAt > now()) {
        return isLive(cached.opened) ? cached.opened : undefined;
      }
      const opened = await (opening.get(key) ?? ask(key, host, credential));
      if (opened === undefined || isRefused(opened)) return opened;
      return isLive(opened) ? opened : undefined;
    },
    isLive,
    close() {
      stopListening();
      stopDoubting();
    },
  };
}

// No part but the last has a space, so no two questions make one key. A token is good at other places than ours: it is not
// kept in the clear for as long as a cache lives.
function keyOf(host: string, credential: Credential): string {
  if (credential.kind === 'Cookie') return `${host} Cookie ${credential.value}`;
  const { token, origin, providers } = credential;
  return `${host} Bearer ${origin} ${token.length} ${hash('sha256', token, 'base64url')} ${providers.join(' ')}`;
}

/** @throws {AuthorityError} when the time is up. */
export async function withDeadline<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new AuthorityError(`no answer within ${timeoutMs} ms`)), timeoutMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
