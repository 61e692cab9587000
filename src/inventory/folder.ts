// The inventory of a folder of manifests: the same objects as in a cluster, from files that may be edited at any time.
import { readFile } from 'node:fs/promises';
import { describeReference } from '../model/diagnostic.ts';
import { collections, objectKey } from '../model/objects.ts';
import type { Collection, Inventory } from '../model/objects.ts';
import type { Logger } from '../telemetry.ts';
import { createObjectCache } from './cache.ts';
import {
  asError,
  isAbsent,
  isUnchanged,
  listManifests,
  listSettledManifests,
  maxFileBytes,
  mayDiffer,
} from './files.ts';
import type { Listing, Stamp } from './files.ts';
import { createFollower } from './follower.ts';
import { lineOfField, readManifest } from './manifest.ts';
import type { ManifestObject, Problem } from './manifest.ts';
import type { InventorySource } from './source.ts';

export type { Problem } from './manifest.ts';

export interface FolderInventoryOptions {
  readonly directory: string;
  readonly log: Logger;
  onChange(inventory: Inventory): void;
  /** Whether to follow changes; otherwise the folder is read once. */
  readonly watch: boolean;
}

export type FolderInventory = InventorySource & {
  /** What could not be read, and duplicates: nothing in the inventory can be blamed for these. */
  problems(): readonly Problem[];
};

const maxLoggedFiles = 20;

/** A file as last read. A file that stops parsing keeps the objects it had when it last did, with the text of then. */
interface FileState {
  readonly stamp: Stamp;
  /** Milliseconds since the epoch, before reading began. */
  readonly readAt: number;
  readonly source: string | undefined;
  readonly objects: readonly ManifestObject[];
  readonly objectsSource: string;
  readonly problems: readonly Problem[];
}

/** Where an object in force comes from. */
interface Origin {
  readonly file: string;
  readonly source: string;
  readonly found: ManifestObject;
}

export function folderInventory(options: FolderInventoryOptions): FolderInventory {
  const { directory, log } = options;
  const cache = createObjectCache();
  let files = new Map<string, FileState>();
  let origins = new Map<string, Origin>();
  let problems: readonly Problem[] = [];
  let started = false;

  async function scan(): Promise<void> {
    const startedAt = performance.now();
    const known = new Map([...files].map(([file, { stamp }]) => [file, stamp]));
    const list = started ? listSettledManifests(directory, known) : listManifests(directory);
    const listing = await list.catch(asError);
    if (listing instanceof Error) {
      if (!started) throw unreadableFolder(directory, listing);
      // It may be back in a moment, as when a mount is replaced: until then nothing changes.
      return reportProblems([{ code: 'ManifestInvalid', file: directory, line: 0, message: listing.message }]);
    }
    const { next, changed } = await readChanged(listing, files);
    files = next;
    const settled = settle(files, origins);
    origins = settled.origins;
    reportProblems([...unreadableProblems(listing), ...settled.problems]);
    const effective = apply();
    if (!effective && started) return;
    if (started) {
      log.info({ files: changed.slice(0, maxLoggedFiles), ms: elapsed(startedAt) }, 'manifests changed');
    }
    started = true;
    options.onChange(cache.snapshot());
  }

  /** Brings the cache to what the origins say; returns whether that changed anything. */
  function apply(): boolean {
    let effective = false;
    for (const collection of Object.keys(collections) as Collection[]) {
      for (const key of cache.keys(collection)) {
        if (!origins.has(`${collection} ${key}`)) effective = cache.remove(collection, key) || effective;
      }
    }
    for (const { found } of origins.values()) effective = cache.put(found.collection, found.object) || effective;
    return effective;
  }

  function reportProblems(now: readonly Problem[]): void {
    const before = new Map(problems.map((problem) => [`${problem.file} ${problem.message}`, problem]));
    for (const problem of now) {
      const { code, file, line, message } = problem;
      if (!before.delete(`${file} ${message}`))
        log.error({ code, file, line }, `not taken: ${file}:${line}: ${message}`);
    }
    for (const { file, message } of before.values()) log.info({ file }, `mended: ${file}: ${message}`);
    problems = now;
  }

  const follower = createFollower(directory, scan, log);
  return {
    async start() {
      await scan();
      if (options.watch) follower.start();
    },
    // What files hold is here already: there is nothing to fetch.
    reference() {},
    locate(object, path) {
      const names = Object.keys(collections) as Collection[];
      const collection = names.find((name) => collections[name].kind === object.kind);
      const origin = origins.get(`${collection ?? ''} ${objectKey(object)}`);
      return origin && { file: origin.file, line: lineOfField(origin.source, origin.found.place, path) };
    },
    problems: () => problems,
    stop: () => follower.stop(),
  };
}

/** Reads what is new or may differ, and drops what is gone. */
async function readChanged(
  listing: Listing,
  files: ReadonlyMap<string, FileState>,
): Promise<{ next: Map<string, FileState>; changed: string[] }> {
  const next = new Map<string, FileState>();
  const changed: string[] = [];
  for (const [file, stamp] of listing.files) {
    const before = files.get(file);
    const after = before !== undefined && !mayDiffer(stamp, before) ? before : await readState(file, stamp, before);
    if (after === undefined) continue;
    next.set(file, after);
    if (after.source !== before?.source) changed.push(file);
  }
  for (const [file, before] of files) {
    if (next.has(file)) continue;
    const unknown = [...listing.unreadable.keys()].some((path) => file === path || file.startsWith(`${path}/`));
    if (unknown) next.set(file, before);
    else changed.push(file);
  }
  return { next: new Map([...next].toSorted(([a], [b]) => (a < b ? -1 : 1))), changed };
}

async function readState(file: string, stamp: Stamp, before: FileState | undefined): Promise<FileState | undefined> {
  const readAt = Date.now();
  const failed = (message: string): FileState => ({
    stamp,
    readAt,
    source: undefined,
    objects: before?.objects ?? [],
    objectsSource: before?.objectsSource ?? '',
    problems: [{ code: 'ManifestInvalid', file, line: 0, message }],
  });
  if (stamp.size > maxFileBytes) return failed(`the file is larger than ${maxFileBytes} bytes`);
  const source = await readFile(file, 'utf8').catch(asError);
  if (source instanceof Error) return isAbsent(source) ? undefined : failed(source.message);
  // Half written, perhaps: it has another stamp now, by which the next look knows it.
  if (before !== undefined && !(await isUnchanged(file, stamp))) return before;
  if (source === before?.source) return { ...before, stamp, readAt };
  const manifest = readManifest(source);
  const problems = manifest.problems.map((problem) => ({ ...problem, file }));
  const holdsBack = problems.length > 0 && before !== undefined;
  const { objects, objectsSource } = holdsBack ? before : { objects: manifest.objects, objectsSource: source };
  return { stamp, readAt, source, objects, objectsSource, problems };
}

/** One origin for each object: the file that had it before, else the first. The others are problems. */
function settle(
  files: ReadonlyMap<string, FileState>,
  before: ReadonlyMap<string, Origin>,
): { origins: Map<string, Origin>; problems: Problem[] } {
  const claims = new Map<string, Origin[]>();
  for (const [file, { objects, objectsSource }] of files) {
    for (const found of objects) {
      const key = `${found.collection} ${objectKey(found.object.metadata)}`;
      const origin = { file, source: objectsSource, found };
      const others = claims.get(key);
      if (others === undefined) claims.set(key, [origin]);
      else others.push(origin);
    }
  }
  const problems = [...files.values()].flatMap((state) => state.problems);
  const origins = new Map<string, Origin>();
  for (const [key, all] of claims) {
    const origin = all.find(({ file }) => file === before.get(key)?.file) ?? all[0];
    if (origin === undefined) continue;
    origins.set(key, origin);
    for (const other of all) if (other !== origin) problems.push(duplicate(other, origin));
  }
  return { origins, problems };
}

function duplicate({ file, found }: Origin, inForce: Origin): Problem {
  const { name, namespace } = found.object.metadata;
  const { kind } = collections[found.collection];
  const what = describeReference(namespace === undefined ? { kind, name } : { kind, namespace, name });
  const message = `${what} is already in ${inForce.file}:${inForce.found.line}, which stays in force`;
  return { code: 'ManifestInvalid', file, line: found.line, message };
}

function unreadableProblems({ unreadable }: Listing): Problem[] {
  return [...unreadable].map(([file, message]) => ({ code: 'ManifestInvalid', file, line: 0, message }));
}

function unreadableFolder(directory: string, cause: Error): Error {
  return Object.assign(new Error(`${directory} cannot be read: ${cause.message}`, { cause }), {
    code: 'ManifestsUnreadable',
  });
}

function elapsed(since: number): number {
  return Math.round((performance.now() - since) * 10) / 10;
}
