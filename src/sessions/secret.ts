// The store in Kubernetes: one Secret a record, in a namespace of their own; other replicas' changes come by a watch of names.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ListPage } from '../inventory/listing.ts';
import { watchKind } from '../inventory/watch.ts';
import type { Watch, WatchSink } from '../inventory/watch.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { collections } from '../model/objects.ts';
import type { SecretStoreSettings } from '../model/settings.ts';
import type { Logger, Metrics } from '../telemetry.ts';
import { createAllowance } from './allowance.ts';
import { createSecretIndex } from './secret-index.ts';
import type { SecretIndex } from './secret-index.ts';
import {
  indexLabel,
  parseMetadata,
  parseRecord,
  secretName,
  secretOf,
  secretType,
  typeSelector,
} from './secret-record.ts';
import type { SecretMetadata } from './secret-record.ts';
import { createSecretRequests } from './secret-requests.ts';
import { StoreError } from './store.ts';
import type { RecordPage, RecordType, Store, StoredRecord } from './store.ts';

export interface SecretStoreOptions {
  readonly client: KubernetesClient;
  readonly settings: SecretStoreSettings;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** How likely this replica is to remove an expired record in the next second; certain unless said. Others only learn of it. */
  readonly sweepChance?: () => number;
  /** For each call. */
  readonly timeoutMs?: number;
}

const sweepEveryMs = 1_000;
const maxSweeping = 20;
/** The API server sends a bookmark about once a minute: a watch that is silent for longer has died without a word. */
const idleMs = 90_000;
const maxAttempts = 5;
/** Anybody can make up an id, on the authentication host: so many that nobody knows are asked for in a second. */
const missesPerSecond = 50;

export function createSecretStore(options: SecretStoreOptions): Store {
  const { settings, now = Date.now, timeoutMs = 3_000, sweepChance = () => 1 } = options;
  const { namespace, max } = settings;
  const index = createSecretIndex(now);
  const misses = createAllowance(missesPerSecond, now);
  const requests = createSecretRequests({ client: options.client, namespace, timeoutMs });
  const watch = watchRecords(options, index);
  let isListed = false;
  void watch.synced.then(() => (isListed = true));

  async function remove(metadata: SecretMetadata): Promise<boolean> {
    if (!(await requests.remove(metadata))) return false;
    index.drop(metadata);
    return true;
  }

  /** The record of a Secret, whether expired or not. */
  async function find(type: RecordType, id: string) {
    const name = secretName(type, id);
    if (isListed && index.get(name) === undefined && !misses.take()) {
      throw new StoreError('busy', `more than ${missesPerSecond} unknown records a second are asked for`);
    }
    return parseRecord(await requests.get(name));
  }

  async function read(type: RecordType, id: string) {
    const found = await find(type, id);
    return found !== undefined && found.record.expiresAt > now() ? found : undefined;
  }

  async function take(type: RecordType, id: string): Promise<StoredRecord | undefined> {
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const found = await read(type, id);
      if (found === undefined) return undefined;
      if (await remove(found.metadata)) return found.record;
    }
    throw new StoreError('unavailable', 'the record changes faster than it can be taken');
  }

  /** `false`: the name is taken by what is there still, and has not expired. */
  async function write(record: StoredRecord): Promise<boolean> {
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const made = await requests.post(secretOf(record, namespace));
      if (made !== undefined) {
        noteWritten(index, made);
        return true;
      }
      const there = await find(record.type, record.id);
      if (there !== undefined && there.record.expiresAt > now()) return false;
      if (there !== undefined) await remove(there.metadata);
    }
    return false;
  }

  const stopSweeping = sweep({ index, remove, sweepChance, log: options.log });
  return {
    async create(record) {
      const { type, id } = record;
      await listed(watch, timeoutMs, namespace);
      if (index.count(type) < max) return write(record);
      if ((await read(type, id)) !== undefined) return false;
      throw new StoreError('full', fullMessage(type, settings));
    },
    async read(type, id) {
      const found = await read(type, id);
      return found && { record: found.record, revision: revisionOf(found.metadata) };
    },
    async replace(record, revision) {
      const [resourceVersion = '', expiresAt = ''] = revision.split(' ');
      if (Number(expiresAt) <= now()) return false;
      const name = secretName(record.type, record.id);
      const made = await requests.put(name, secretOf(record, namespace, resourceVersion));
      if (made !== undefined) noteWritten(index, made);
      return made !== undefined;
    },
    take,
    async remove(type, id) {
      // One call instead of two, where it still is as the watch told it.
      const known = index.get(secretName(type, id));
      if (known !== undefined && known.expiresAt > now() && (await remove(known))) return true;
      return (await take(type, id)) !== undefined;
    },
    async find(type, name, value) {
      const secrets = await requests.list(`${typeSelector(type)},${indexLabel(name, value)}`);
      return secrets
        .flatMap((secret) => parseRecord(secret)?.record ?? [])
        .filter((record) => record.expiresAt > now() && record.index[name] === value);
    },
    page: async (type, cursor) => livingOf(await requests.page(typeSelector(type), cursor), now()),
    watch: index.watch,
    async close() {
      requests.close();
      stopSweeping();
      index.close();
      await watch.stop();
    },
  };
}

const fullMessage = (type: RecordType, { namespace, max }: SecretStoreSettings) =>
  `namespace ${namespace} holds ${max} ${type}s, the maximum: raise spec.sessions.store.secret.max of the Sallyport, or keep sessions in Redis`;

function livingOf({ objects, next }: ListPage, now: number): RecordPage {
  const records = objects.flatMap((secret) => parseRecord(secret)?.record ?? []);
  return { records: records.filter(({ expiresAt }) => expiresAt > now), ...(next !== undefined && { next }) };
}

const revisionOf = ({ resourceVersion, expiresAt }: SecretMetadata) => `${resourceVersion} ${expiresAt}`;

function noteWritten(index: SecretIndex, secret: unknown): void {
  const metadata = parseMetadata(secret);
  if (metadata === undefined) throw new StoreError('unavailable', 'the API server answered with another Secret');
  index.put(metadata);
}

/** Nobody can count what is there before it was listed. */
async function listed(watch: Watch, timeoutMs: number, namespace: string): Promise<void> {
  const isListed = await Promise.race([watch.synced.then(() => true), sleep(timeoutMs, false, { ref: false })]);
  if (!isListed) throw new StoreError('unavailable', `the Secrets of namespace ${namespace} cannot be listed`);
}

/** Names, labels and annotations alone: the content of a record is fetched where somebody asks for it. */
function watchRecords({ client, settings, log, metrics }: SecretStoreOptions, index: SecretIndex): Watch {
  return watchKind({
    client,
    type: collections.secrets,
    namespace: settings.namespace,
    fieldSelector: `type=${secretType}`,
    metadataOnly: true,
    sink: sinkOf(index),
    log: log.child({ store: 'Secret' }),
    metrics,
    idleMs,
  });
}

function sinkOf(index: SecretIndex): WatchSink {
  return {
    listed: (objects, resourceVersion) =>
      index.replaceAll(
        objects.flatMap((object) => parseMetadata(object) ?? []),
        resourceVersion,
      ),
    changed(object) {
      const metadata = parseMetadata(object);
      if (metadata !== undefined) index.put(metadata);
    },
    deleted(object) {
      const metadata = parseMetadata(object);
      if (metadata !== undefined) index.drop(metadata);
    },
    forbidden: () => undefined,
    hearing: index.setHearing,
  };
}

/** Returns how to stop. */
function sweep(options: {
  readonly index: SecretIndex;
  readonly remove: (expired: SecretMetadata) => Promise<unknown>;
  readonly sweepChance: () => number;
  readonly log: Logger;
}): () => void {
  const { index, remove, sweepChance, log } = options;
  const removing = new Set<string>();
  const timer = setInterval(() => {
    const expired = index.tick();
    const chance = sweepChance();
    for (const one of expired) {
      if (removing.size >= maxSweeping || removing.has(one.uid) || Math.random() >= chance) continue;
      removing.add(one.uid);
      // What fails is tried again: it is still there then.
      void remove(one)
        .catch((error: unknown) => log.debug({ err: error }, 'an expired record stays for now'))
        .finally(() => removing.delete(one.uid));
    }
  }, sweepEveryMs).unref();
  return () => clearInterval(timer);
}
