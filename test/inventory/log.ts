// A logger whose lines tests can read, and waiting for something to become true.
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { Logger } from '../../src/telemetry.ts';

export interface Lines {
  readonly logger: Logger;
  of(message: string): Record<string, unknown>[];
  /** The messages of all of them. */
  said(): string[];
}

export function lines(): Lines {
  const all: Record<string, unknown>[] = [];
  const logger = pino({ level: 'trace' }, { write: (line: string) => void all.push(JSON.parse(line)) });
  return {
    logger,
    of: (message) => all.filter((line) => line['msg'] === message),
    said: () => all.map((line) => String(line['msg'])),
  };
}

/** Resolves when it holds; throws after a while. */
export async function until(holds: () => boolean, timeoutMs = 3000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${holds.toString()}`);
    await sleep(5);
  }
}
