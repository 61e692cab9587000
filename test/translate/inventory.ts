// An Inventory from YAML, as the API server would have filled it: frozen, without statuses, one object a name.
import { parseAllDocuments } from 'yaml';
import { collections, emptyInventory, objectKey } from '../../src/model/objects.ts';
import type { Collection, Inventory, KubernetesObject } from '../../src/model/objects.ts';

const names = Object.keys(collections) as readonly Collection[];

/** Every object of a text of several YAML documents. A namespaced one without a namespace is in `default`. */
export function objectsOf(text: string): readonly KubernetesObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const written = document.toJS() as KubernetesObject | null;
    if (written === null) return [];
    const { status: _, ...object } = written;
    const { namespaced } = collections[collectionOf(object)];
    const metadata = namespaced ? { namespace: 'default', ...object.metadata } : object.metadata;
    return [freeze({ ...object, metadata })];
  });
}

/** Of two objects with one name the later stands. The objects themselves are kept, so that identity can be watched. */
export function inventoryFrom(objects: readonly KubernetesObject[]): Inventory {
  const maps = Object.fromEntries(names.map((name) => [name, new Map<string, KubernetesObject>()]));
  for (const object of objects) maps[collectionOf(object)]?.set(objectKey(object.metadata), object);
  return { ...emptyInventory(), ...maps };
}

export function inventoryOf(text: string): Inventory {
  return inventoryFrom(objectsOf(text));
}

/** A Secret of which only the metadata is known is one all the same. */
function collectionOf({ kind, apiVersion }: KubernetesObject): Collection {
  const wanted = kind === 'PartialObjectMetadata' ? 'Secret' : kind;
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  const found = names.find((name) => collections[name].kind === wanted && collections[name].group === group);
  if (found === undefined) throw new Error(`${apiVersion} ${kind} is not a kind of an inventory`);
  return found;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) freeze(part);
  }
  return value;
}
