// The manifests below a folder: which files there are, and when one of them must be read again.
import type { BigIntStats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Listing {
  /** Paths in order, each with a stamp that changes when the file does. */
  readonly files: ReadonlyMap<string, Stamp>;
  /** Folders and files that could not be looked at, with the reason. What is below them is unknown, not gone. */
  readonly unreadable: ReadonlyMap<string, string>;
}

export interface Stamp {
  readonly identity: string;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

export const maxFileBytes = 16 * 2 ** 20;
const maxFiles = 10_000;
const maxDepth = 32;
const concurrentStats = 64;
const settleMs = 25;
const maxLooks = 40;
/** Two writes within one tick of the kernel's clock (up to 10 ms) leave the same time. */
const clockTickMs = 50;

/**
 * All *.yaml, *.yml and *.json below a folder. Symbolic links are followed, once each. Names that begin with a dot are
 * left out: editors' own files, and the `..data` of a mounted ConfigMap, whose files are also linked by their names.
 * Errors: whatever reading the folder itself gives.
 */
export async function listManifests(directory: string): Promise<Listing> {
  const files = new Map<string, Stamp>();
  const unreadable = new Map<string, string>();
  const visited = new Set<string>();

  async function visit(folder: string, depth: number): Promise<void> {
    const real = await realpath(folder);
    if (visited.has(real) || depth > maxDepth) return;
    visited.add(real);
    const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).toSorted();
    for (let start = 0; start < names.length; start += concurrentStats) {
      const paths = names.slice(start, start + concurrentStats).map((name) => join(folder, name));
      const stats = await Promise.all(paths.map((path) => stat(path, { bigint: true }).catch(asError)));
      for (const [index, path] of paths.entries()) await take(path, stats[index], depth);
    }
  }

  async function take(path: string, found: BigIntStats | Error | undefined, depth: number) {
    if (found instanceof Error) {
      if (!isAbsent(found)) unreadable.set(path, found.message);
    } else if (found?.isDirectory() === true) {
      await visit(path, depth + 1).catch((error: unknown) => {
        if (!isAbsent(error)) unreadable.set(path, asError(error).message);
      });
    } else if (found?.isFile() === true && /\.(ya?ml|json)$/.test(path)) {
      if (files.size >= maxFiles) unreadable.set(directory, `there are more than ${maxFiles} files`);
      else files.set(path, stampOf(found));
    }
  }

  await visit(directory, 0);
  return { files, unreadable };
}

/**
 * The folder once nobody is writing to it: a save is several steps (truncate and write, or delete and rename), and what
 * lies between them would be objects gone for a moment.
 * @param known The stamps that were read last; a folder that still has them is looked at only once.
 */
export async function listSettledManifests(directory: string, known: ReadonlyMap<string, Stamp>): Promise<Listing> {
  let listing = await listManifests(directory);
  let before = known;
  for (let look = 1; look < maxLooks && !sameStamps(listing.files, before); look++) {
    before = listing.files;
    await sleep(settleMs);
    listing = await listManifests(directory);
  }
  return listing;
}

function sameStamps(one: ReadonlyMap<string, Stamp>, other: ReadonlyMap<string, Stamp>): boolean {
  return one.size === other.size && [...one].every(([file, { identity }]) => other.get(file)?.identity === identity);
}

/** Whether a file is still the one that was listed: otherwise it was written to while it was read. */
export async function isUnchanged(file: string, stamp: Stamp): Promise<boolean> {
  const now = await stat(file, { bigint: true }).catch(() => undefined);
  return now !== undefined && stampOf(now).identity === stamp.identity;
}

function stampOf({ ino, size, mtimeNs, ctimeNs, mtimeMs }: BigIntStats): Stamp {
  return { identity: [ino, size, mtimeNs, ctimeNs].join(' '), size: Number(size), modifiedAt: Number(mtimeMs) };
}

/** Whether a file that was read at a moment (milliseconds since the epoch) may hold something else now. */
export function mayDiffer(stamp: Stamp, before: { readonly stamp: Stamp; readonly readAt: number }): boolean {
  return stamp.identity !== before.stamp.identity || before.stamp.modifiedAt > before.readAt - clockTickMs;
}

/** Whether the file system says that there is no such thing: it went while we looked, or a link leads nowhere. */
export function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
