// Content that is read for a reason only, of Secrets and ConfigMaps: fetched when something refers to it, fetched again when it changes, forgotten otherwise.
import { isRecord, resourcePath, ApiError } from '../kubernetes/client.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { collections, objectKey, reachKey } from '../model/objects.ts';
import type { ReferencedCollection } from '../model/objects.ts';
import type { Logger } from '../telemetry.ts';
import type { ObjectCache, RawObject } from './cache.ts';
import type { Clock } from './watch.ts';

/** The content of one kind. */
export interface ReferencedContent {
  /** The objects that something refers to, as `namespace/name`. */
  reference(keys: ReadonlySet<string>): void;
  /** Takes in metadata from the watch; returns whether the cache changed. */
  seen(metadata: RawObject): boolean;
  /** The object was deleted, or may be seen no longer; returns whether the cache changed. */
  gone(key: string): boolean;
  stop(): Promise<void>;
}

const maxConcurrent = 8;
const minBackoffMs = 800;
const maxBackoffMs = 30_000;

export function referencedContent(options: {
  readonly collection: ReferencedCollection;
  readonly client: KubernetesClient;
  readonly cache: ObjectCache;
  readonly log: Logger;
  readonly clock: Clock;
  /** Called when content arrived, was forgotten, or turned out to be forbidden. */
  onChange(): void;
}): ReferencedContent {
  const { collection, client, cache, log, clock } = options;
  const stopping = new AbortController();
  let referenced: ReadonlySet<string> = new Set();
  /** The version of every object of the kind, as the watch told it. */
  const versions = new Map<string, string>();
  /** What was fetched: the version known when we asked, and the version that came, which may be newer. */
  const fetched = new Map<string, { readonly asked: string; readonly got: string | undefined }>();
  const turns = takeTurns({ isWanted, work: fetchUntilFresh, signal: stopping.signal });

  // Deleted, or no longer named, while we asked.
  const isMoot = (key: string) => !referenced.has(key) || !versions.has(key);
  const permit = (key: string) => cache.putReach(reachKey(collection, key), undefined);

  function isWanted(key: string): boolean {
    if (isMoot(key)) return false;
    const version = versions.get(key);
    const content = fetched.get(key);
    return content?.asked !== version && content?.got !== version;
  }

  async function fetchUntilFresh(key: string): Promise<void> {
    for (let failures = 0; isWanted(key) && !stopping.signal.aborted;) {
      const asked = versions.get(key) ?? '';
      try {
        store(key, asked, await getObject(client, collection, key, stopping.signal));
        failures = 0;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        failures += 1;
        // Deleted a moment ago: the watch is about to say so.
        if (error.code !== 'NotFound') failed(key, error, failures);
        const ceilingMs = Math.min(maxBackoffMs, minBackoffMs * 2 ** failures);
        await clock.sleep(minBackoffMs + clock.random() * (ceilingMs - minBackoffMs), stopping.signal);
      }
    }
  }

  /** What is forbidden is no longer awaited: others would wait for it in every round. Asking goes on. */
  function failed(key: string, { code, message }: ApiError, failures: number): void {
    const what = { kind: collections[collection].kind, object: key, code, reason: message };
    if (failures === 1) log.warn(what, 'content not fetched');
    const isForbidden = code === 'Forbidden' && !isMoot(key);
    if (isForbidden && cache.putReach(reachKey(collection, key), 'Forbidden')) options.onChange();
  }

  function store(key: string, asked: string, object: RawObject): void {
    if (isMoot(key)) return;
    fetched.set(key, { asked, got: object.metadata.resourceVersion });
    const permitted = permit(key);
    if (cache.put(collection, object) || permitted) options.onChange();
  }

  return {
    reference(keys) {
      let forgot = false;
      for (const key of referenced) {
        if (keys.has(key)) continue;
        forgot = permit(key) || forgot;
        const object = fetched.delete(key) ? cache.get(collection, key) : undefined;
        if (object !== undefined) forgot = cache.putName(collection, object) || forgot;
      }
      // A copy: translation's own set is not ours to keep.
      referenced = new Set(keys);
      for (const key of keys) turns.want(key);
      if (forgot) options.onChange();
    },
    seen(metadata) {
      const key = objectKey(metadata.metadata);
      versions.set(key, metadata.metadata.resourceVersion ?? '');
      turns.want(key);
      // What was fetched stays until its successor is here.
      return fetched.has(key) ? false : cache.putName(collection, metadata);
    },
    gone(key) {
      versions.delete(key);
      fetched.delete(key);
      const permitted = permit(key);
      return cache.remove(collection, key) || permitted;
    },
    async stop() {
      stopping.abort(new Error('the inventory was stopped'));
      await turns.ended();
    },
  };
}

/** Does the work for each key that is wanted, for a few of them at a time and once at a time for each. */
function takeTurns(options: {
  isWanted(key: string): boolean;
  work(key: string): Promise<void>;
  readonly signal: AbortSignal;
}) {
  const waiting = new Set<string>();
  const running = new Map<string, Promise<void>>();
  function want(key: string): void {
    if (options.isWanted(key)) waiting.add(key);
    for (const next of waiting) {
      if (running.size >= maxConcurrent || options.signal.aborted) return;
      if (running.has(next)) continue;
      waiting.delete(next);
      const done = options.work(next).finally(() => {
        running.delete(next);
        want(next);
      });
      running.set(next, done);
    }
  }
  return { want, ended: () => Promise.all(running.values()) };
}

async function getObject(
  client: KubernetesClient,
  collection: ReferencedCollection,
  key: string,
  signal: AbortSignal,
): Promise<RawObject> {
  const [namespace = '', name = ''] = key.split('/');
  const path = resourcePath(collections[collection], { namespace, name });
  const { body } = await client.request('GET', path, { signal });
  if (!isRecord(body) || !isRecord(body['metadata']) || body['metadata']['name'] !== name) {
    throw new ApiError({ code: 'Unavailable', status: 0, message: `GET ${path}: the answer is not that object` });
  }
  return body as RawObject;
}
