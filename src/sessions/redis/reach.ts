// What is asked of Redis, each within its time; what fails is told once in the log and thrown as a StoreError.
import type { RedisSettings } from '../../model/settings.ts';
import type { Logger } from '../../telemetry.ts';
import { StoreError } from '../store.ts';
import { createConnection } from './connection.ts';
import type { Connection } from './connection.ts';
import type { Listeners } from './line.ts';
import { within } from './patience.ts';
import { createTroubles } from './trouble.ts';

export interface Reach {
  readonly send: Connection['send'];
  readonly masters: Connection['masters'];
  /** @throws {StoreError} */
  ask<T>(work: () => Promise<T>): Promise<T>;
  /** As `ask`, of what writes: Redis may answer questions and yet take no writes. @throws {StoreError} */
  change<T>(work: () => Promise<T>): Promise<T>;
  close(): void;
}

export interface ReachOptions extends Omit<Listeners, 'onDown'> {
  /** There is no connection; called again with each attempt that fails. */
  readonly onDown: () => void;
  readonly log: Logger;
  readonly now: () => number;
  readonly timeoutMs: number;
}

export function createReach(settings: RedisSettings, options: ReachOptions): Reach {
  const { log, now, timeoutMs, onUp, onDown, onNews } = options;
  const troubles = createTroubles(log, now);
  let closed = false;
  const unlessClosed =
    <A extends readonly unknown[]>(listener: (...args: A) => void) =>
    (...args: A) => {
      if (!closed) listener(...args);
    };
  const assertOpen = () => {
    if (closed) throw new StoreError('unavailable', 'the Redis store is closed');
  };
  const connection = createConnection(settings, timeoutMs, {
    onUp: unlessClosed(() => {
      troubles.answered('reading');
      onUp();
    }),
    onDown: unlessClosed((cause) => {
      troubles.failed(cause);
      onDown();
    }),
    onNews: unlessClosed(onNews),
  });
  const attempt = async <T>(operation: 'reading' | 'writing', work: () => Promise<T>): Promise<T> => {
    assertOpen();
    try {
      const answer = await within(timeoutMs, connection.tried.then(work));
      assertOpen();
      troubles.answered(operation);
      return answer;
    } catch (cause) {
      assertOpen();
      throw troubles.failed(cause);
    }
  };
  return {
    send: connection.send,
    masters: connection.masters,
    ask: (work) => attempt('reading', work),
    change: (work) => attempt('writing', work),
    close() {
      closed = true;
      connection.close();
    },
  };
}
