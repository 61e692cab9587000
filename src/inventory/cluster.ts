// The inventory of a cluster: one watch per kind (and namespace), joined into a new immutable inventory at each change.
import type { KubernetesClient } from '../kubernetes/client.ts';
import { collections, objectKey } from '../model/objects.ts';
import type { Collection, Inventory } from '../model/objects.ts';
import type { Logger, Metrics } from '../telemetry.ts';
import { createObjectCache } from './cache.ts';
import type { RawObject } from './cache.ts';
import { secretContents } from './secrets.ts';
import type { InventorySource } from './source.ts';
import { systemClock, watchKind } from './watch.ts';
import type { Clock, Watch, WatchSink } from './watch.ts';

export interface ClusterInventoryOptions {
  readonly client: KubernetesClient;
  /** Absent: all. Given: nothing namespaced is asked for anywhere else, our own Secrets' namespace included. */
  readonly namespaces?: readonly string[];
  readonly log: Logger;
  readonly metrics: Metrics;
  onChange(inventory: Inventory): void;
  readonly clock?: Clock;
  /** See {@link watchKind}. */
  readonly idleMs?: number;
}

/** What `kubectl apply -f folder` changes arrives within a few milliseconds, and should cost one round. */
const coalesceMs = 5;
const silenceEveryMs = 5000;

/** What one watch looks at. */
interface Target {
  readonly collection: Collection;
  readonly namespace?: string;
  readonly fieldSelector?: string;
}

/**
 * Namespaced kinds are watched per namespace where namespaces are given; so are Namespace objects, by name, which a
 * ClusterRole with `resourceNames` can permit. Those alone are optional: without its labels a namespace is selected by
 * nothing, and translation denies where that would weaken a policy.
 */
function targetsOf(namespaces: readonly string[] | undefined): Target[] {
  return (Object.keys(collections) as Collection[]).flatMap((collection): Target[] => {
    if (namespaces === undefined) return [{ collection }];
    if (collections[collection].namespaced) return namespaces.map((namespace) => ({ collection, namespace }));
    if (collection !== 'namespaces') return [{ collection }];
    return namespaces.map((name) => ({ collection, fieldSelector: `metadata.name=${name}` }));
  });
}

export function clusterInventory(options: ClusterInventoryOptions): InventorySource {
  const clock = options.clock ?? systemClock;
  const { client, log, metrics } = options;
  const cache = createObjectCache();
  const watches = new Map<Target, Watch>();
  let ready = false;
  let flushTimer: NodeJS.Timeout | undefined;
  let silenceTimer: NodeJS.Timeout | undefined;

  const secrets = secretContents({ client, cache, log, clock, onChange: changed });

  function changed(): void {
    if (ready) flushTimer ??= setTimeout(flush, coalesceMs);
  }

  function flush(): void {
    flushTimer = undefined;
    options.onChange(cache.snapshot());
  }

  function sinkFor(collection: Collection): WatchSink {
    const known = new Set<string>();
    const put = (object: RawObject): boolean => {
      known.add(objectKey(object.metadata));
      return collection === 'secrets' ? secrets.seen(object) : cache.put(collection, object);
    };
    const remove = (key: string): boolean => {
      known.delete(key);
      return collection === 'secrets' ? secrets.gone(key) : cache.remove(collection, key);
    };
    return {
      listed(objects) {
        const present = new Set(objects.map((object) => objectKey(object.metadata)));
        let effect = false;
        for (const key of known) if (!present.has(key)) effect = remove(key) || effect;
        for (const object of objects) effect = put(object) || effect;
        if (effect) changed();
      },
      changed(object) {
        if (put(object)) changed();
      },
      deleted(object) {
        if (remove(objectKey(object.metadata))) changed();
      },
    };
  }

  function startWatch({ collection, namespace, fieldSelector }: Target): Watch {
    return watchKind({
      client,
      type: collections[collection],
      sink: sinkFor(collection),
      log,
      metrics,
      clock,
      metadataOnly: collection === 'secrets',
      optional: collection === 'namespaces',
      ...(namespace !== undefined && { namespace }),
      ...(fieldSelector !== undefined && { fieldSelector }),
      ...(options.idleMs !== undefined && { idleMs: options.idleMs }),
    });
  }

  function measureSilence(): void {
    const longest = new Map<string, number>();
    for (const [{ collection }, watch] of watches) {
      const { resource } = collections[collection];
      const seconds = (clock.now() - watch.lastHeardAt()) / 1000;
      longest.set(resource, Math.max(longest.get(resource) ?? 0, seconds));
    }
    for (const [resource, seconds] of longest) metrics.watchSilenceSeconds.set({ resource }, seconds);
  }

  return {
    async start() {
      for (const target of targetsOf(options.namespaces)) watches.set(target, startWatch(target));
      silenceTimer = setInterval(measureSilence, silenceEveryMs).unref();
      await Promise.all([...watches.values()].map((watch) => watch.synced));
      ready = true;
      flush();
    },
    reference(keys) {
      secrets.reference(keys);
    },
    async stop() {
      ready = false;
      clearTimeout(flushTimer);
      clearInterval(silenceTimer);
      await Promise.all([secrets.stop(), ...[...watches.values()].map((watch) => watch.stop())]);
    },
  };
}
