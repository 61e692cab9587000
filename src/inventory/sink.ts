// What one watch sees, taken into the cache: whole objects, or names and what is said of their content.
import { objectKey, reachKey, referencedCollections } from '../model/objects.ts';
import type { Collection, Reach, ReferencedCollection } from '../model/objects.ts';
import type { ObjectCache, RawObject } from './cache.ts';
import type { ReferencedContent } from './referenced.ts';
import type { WatchSink } from './watch.ts';

/** What one watch looks at. */
export interface Target {
  readonly collection: Collection;
  readonly namespace?: string;
  readonly fieldSelector?: string;
}

export interface SinkSurroundings {
  readonly cache: ObjectCache;
  readonly content: Readonly<Record<ReferencedCollection, ReferencedContent>>;
  /** Called when the cache changed. */
  changed(): void;
}

export function isReferenced(collection: Collection): collection is ReferencedCollection {
  return (referencedCollections as readonly Collection[]).includes(collection);
}

export function createSink(
  { collection, namespace }: Target,
  { cache, content, changed }: SinkSurroundings,
): WatchSink {
  const known = new Set<string>();

  function put(object: RawObject): boolean {
    known.add(objectKey(object.metadata));
    return isReferenced(collection) ? content[collection].seen(object) : cache.put(collection, object);
  }

  function remove(key: string): boolean {
    known.delete(key);
    return isReferenced(collection) ? content[collection].gone(key) : cache.remove(collection, key);
  }

  function replace(objects: readonly RawObject[], reach: Reach): void {
    const present = new Set(objects.map((object) => objectKey(object.metadata)));
    let effect = isReferenced(collection) && cache.putReach(reachKey(collection, namespace), reach);
    for (const key of known) if (!present.has(key)) effect = remove(key) || effect;
    for (const object of objects) effect = put(object) || effect;
    if (effect) changed();
  }

  return {
    listed: (objects) => replace(objects, 'Listed'),
    forbidden: () => replace([], 'Forbidden'),
    changed(object) {
      if (put(object)) changed();
    },
    deleted(object) {
      if (remove(objectKey(object.metadata))) changed();
    },
  };
}
