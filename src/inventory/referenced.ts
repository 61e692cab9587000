// Content that is read for a reason only, of Secrets and ConfigMaps: fetched when something refers to it, fetched again when it changes, forgotten otherwise.
import { isRecord, resourcePath, ApiError } from '../kubernetes/client.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { collections, objectKey, reachKey } from '../model/objects.ts';
import type { ReferencedCollection } from '../model/objects.ts';
import type { Logger } from '../telemetry.ts';
import type { ObjectCache, RawObject } from './cache.ts';
import { takeTurns } from './turns.ts';
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
  let referenced: ReadonlySet<string> = new Set();
  /** The version of every object of the kind, as the watch told it. */
  const versions = new Map<string, string>();
  /** What was fetched: the version known when we asked, and the version that came, which may be newer. */
  const fetched = new Map<string, { readonly asked: string; readonly got: string | undefined }>();
  const turns = takeTurns({ isWanted, ask: fetchContent, clock });

  // Deleted, or no longer named, while we asked.
  const isMoot = (key: string) => !referenced.has(key) || !versions.has(key);
  /** Takes back what failures have said of a key; returns whether the cache changed. */
  function acquit(key: string): boolean {
    turns.forgive(key);
    return cache.putReach(reachKey(collection, key), undefined);
  }

  function isWanted(key: string): boolean {
    if (isMoot(key)) return false;
    const version = versions.get(key);
    const content = fetched.get(key);
    return content?.asked !== version && content?.got !== version;
  }

  async function fetchContent(key: string, signal: AbortSignal): Promise<void> {
    const asked = versions.get(key) ?? '';
    try {
      store(key, asked, await getObject(client, collection, key, signal));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // What changed while we asked is asked for again at once.
      if (versions.get(key) === asked && !isMoot(key) && !signal.aborted) failed(key, error);
    }
  }

  function failed(key: string, { code, message }: ApiError): void {
    const times = turns.pause(key);
    // Deleted a moment ago: the watch is about to say so.
    if (code === 'NotFound') return;
    if (times === 1) {
      log.warn({ kind: collections[collection].kind, object: key, code, reason: message }, 'content not fetched');
    }
    // What is forbidden is awaited no longer: others would wait for it in every round. Asking goes on.
    if (code === 'Forbidden' && cache.putReach(reachKey(collection, key), 'Forbidden')) options.onChange();
  }

  function store(key: string, asked: string, object: RawObject): void {
    if (isMoot(key)) return;
    fetched.set(key, { asked, got: object.metadata.resourceVersion });
    const acquitted = acquit(key);
    if (cache.put(collection, object) || acquitted) options.onChange();
  }

  return {
    reference(keys) {
      let forgot = false;
      for (const key of referenced) {
        if (keys.has(key)) continue;
        forgot = acquit(key) || forgot;
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
      const { resourceVersion = '' } = metadata.metadata;
      if (versions.get(key) !== resourceVersion) turns.wake(key);
      versions.set(key, resourceVersion);
      turns.want(key);
      // What was fetched stays until its successor is here.
      return fetched.has(key) ? false : cache.putName(collection, metadata);
    },
    gone(key) {
      versions.delete(key);
      fetched.delete(key);
      const acquitted = acquit(key);
      return cache.remove(collection, key) || acquitted;
    },
    stop: () => turns.stop(),
  };
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
