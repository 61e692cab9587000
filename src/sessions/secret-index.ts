// Which records there are as Secrets, as far as the watch and our own writes have told, and the news of what changed.
import type { SecretMetadata } from './secret-record.ts';
import type { RecordChange, RecordType } from './store.ts';

export interface SecretIndex {
  /** Takes in a Secret as the watch told it, or as our own write left it; what is older than what is known says nothing. */
  put(metadata: SecretMetadata): void;
  /** A Secret is gone, whoever removed it. */
  drop(metadata: SecretMetadata): void;
  /** All there are, as of a version; what is known, is not among them and is no newer, has gone. */
  replaceAll(all: readonly SecretMetadata[], resourceVersion: string): void;
  get(name: string): SecretMetadata | undefined;
  /** Records of a type that have not expired. */
  count(type: RecordType): number;
  setHearing(hearing: boolean): void;
  /** To be called every second: tells that news may be missing, or else what has expired; the latter, still there, is returned. */
  tick(): readonly SecretMetadata[];
  watch(listener: (change: RecordChange) => void): () => void;
  close(): void;
}

/** Ended Secrets remembered, so that news which come late bring none back. */
const maxEnded = 10_000;
/** Another replica may have put the end off a moment ago, and that news is on its way. */
const expiryMarginMs = 500;

export function createSecretIndex(now: () => number): SecretIndex {
  const known = new Map<string, SecretMetadata>();
  const ended = new Set<string>();
  /** Secrets that are still there, and of which it was said that they have expired. */
  const told = new Set<string>();
  const listeners = new Set<(change: RecordChange) => void>();
  let hearing = false;
  let isFirstList = true;

  const send = (news: RecordChange) => {
    for (const listener of listeners) listener(news);
  };
  const tell = ({ type, id }: SecretMetadata, change: Exclude<RecordChange['change'], 'unknown'>) =>
    send({ type, id, change });

  function put(metadata: SecretMetadata): void {
    const { name, uid, resourceVersion } = metadata;
    if (ended.has(uid)) return;
    const before = known.get(name);
    if (before?.uid === uid && !isNewer(resourceVersion, before.resourceVersion)) return;
    // One name, another life: the end of the first was not heard yet.
    if (before !== undefined && before.uid !== uid) drop(before);
    known.set(name, metadata);
    const wasThere = before?.uid === uid && !told.delete(uid);
    tell(metadata, wasThere ? 'replaced' : 'created');
  }

  function drop(metadata: SecretMetadata): void {
    const { name, uid } = metadata;
    if (ended.has(uid)) return;
    ended.add(uid);
    for (const oldest of ended) {
      if (ended.size <= maxEnded) break;
      ended.delete(oldest);
    }
    if (known.get(name)?.uid === uid) known.delete(name);
    if (!told.delete(uid)) tell(metadata, 'removed');
  }

  return {
    put,
    drop,
    replaceAll(all, resourceVersion) {
      // What was there before us is no news.
      if (isFirstList) for (const one of all) if (!known.has(one.name)) known.set(one.name, one);
      isFirstList = false;
      const present = new Set(all.map(({ uid }) => uid));
      for (const one of known.values()) {
        if (!present.has(one.uid) && !isNewer(one.resourceVersion, resourceVersion)) drop(one);
      }
      for (const one of all) put(one);
    },
    get: (name) => known.get(name),
    count(type) {
      let count = 0;
      for (const one of known.values()) if (one.type === type && one.expiresAt > now()) count += 1;
      return count;
    },
    tick() {
      if (!hearing) {
        send({ change: 'unknown' });
        return [];
      }
      const all = [...known.values()].filter(({ expiresAt }) => expiresAt + expiryMarginMs <= now());
      for (const one of all) {
        if (told.has(one.uid)) continue;
        told.add(one.uid);
        tell(one, 'removed');
      }
      return all;
    },
    setHearing(is) {
      // Nothing is told yet: where it hears again before the next tick, nothing was missed, for a watch goes on where it ended.
      hearing = is;
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => listeners.clear(),
  };
}

/** Resource versions of one kind are whole numbers that grow (KEP-5504); one that is no number is taken for newer. */
function isNewer(version: string, than: string): boolean {
  return /^\d+$/.test(version) && /^\d+$/.test(than) ? BigInt(version) > BigInt(than) : version !== than;
}
