// The inventory, seen from translation: look-ups by name, and a note of each Secret that a reference names.
import { metadataEntry } from './parse.ts';
import type { Inventory, KubernetesObject, ObjectMap } from '../model/objects.ts';

export interface World {
  readonly inventory: Inventory;
  readonly options: TranslateOptions;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The Secret that a reference names; noted, so that its content is fetched. */
  secret(key: string): KubernetesObject | 'missing' | 'pending';
  /** The EndpointSlices of a Service, by its `namespace/name`. */
  slices(service: string): readonly KubernetesObject[];
  /** Keys of all Secrets that were asked for. */
  readonly secretReferences: ReadonlySet<string>;
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
}

// `namespace/name`: a reference that no Secret can be named by, such as `shop/../other`, is asked of nobody.
const secretKey = /^[a-z0-9][-a-z0-9]*\/[a-z0-9][-a-z0-9.]*$/;

export function createWorld(inventory: Inventory, options: TranslateOptions, now: number): World {
  const secretReferences = new Set<string>();
  const slicesByService = groupSlices(inventory.endpointSlices);
  let pending = false;
  return {
    inventory,
    options,
    now,
    secretReferences,
    isPending: () => pending,
    secret(key) {
      if (!secretKey.test(key)) return 'missing';
      secretReferences.add(key);
      const found = inventory.secrets.get(key);
      if (found === undefined) return 'missing';
      if (found.kind === 'Secret') return found;
      pending = true;
      return 'pending';
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
