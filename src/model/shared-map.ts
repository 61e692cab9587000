// A map whose copies share what did not change: it is kept in parts, a copy makes anew those that it changes, and two copies are compared part by part.

type Parts<Value> = ReadonlyMap<string, ReadonlyMap<string, Value>>;

/** As any map that nobody can change; its order is that of its parts. Made by {@link draftOf}. */
export class SharedMap<Value> implements ReadonlyMap<string, Value> {
  /** The name of the part that a key is in. */
  readonly part: (key: string) => string;
  readonly parts: Parts<Value>;
  readonly size: number;

  constructor(part: (key: string) => string, parts: Parts<Value>, size: number) {
    this.part = part;
    this.parts = parts;
    this.size = size;
  }

  get(key: string): Value | undefined {
    return this.parts.get(this.part(key))?.get(key);
  }

  has(key: string): boolean {
    return this.parts.get(this.part(key))?.has(key) === true;
  }

  *entries(): Generator<[string, Value], undefined> {
    for (const entries of this.parts.values()) yield* entries;
  }

  *keys(): Generator<string, undefined> {
    for (const entries of this.parts.values()) yield* entries.keys();
  }

  *values(): Generator<Value, undefined> {
    for (const entries of this.parts.values()) yield* entries.values();
  }

  [Symbol.iterator](): Generator<[string, Value], undefined> {
    return this.entries();
  }

  forEach(visit: (value: Value, key: string, map: ReadonlyMap<string, Value>) => void): void {
    for (const [key, value] of this) visit(value, key, this);
  }
}

/** A copy in the making. */
export interface Draft<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  delete(key: string): boolean;
  /** The copy as it is now; the draft may be gone on with. The same map where nothing was changed since. */
  finish(): SharedMap<Value>;
}

/** What stands before the last slash: of `namespace/name`, and of `Kind/namespace/name`, all that is in one namespace. */
export function namespacePart(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf('/')));
}

/** Some hundred parts, for keys that have no parts of their own. */
export function scatteredPart(key: string): string {
  let hash = 0;
  for (let at = 0; at < key.length; at += 1) hash = (Math.imul(hash, 31) + key.charCodeAt(at)) | 0;
  return scattered[(hash ^ (hash >>> 16)) & (scattered.length - 1)] ?? '';
}

const scattered = Array.from({ length: 256 }, (_, index) => String(index));

export function emptySharedMap<Value>(part: (key: string) => string): SharedMap<Value> {
  return new SharedMap(part, new Map(), 0);
}

/** The map itself where it is one of the same parts; else a copy. */
export function shared<Value>(map: ReadonlyMap<string, Value>, part: (key: string) => string): SharedMap<Value> {
  if (map instanceof SharedMap && map.part === part) return map;
  const draft = draftOf(emptySharedMap<Value>(part));
  for (const [key, value] of map) draft.set(key, value);
  return draft.finish();
}

/** Of the same parts, those that are wanted. */
export function someParts<Value>(
  { part, parts }: SharedMap<Value>,
  isWanted: (name: string) => boolean,
): SharedMap<Value> {
  const wanted = new Map([...parts].filter(([name]) => isWanted(name)));
  return new SharedMap(
    part,
    wanted,
    wanted.values().reduce((sum, { size }) => sum + size, 0),
  );
}

export function draftOf<Value>(from: SharedMap<Value>): Draft<Value> {
  const { part } = from;
  let map = from;
  let parts = new Map<string, Map<string, Value>>(map.parts as ReadonlyMap<string, Map<string, Value>>);
  let size = map.size;
  /** The parts that no finished copy has yet. */
  const own = new Set<string>();

  function ownPart(name: string): Map<string, Value> {
    const found = parts.get(name);
    if (found !== undefined && own.has(name)) return found;
    const copy = new Map(found);
    parts.set(name, copy);
    own.add(name);
    return copy;
  }

  return {
    get: (key) => parts.get(part(key))?.get(key),
    set(key, value) {
      const entries = ownPart(part(key));
      const before = entries.size;
      entries.set(key, value);
      size += entries.size - before;
    },
    delete(key) {
      const name = part(key);
      if (parts.get(name)?.has(key) !== true) return false;
      const entries = ownPart(name);
      entries.delete(key);
      size -= 1;
      if (entries.size === 0) parts.delete(name);
      return true;
    },
    finish() {
      if (own.size === 0) return map;
      map = new SharedMap(part, parts, size);
      parts = new Map(parts);
      own.clear();
      return map;
    },
  };
}

/** The keys whose values are not the very same in both. What both share is not looked at. */
export function* changedKeys<Value>(
  before: ReadonlyMap<string, Value>,
  after: ReadonlyMap<string, Value>,
): Generator<string, void> {
  if (before === after) return;
  if (!(before instanceof SharedMap) || !(after instanceof SharedMap) || before.part !== after.part) {
    yield* changedEntries(before, after);
    return;
  }
  for (const [name, entries] of after.parts) {
    const known = before.parts.get(name);
    if (known !== entries) yield* changedEntries(known ?? new Map<string, Value>(), entries);
  }
  for (const [name, entries] of before.parts) if (!after.parts.has(name)) yield* entries.keys();
}

function* changedEntries<Value>(before: ReadonlyMap<string, Value>, after: ReadonlyMap<string, Value>) {
  for (const [key, value] of after) if (before.get(key) !== value) yield key;
  for (const key of before.keys()) if (!after.has(key)) yield key;
}
