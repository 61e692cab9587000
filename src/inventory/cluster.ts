// The inventory of a cluster: one watch per kind (and namespace), joined into a new immutable inventory at each change.
import type { KubernetesClient } from '../kubernetes/client.ts';
import { collections, reachKey, referencedCollections } from '../model/objects.ts';
import type { Collection, Inventory, ReferencedCollection } from '../model/objects.ts';
import type { Logger, Metrics } from '../telemetry.ts';
import { createObjectCache } from './cache.ts';
import { referencedContent } from './referenced.ts';
import { createSink, isReferenced } from './sink.ts';
import type { Target } from './sink.ts';
import type { InventorySource } from './source.ts';
import { systemClock, watchKind } from './watch.ts';
import type { Clock, Watch } from './watch.ts';

export interface ClusterInventoryOptions {
  readonly client: KubernetesClient;
  /** Absent: all. Given: nothing namespaced is asked for anywhere else, our own Secrets' namespace included. */
  readonly namespaces?: readonly string[];
  readonly log: Logger;
  readonly metrics: Metrics;
  onChange(inventory: Inventory): void;
  /** A status is another than before, which changes no inventory that translation could see. */
  onStatus?(key: string, status: unknown): void;
  readonly clock?: Clock;
  /** See {@link watchKind}. */
  readonly idleMs?: number;
}

/** What `kubectl apply -f folder` changes arrives within a few milliseconds, and should cost one round. */
const coalesceMs = 5;
const silenceEveryMs = 5000;

/**
 * ConfigMaps are watched from the first reference on: an installation whose policies have no data sets neither carries the
 * names of some thousands of them, nor needs the permission. Once begun it goes on, for a policy that went may come back.
 */
const onDemand = 'configMaps';

/**
 * Of these nothing else waits for a permission. Without its labels a namespace is selected by nothing, and translation
 * denies where that would weaken a policy; without its data set a policy is in error.
 */
const optional: ReadonlySet<Collection> = new Set(['namespaces', onDemand]);

/**
 * Namespaced kinds are watched per namespace where namespaces are given; so are Namespace objects, by name, which a
 * ClusterRole with `resourceNames` can permit.
 */
function targetsOf(collection: Collection, namespaces: readonly string[] | undefined): readonly Target[] {
  if (namespaces === undefined) return [{ collection }];
  if (collections[collection].namespaced) return namespaces.map((namespace) => ({ collection, namespace }));
  if (collection !== 'namespaces') return [{ collection }];
  return namespaces.map((name) => ({ collection, fieldSelector: `metadata.name=${name}` }));
}

export interface ClusterInventory extends InventorySource {
  /** Hands over an inventory as of now, with the statuses that started no round. */
  refresh(): void;
}

export function clusterInventory(options: ClusterInventoryOptions): ClusterInventory {
  const clock = options.clock ?? systemClock;
  const { client, log, metrics } = options;
  const cache = createObjectCache(options.onStatus);
  const watches = new Map<Target, Watch>();
  let ready = false;
  let isDemanded = false;
  let flushTimer: NodeJS.Timeout | undefined;
  let silenceTimer: NodeJS.Timeout | undefined;

  const contentOf = (collection: ReferencedCollection) =>
    referencedContent({ collection, client, cache, log, clock, onChange: changed });
  const content = { secrets: contentOf('secrets'), configMaps: contentOf('configMaps') };
  for (const collection of referencedCollections) {
    if (options.namespaces !== undefined) cache.putReach(reachKey(collection), 'Unwatched');
    for (const { namespace } of targetsOf(collection, options.namespaces)) {
      cache.putReach(reachKey(collection, namespace), 'Pending');
    }
  }

  function changed(): void {
    if (ready) flushTimer ??= setTimeout(flush, coalesceMs);
  }

  function flush(): void {
    flushTimer = undefined;
    options.onChange(cache.snapshot());
  }

  function startWatches(collection: Collection): void {
    for (const target of targetsOf(collection, options.namespaces)) watches.set(target, startWatch(target));
  }

  function startWatch(target: Target): Watch {
    const { collection, namespace, fieldSelector } = target;
    return watchKind({
      client,
      type: collections[collection],
      sink: createSink(target, { cache, content, changed }),
      log,
      metrics,
      clock,
      metadataOnly: isReferenced(collection),
      optional: optional.has(collection),
      ...(namespace !== undefined && { namespace }),
      ...(fieldSelector !== undefined && { fieldSelector }),
      ...(options.idleMs !== undefined && { idleMs: options.idleMs }),
    });
  }

  return {
    async start() {
      for (const collection of Object.keys(collections) as Collection[]) {
        if (collection !== onDemand) startWatches(collection);
      }
      silenceTimer = setInterval(() => measureSilence(watches, clock, metrics), silenceEveryMs).unref();
      await Promise.all([...watches.values()].map((watch) => watch.synced));
      ready = true;
      flush();
    },
    reference(references) {
      for (const collection of referencedCollections) content[collection].reference(references[collection]);
      if (!ready || isDemanded || references[onDemand].size === 0) return;
      isDemanded = true;
      startWatches(onDemand);
    },
    refresh: changed,
    async stop() {
      ready = false;
      clearTimeout(flushTimer);
      clearInterval(silenceTimer);
      const contents = Object.values(content);
      await Promise.all([...contents, ...watches.values()].map((one) => one.stop()));
    },
  };
}

/** Of a kind with several watches, the one that was heard least recently. */
function measureSilence(watches: ReadonlyMap<Target, Watch>, clock: Clock, metrics: Metrics): void {
  const longest = new Map<string, number>();
  for (const [{ collection }, watch] of watches) {
    const { resource } = collections[collection];
    const seconds = (clock.now() - watch.lastHeardAt()) / 1000;
    longest.set(resource, Math.max(longest.get(resource) ?? 0, seconds));
  }
  for (const [resource, seconds] of longest) metrics.watchSilenceSeconds.set({ resource }, seconds);
}
