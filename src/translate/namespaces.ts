// The namespaces that an installation serves, where it chooses them by label: what stands in others is as good as not there.
import { selects } from './selector.ts';
import type { World } from './world.ts';
import type { Inventory, ObjectMap } from '../model/objects.ts';
import { namespacePart, shared, someParts } from '../model/shared-map.ts';

type Choice = Pick<World['options'], 'namespaceSelector' | 'installationNamespace'>;

const narrowed = new WeakMap<ObjectMap, { readonly names: string; readonly map: ObjectMap }>();

/**
 * An inventory without the Ingresses and Policies of other namespaces. Everything else namespaced is looked at where one of
 * these, or something of the cluster's, refers to it. The installation's own namespace always belongs to it; one that nobody
 * may read has no labels, and is chosen by nothing.
 */
export function withinNamespaces(inventory: Inventory, choice: Choice): Inventory {
  const { namespaceSelector: selector, installationNamespace } = choice;
  if (selector === undefined) return inventory;
  const chosen = new Set([installationNamespace]);
  for (const [name, namespace] of inventory.namespaces) if (selects(selector, namespace)) chosen.add(name);
  const names = [...chosen].toSorted().join(' ');
  const narrow = (map: ObjectMap): ObjectMap => {
    const known = narrowed.get(map);
    if (known?.names === names) return known.map;
    const within = someParts(shared(map, namespacePart), (namespace) => chosen.has(namespace));
    narrowed.set(map, { names, map: within });
    return within;
  };
  return { ...inventory, ingresses: narrow(inventory.ingresses), policies: narrow(inventory.policies) };
}
