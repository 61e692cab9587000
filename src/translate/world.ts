// The inventory, seen from translation: look-ups by name, and a note of each Secret and ConfigMap that a reference names.
import { metadataEntry } from './parse.ts';
import type { LabelSelector } from '../model/selector.ts';
import { collections, objectKey, reachOf } from '../model/objects.ts';
import type { Inventory, KubernetesObject, ObjectMap, ReferencedCollection, References } from '../model/objects.ts';

/**
 * Why content is not there. `missing`: there is no such object. `pending`: it is about to come. `forbidden`: the API server
 * does not let us read it. `unwatched`: its namespace is not among those that this installation serves.
 */
export type Absence = 'missing' | 'pending' | 'forbidden' | 'unwatched';

export interface World {
  readonly inventory: Inventory;
  readonly options: TranslateOptions;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The Secret that a reference names; noted, so that its content is fetched. */
  secret(key: string): KubernetesObject | 'missing' | 'pending';
  /** The ConfigMap that a reference names; noted likewise. */
  configMap(namespace: string, name: string): KubernetesObject | Absence;
  /** The EndpointSlices of a Service, by its `namespace/name`. */
  slices(service: string): readonly KubernetesObject[];
  /** Whatever was asked for with `secret` and `configMap`. */
  readonly references: References;
  /** Whether one of them is there, and its content is not yet. */
  isPending(): boolean;
}

export interface TranslateOptions {
  /** The IngressClass that this instance serves. */
  readonly className: string;
  /** Where the installation's own Secrets live. */
  readonly installationNamespace: string;
  /** Objects come from files: no API server has checked them, and there is one tenant. */
  readonly fromFolder: boolean;
  /** Our own pod, the API server: addresses and CIDRs that no route may lead to, beside those that never are one. */
  readonly refusedAddresses?: readonly string[];
  /** Only what stands in these namespaces is served; absent: all that the inventory holds. */
  readonly namespaceSelector?: LabelSelector;
  /** The topology zone that we are in; absent: nobody told us. */
  readonly zone?: string;
}

// `namespace/name`: a reference that no object can be named by, such as `shop/../other`, is asked of nobody.
const contentKey = /^[a-z0-9][-a-z0-9]*\/[a-z0-9][-a-z0-9.]*$/;

export function createWorld(inventory: Inventory, options: TranslateOptions, now: number): World {
  const references = { secrets: new Set<string>(), configMaps: new Set<string>() };
  const slicesByService = groupSlices(inventory.endpointSlices);
  let pending = false;

  function lookUp(collection: ReferencedCollection, key: string): KubernetesObject | Absence {
    if (!contentKey.test(key)) return 'missing';
    references[collection].add(key);
    const found = inventory[collection].get(key);
    if (found?.kind === collections[collection].kind) return found;
    const reach = reachOf(inventory, collection, key);
    if (reach === 'Forbidden') return 'forbidden';
    if (reach === 'Unwatched') return 'unwatched';
    if (reach === 'Listed' && found === undefined) return 'missing';
    pending = true;
    return 'pending';
  }

  return {
    inventory,
    options,
    now,
    references,
    isPending: () => pending,
    secret(key) {
      const found = lookUp('secrets', key);
      if (found === 'unwatched') return 'missing';
      return found === 'forbidden' ? 'pending' : found;
    },
    configMap(namespace, name) {
      const key = objectKey({ namespace, name });
      const found = lookUp('configMaps', key);
      // What was read once and has changed since, unreadably, is not used on: people may have gone from a data set.
      const isOutdated = typeof found === 'object' && reachOf(inventory, 'configMaps', key) === 'Forbidden';
      return isOutdated ? 'forbidden' : found;
    },
    slices: (service) => slicesByService.get(service) ?? [],
  };
}

type SlicesByService = ReadonlyMap<string, readonly KubernetesObject[]>;
const grouped = new WeakMap<ObjectMap, SlicesByService>();

function groupSlices(slices: ObjectMap): SlicesByService {
  const known = grouped.get(slices);
  if (known !== undefined) return known;
  const groups = Map.groupBy(slices.values(), (slice) => {
    const service = metadataEntry(slice, 'labels', 'kubernetes.io/service-name');
    return `${slice.metadata.namespace ?? ''}/${typeof service === 'string' ? service : ''}`;
  });
  grouped.set(slices, groups);
  return groups;
}
