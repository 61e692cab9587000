// The inventory, seen from translation: look-ups by name, and a note of each Secret and ConfigMap that a reference names.
import { metadataEntry } from './parse.ts';
import type { LabelSelector } from '../model/selector.ts';
import { collections, objectKey, reachOf } from '../model/objects.ts';
import type { Inventory, KubernetesObject, ObjectMap, ReferencedCollection, References } from '../model/objects.ts';
import { namespacePart, shared } from '../model/shared-map.ts';
import type { SharedMap } from '../model/shared-map.ts';

/**
 * Why content is not there. `missing`: there is no such object. `pending`: it is about to come. `forbidden`: the API server
 * does not let us read it. `unwatched`: its namespace is not among those that this installation serves.
 */
export type Absence = 'missing' | 'pending' | 'forbidden' | 'unwatched';

/** What some work referred to. */
export interface Notes {
  /** Keys of Secrets and of ConfigMaps, `namespace/name`. */
  readonly secrets: readonly string[];
  readonly configMaps: readonly string[];
  /** Whether one of them is there, and its content is not yet. */
  readonly isPending: boolean;
}

export interface World {
  readonly inventory: PartedInventory;
  readonly options: TranslateOptions;
  /** Milliseconds since the epoch; for comparisons there is `isPast`. */
  readonly now: number;
  /** Whether a moment has come. */
  isPast(moment: number): boolean;
  /** The first that was asked for and has not come: from then on time alone makes another answer. */
  until(): number;
  /** Does some work, and tells what was noted meanwhile. */
  noting<Result>(work: () => Result): { readonly result: Result; readonly notes: Notes };
  /** Called for each Ingress that is translated, and not remembered. */
  translated(): void;
  translatedIngresses(): number;
  /** The Secret that a reference names; noted, so that its content is fetched. */
  secret(key: string): KubernetesObject | 'missing' | 'pending';
  /** The ConfigMap that a reference names; noted likewise. */
  configMap(namespace: string, name: string): KubernetesObject | Absence;
  /** The EndpointSlices of a Service, by its `namespace/name`. */
  slices(service: string): readonly KubernetesObject[];
  /** Whatever was asked for with `secret` and `configMap` outside of `noting`. */
  readonly references: References;
  /** Whether one of them is there, and its content is not yet. */
  isPending(): boolean;
}

/** An inventory whose larger kinds are parted by namespace. */
export type PartedInventory = Inventory & {
  readonly [Name in 'ingresses' | 'policies' | 'endpointSlices']: SharedMap<KubernetesObject>;
};

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

export function createWorld(given: Inventory, options: TranslateOptions, now: number): World {
  const inventory = inParts(given);
  let notes = createNotes();
  let until = Infinity;
  let translatedIngresses = 0;

  function lookUp(collection: ReferencedCollection, key: string): KubernetesObject | Absence {
    if (!contentKey.test(key)) return 'missing';
    notes[collection].add(key);
    const found = inventory[collection].get(key);
    if (found?.kind === collections[collection].kind) return found;
    const reach = reachOf(inventory, collection, key);
    if (reach === 'Forbidden') return 'forbidden';
    if (reach === 'Unwatched') return 'unwatched';
    if (reach === 'Listed' && found === undefined) return 'missing';
    notes.isPending = true;
    return 'pending';
  }

  return {
    inventory,
    options,
    now,
    isPast(moment) {
      if (now >= moment) return true;
      until = Math.min(until, moment);
      return false;
    },
    until: () => until,
    noting(work) {
      const outer = notes;
      notes = createNotes();
      const result = work();
      const { secrets, configMaps, isPending } = notes;
      notes = outer;
      const isNothing = secrets.size === 0 && configMaps.size === 0;
      return { result, notes: isNothing ? noNotes : { secrets: [...secrets], configMaps: [...configMaps], isPending } };
    },
    translated: () => void (translatedIngresses += 1),
    translatedIngresses: () => translatedIngresses,
    references: notes,
    isPending: () => notes.isPending,
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
    slices(service) {
      const part = inventory.endpointSlices.parts.get(namespacePart(service));
      return (part && groupSlices(part).get(service)) ?? [];
    },
  };
}

function createNotes() {
  return { secrets: new Set<string>(), configMaps: new Set<string>(), isPending: false };
}

/** Of most work. */
const noNotes: Notes = { secrets: [], configMaps: [], isPending: false };

const parted = new WeakMap<ObjectMap, SharedMap<KubernetesObject>>();

// What comes from a watch or a folder is parted already.
function inParts(inventory: Inventory): PartedInventory {
  const part = (map: ObjectMap) => {
    const known = parted.get(map);
    if (known !== undefined) return known;
    const made = shared(map, namespacePart);
    parted.set(map, made);
    return made;
  };
  const { ingresses, policies, endpointSlices } = inventory;
  return {
    ...inventory,
    ingresses: part(ingresses),
    policies: part(policies),
    endpointSlices: part(endpointSlices),
  };
}

type SlicesByService = ReadonlyMap<string, readonly KubernetesObject[]>;
const grouped = new WeakMap<ObjectMap, SlicesByService>();

/** @param slices Of one namespace. */
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
