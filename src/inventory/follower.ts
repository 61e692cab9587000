// Says when a folder should be looked at again: soon after the kernel announces a change, and every so often anyway.
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import type { Logger } from '../telemetry.ts';
import { asError } from './files.ts';

/** A save is several events, and a script's loop many: each look waits until the folder is at rest as well. */
const holdOffMs = 10;
/** fs.watch misses changes: of links' targets, on network file systems, past the kernel's limit of watches. */
const rescanMs = 2000;

export interface Follower {
  start(): void;
  /** Waits for the look under way. */
  stop(): Promise<void>;
}

/** Calls `scan` after every change below a folder, one call at a time. */
export function createFollower(directory: string, scan: () => Promise<void>, log: Logger): Follower {
  let watcher: FSWatcher | undefined;
  let holdOff: NodeJS.Timeout | undefined;
  let rescan: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  let isQueued = false;
  let isStopped = false;

  function enqueue(): void {
    if (isQueued || isStopped) return;
    isQueued = true;
    running = running.then(scanOnce);
  }

  async function scanOnce(): Promise<void> {
    isQueued = false;
    clearTimeout(rescan);
    const startedAt = performance.now();
    await scan();
    // A folder that takes long to look at is looked at less often.
    const pauseMs = Math.max(rescanMs, 10 * (performance.now() - startedAt));
    if (!isStopped) rescan = setTimeout(enqueue, pauseMs);
  }

  function watchOrWarn(): void {
    const missed = (error: unknown) =>
      log.warn({ directory, reason: asError(error).message }, 'changes are not announced; looking every 2 s instead');
    try {
      watcher = watch(directory, { recursive: true }, () => {
        clearTimeout(holdOff);
        holdOff = setTimeout(enqueue, holdOffMs);
      });
      watcher.on('error', missed);
    } catch (error) {
      missed(error);
    }
  }

  return {
    start(): void {
      watchOrWarn();
      // For what changed before the watch stood.
      enqueue();
    },
    async stop(): Promise<void> {
      isStopped = true;
      clearTimeout(holdOff);
      clearTimeout(rescan);
      watcher?.close();
      await running;
    },
  };
}
