// The objects of every kind as last seen, stripped of what nobody reads and frozen; inventories are copies of it.
import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '../kubernetes/client.ts';
import { draftOf, emptySharedMap, namespacePart } from '../model/shared-map.ts';
import type { Draft } from '../model/shared-map.ts';
import { isOwnKind } from '../model/resources.ts';
import { collections, emptyInventory, objectKey } from '../model/objects.ts';
import type {
  Collection,
  Inventory,
  KubernetesObject,
  ObjectMap,
  Reach,
  ReferencedCollection,
  ResourceType,
} from '../model/objects.ts';

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** An object as it came: something with a name. Lists leave out `kind` and `apiVersion`. */
export interface RawObject {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly resourceVersion?: string };
  readonly [field: string]: unknown;
}

export interface ObjectCache {
  /**
   * Takes an object in. True where something changed that translation can see; otherwise the object there keeps its
   * identity, so that neither our own status write nor another controller's causes a round.
   */
  put(collection: Collection, raw: RawObject): boolean;
  /** Takes in that an object exists: of what nothing refers to, labels and annotations are nobody's business either. */
  putName(collection: ReferencedCollection, raw: RawObject): boolean;
  /** Sets how far we see, by the keys of `reachKey`; `undefined` leaves that to the wider entry. True for a change. */
  putReach(key: string, reach: Reach | undefined): boolean;
  get(collection: Collection, key: string): KubernetesObject | undefined;
  remove(collection: Collection, key: string): boolean;
  keys(collection: Collection): Iterable<string>;
  /** All of it as of now. Maps in which nothing changed since the last call are the same maps. */
  snapshot(): Inventory;
}

/** @param onStatus Called for each status that is another than before, by the keys of an inventory's `statuses`. */
export function createObjectCache(onStatus: (key: string, status: unknown) => void = () => undefined): ObjectCache {
  const current = new Map<Collection, Draft<KubernetesObject>>();
  const none = emptySharedMap<KubernetesObject>(namespacePart);
  for (const collection of Object.keys(collections) as Collection[]) current.set(collection, draftOf(none));
  const statuses = draftOf(emptySharedMap<unknown>(namespacePart));
  const dirty = new Set<Collection>();
  const reaches = new Map<string, Reach>();
  let reachDirty = false;
  let inventory = emptyInventory();

  function mapOf(collection: Collection): Draft<KubernetesObject> {
    const map = current.get(collection);
    if (map === undefined) throw new TypeError(`no such collection: ${collection}`);
    return map;
  }

  function putObject(collection: Collection, object: KubernetesObject): boolean {
    const key = objectKey(object.metadata);
    const map = mapOf(collection);
    const before = map.get(key);
    if (before !== undefined && isDeepStrictEqual(unversioned(before), unversioned(object))) return false;
    map.set(key, deepFreeze(object));
    dirty.add(collection);
    return true;
  }

  function putStatus(key: string, status: unknown): void {
    if (isDeepStrictEqual(statuses.get(key), status)) return;
    if (status === undefined) statuses.delete(key);
    else statuses.set(key, deepFreeze(status));
    onStatus(key, status);
  }

  return {
    put(collection, raw) {
      const type = collections[collection];
      const { object, status } = project(raw, type);
      if (isOwnKind(type.kind) || type.kind === 'Ingress')
        putStatus(`${type.kind}/${objectKey(object.metadata)}`, status);
      return putObject(collection, object);
    },
    putName(collection, { metadata: { name, namespace } }) {
      const metadata = { name, ...(namespace !== undefined && { namespace }) };
      return putObject(collection, { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata', metadata });
    },
    putReach(key, reach) {
      if (reaches.get(key) === reach) return false;
      if (reach === undefined) reaches.delete(key);
      else reaches.set(key, reach);
      reachDirty = true;
      return true;
    },
    get(collection, key) {
      return mapOf(collection).get(key);
    },
    remove(collection, key) {
      putStatus(`${collections[collection].kind}/${key}`, undefined);
      if (!mapOf(collection).delete(key)) return false;
      dirty.add(collection);
      return true;
    },
    keys(collection) {
      return mapOf(collection).finish().keys();
    },
    snapshot() {
      const changed: Partial<Record<Collection, ObjectMap>> = {};
      for (const collection of dirty) changed[collection] = mapOf(collection).finish();
      const statusesNow = statuses.finish();
      if (dirty.size > 0 || statusesNow !== inventory.statuses || reachDirty) {
        inventory = {
          ...inventory,
          ...changed,
          statuses: statusesNow,
          ...(reachDirty && { reach: new Map(reaches) }),
        };
      }
      dirty.clear();
      reachDirty = false;
      return inventory;
    },
  };
}

/** Takes `status` aside, and drops what is large and read by nobody: half of an object's bytes, as a rule. */
function project(raw: RawObject, type: ResourceType): { object: KubernetesObject; status: unknown } {
  const { status, metadata: rawMetadata, apiVersion: _apiVersion, kind: _kind, ...rest } = raw;
  const { managedFields, annotations, ...metadata } = rawMetadata as RawObject['metadata'] & {
    readonly managedFields?: unknown;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  const { [lastApplied]: _lastApplied, ...kept } = annotations ?? {};
  const object = {
    apiVersion: type.group === '' ? type.version : `${type.group}/${type.version}`,
    kind: type.kind,
    metadata: Object.keys(kept).length > 0 ? { ...metadata, annotations: kept } : metadata,
    ...rest,
  };
  return { object, status: statusToKeep(status, type, statusWriters(managedFields)) };
}

/** All of our own kinds', of an Ingress its addresses, of others nothing; with who of us has written it. */
function statusToKeep(status: unknown, { kind }: ResourceType, writers: readonly string[]): unknown {
  const by = writers.length > 0 && { writers };
  if (isOwnKind(kind)) return isRecord(status) ? { ...status, ...by } : status;
  if (kind !== 'Ingress') return undefined;
  const balancer = isRecord(status) && isRecord(status['loadBalancer']) ? status['loadBalancer'] : {};
  const { ingress: addresses } = balancer;
  return Array.isArray(addresses) || writers.length > 0 ? { addresses: addresses ?? [], ...by } : undefined;
}

/**
 * Our field managers whose word the status is. Where two say the same in one field both own it, and where one has taken a field
 * over, the other still owns those beside: so it is they who own the fields in which words differ.
 */
function statusWriters(managedFields: unknown): readonly string[] {
  if (!Array.isArray(managedFields)) return [];
  const owners = managedFields.flatMap((entry) => {
    if (!isRecord(entry) || entry['subresource'] !== 'status' || !isRecord(entry['fieldsV1'])) return [];
    const { manager, fieldsV1 } = entry;
    const fields = fieldsV1['f:status'];
    if (typeof manager !== 'string' || !manager.startsWith('sallyport/') || !isRecord(fields)) return [];
    const conditions = isRecord(fields['f:conditions']) ? fields['f:conditions'] : {};
    const programmed = conditions['k:{"type":"Programmed"}'];
    return [
      {
        manager,
        speaks: 'f:loadBalancer' in fields || (isRecord(programmed) && 'f:reason' in programmed),
        counts: 'f:routes' in fields,
      },
    ];
  });
  const isCounted = owners.some(({ counts }) => counts);
  return owners.filter(({ speaks, counts }) => speaks && counts === isCounted).map(({ manager }) => manager);
}

function unversioned(object: KubernetesObject): unknown {
  return { ...object, metadata: { ...object.metadata, resourceVersion: undefined } };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
