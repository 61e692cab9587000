// The content of Secrets: fetched for those that something names, fetched again when they change, forgotten otherwise.
import { isRecord, resourcePath, ApiError } from '../kubernetes/client.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { collections, objectKey } from '../model/objects.ts';
import type { Logger } from '../telemetry.ts';
import type { ObjectCache, RawObject } from './cache.ts';
import type { Clock } from './watch.ts';

export interface SecretContents {
  /** The Secrets that something names, as `namespace/name`. */
  reference(keys: ReadonlySet<string>): void;
  /** Takes in metadata from the watch; returns whether the cache changed. */
  seen(metadata: RawObject): boolean;
  /** The Secret was deleted; returns whether the cache changed. */
  gone(key: string): boolean;
  stop(): Promise<void>;
}

const maxConcurrent = 8;
const minBackoffMs = 800;
const maxBackoffMs = 30_000;

export function secretContents(options: {
  readonly client: KubernetesClient;
  readonly cache: ObjectCache;
  readonly log: Logger;
  readonly clock: Clock;
  /** Called when content arrived or was forgotten. */
  onChange(): void;
}): SecretContents {
  const { client, cache, log, clock } = options;
  const stopping = new AbortController();
  let referenced: ReadonlySet<string> = new Set();
  /** The version of every Secret, as the watch told it. */
  const versions = new Map<string, string>();
  /** What was fetched: the version known when we asked, and the version that came, which may be newer. */
  const fetched = new Map<string, { readonly asked: string; readonly got: string | undefined }>();
  const waiting = new Set<string>();
  const running = new Map<string, Promise<void>>();

  function isWanted(key: string): boolean {
    const version = versions.get(key);
    if (version === undefined || !referenced.has(key)) return false;
    const content = fetched.get(key);
    return content?.asked !== version && content?.got !== version;
  }

  function want(key: string): void {
    if (isWanted(key)) waiting.add(key);
    for (const next of waiting) {
      if (running.size >= maxConcurrent || stopping.signal.aborted) return;
      if (running.has(next)) continue;
      waiting.delete(next);
      const done = fetchUntilFresh(next).finally(() => {
        running.delete(next);
        want(next);
      });
      running.set(next, done);
    }
  }

  async function fetchUntilFresh(key: string): Promise<void> {
    for (let failures = 0; isWanted(key) && !stopping.signal.aborted;) {
      const asked = versions.get(key) ?? '';
      try {
        store(key, asked, await getSecret(client, key, stopping.signal));
        failures = 0;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        // Deleted a moment ago: the watch is about to say so.
        if (error.code === 'NotFound') return;
        failures += 1;
        if (failures === 1) log.warn({ secret: key, code: error.code, reason: error.message }, 'secret not fetched');
        const ceilingMs = Math.min(maxBackoffMs, minBackoffMs * 2 ** failures);
        await clock.sleep(minBackoffMs + clock.random() * (ceilingMs - minBackoffMs), stopping.signal);
      }
    }
  }

  function store(key: string, asked: string, secret: RawObject): void {
    // Deleted, or no longer named, while we asked.
    if (!referenced.has(key) || !versions.has(key)) return;
    fetched.set(key, { asked, got: secret.metadata.resourceVersion });
    if (cache.put('secrets', secret)) options.onChange();
  }

  return {
    reference(keys) {
      referenced = keys;
      let forgot = false;
      for (const key of fetched.keys()) {
        if (keys.has(key)) continue;
        fetched.delete(key);
        const secret = cache.get('secrets', key);
        if (secret !== undefined) forgot = cache.putMetadata(secret) || forgot;
      }
      for (const key of keys) want(key);
      if (forgot) options.onChange();
    },
    seen(metadata) {
      const key = objectKey(metadata.metadata);
      versions.set(key, metadata.metadata.resourceVersion ?? '');
      want(key);
      // What was fetched stays until its successor is here.
      return fetched.has(key) ? false : cache.putMetadata(metadata);
    },
    gone(key) {
      versions.delete(key);
      fetched.delete(key);
      waiting.delete(key);
      return cache.remove('secrets', key);
    },
    async stop() {
      stopping.abort(new Error('the inventory was stopped'));
      await Promise.all(running.values());
    },
  };
}

async function getSecret(client: KubernetesClient, key: string, signal: AbortSignal): Promise<RawObject> {
  const [namespace = '', name = ''] = key.split('/');
  const path = resourcePath(collections.secrets, { namespace, name });
  const { body } = await client.request('GET', path, { signal });
  if (!isRecord(body) || !isRecord(body['metadata']) || body['metadata']['name'] !== name) {
    throw new ApiError({ code: 'Unavailable', status: 0, message: `GET ${path}: the answer is not that Secret` });
  }
  return body as RawObject;
}
