// What is wrong with Redis, told once when it begins and once when it ends.
import type { Logger } from '../../telemetry.ts';
import { StoreError } from '../store.ts';

/** By the first word of Redis' answer; `reading` says that it answers questions all the same. */
const troubles: Record<string, { readonly sentence: string; readonly reading?: true }> = {
  NOAUTH: { sentence: 'Redis wants a password: name the Secret that holds it in credentialsSecretRef' },
  WRONGPASS: {
    sentence: 'Redis refuses our user name or password: correct the Secret that credentialsSecretRef names',
  },
  NOPERM: {
    sentence: 'Redis does not let our user do what sessions need: give it the ACL of docs/sessions.md',
    reading: true,
  },
  MISCONF: { sentence: 'Redis cannot save to its disk and takes no writes: make room there', reading: true },
  OOM: { sentence: 'Redis has reached its maxmemory: raise it', reading: true },
  READONLY: {
    sentence: 'what answers is a replica and takes no writes: asking again where the master is',
    reading: true,
  },
  NOREPLICAS: { sentence: 'Redis has fewer replicas than min-replicas-to-write and takes no writes', reading: true },
  LOADING: { sentence: 'Redis is loading its data' },
  BUSY: { sentence: 'Redis is busy with a script' },
  MASTERDOWN: { sentence: 'what answers is a replica that has lost its master' },
  CLUSTERDOWN: { sentence: 'the Redis Cluster does not serve all of its slots' },
};

const others = {
  Unreachable: { sentence: 'Redis does not answer' },
  Error: { sentence: 'Redis answers with an error' },
};

interface Trouble {
  readonly code: string;
  readonly sentence: string;
  readonly reading?: true;
}

/** The first word of an error that Redis answered; none: it did not answer. */
export const replyOf = (cause: unknown): string | undefined =>
  cause instanceof Error ? /^([A-Z]+) /.exec(cause.message)?.[1] : undefined;

function troubleOf(cause: unknown): Trouble {
  const reply = replyOf(cause);
  const known = reply === undefined ? undefined : troubles[reply];
  if (reply !== undefined && known !== undefined) return { code: reply, ...known };
  return reply === undefined ? { code: 'Unreachable', ...others.Unreachable } : { code: reply, ...others.Error };
}

/** Trouble is over only after this long without a failure: where one node of a Cluster is down, every other call succeeds. */
const quietMs = 10_000;

export interface Troubles {
  /** Tells of the failure, and makes of it what the store throws. */
  failed(cause: unknown): StoreError;
  answered(operation: 'reading' | 'writing'): void;
}

export function createTroubles(log: Logger, now: () => number): Troubles {
  let current: Trouble | undefined;
  let failedAt = 0;
  return {
    failed(cause) {
      const trouble = troubleOf(cause);
      failedAt = now();
      if (trouble.code !== current?.code)
        log.warn({ code: trouble.code, reason: cause instanceof Error ? cause.message : undefined }, trouble.sentence);
      current = trouble;
      if (cause instanceof StoreError) return cause;
      return new StoreError(trouble.code === 'OOM' ? 'full' : 'unavailable', trouble.sentence, { cause });
    },
    answered(operation) {
      if (current === undefined || now() - failedAt < quietMs) return;
      if (operation === 'reading' && current.reading) return;
      current = undefined;
      log.info('Redis answers again');
    },
  };
}
