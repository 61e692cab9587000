// Writes the statuses of our own kinds: what differs from what an object says, by server-side apply.
import type { ObjectReference } from '../model/diagnostic.ts';
import type { Status } from '../model/kinds.ts';
import { collections, objectKey } from '../model/objects.ts';
import type { Collection, Inventory, KubernetesObject, ResourceType } from '../model/objects.ts';
import type { Logger } from '../telemetry.ts';
import { resourcePath } from './client.ts';
import type { KubernetesClient } from './client.ts';
import { dated, isAnothers, isSaid } from './conditions.ts';
import { createWriteQueue } from './queue.ts';

export interface WriterOptions {
  /** One that writes within a term alone. */
  readonly client: KubernetesClient;
  /** Of this class's statuses and addresses, and of nothing else. */
  readonly fieldManager: string;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface Writer<Findings> {
  /** Takes the findings about an inventory, and writes, in its own time, what is not said yet. Never throws. */
  report(findings: Findings, inventory: Inventory): void;
  /** Takes a status as the watch shows it: our own, or what somebody has written over it. */
  seen(key: string, status: unknown): void;
  /** Ends requests under way; what was not written yet is not written. */
  stop(): Promise<void>;
}

export interface StatusFindings {
  readonly statuses: readonly {
    readonly collection: Collection;
    readonly object: ObjectReference;
    readonly status: Status;
  }[];
}

/** What was refused, or found no room, is offered again after so long. */
const lookMs = 30_000;
const ownCollections = ['policies', 'clusterPolicies', 'identityProviders', 'sallyports'] as const;

const limits = { waiting: 10_000, concurrent: 4, perMinute: 6000 };
/** What others write over is written again no sooner: two who disagree would keep the API server busy. */
const overwrittenMs = 5_000;

/** The SSA field manager of a class: so that of two installations each knows what it wrote itself. 128 letters at the most. */
export function fieldManagerOf(className: string): string {
  return `sallyport/${className}`.slice(0, 128);
}

/** What an object should say, with the object and the status that was seen on it. */
interface Desired {
  readonly type: ResourceType;
  readonly object: KubernetesObject;
  readonly status: Status;
  readonly seen: unknown;
}

export function createStatusWriter({ client, fieldManager, log, now }: WriterOptions): Writer<StatusFindings> {
  const queue = createWriteQueue(limits, log, now);
  let desired = new Map<string, Desired>();
  /** What we wrote over which status, for as long as the watch has not shown another. */
  const written = new Map<string, { readonly over: unknown; readonly status: Status }>();

  let lookAgain: NodeJS.Timeout | undefined;
  let last: { readonly findings: StatusFindings; readonly inventory: Inventory; readonly at: number } | undefined;

  /** Of 2,000 statuses a look takes some 3 ms: not after each of many changes that concern none of them. */
  function isAsBefore(findings: StatusFindings, inventory: Inventory): boolean {
    return (
      last !== undefined &&
      now() - last.at < lookMs &&
      ownCollections.every((name) => inventory[name] === last?.inventory[name]) &&
      inventory.statuses === last.inventory.statuses &&
      findings.statuses.length === last.findings.statuses.length &&
      findings.statuses.every((one, index) => one === last?.findings.statuses[index])
    );
  }

  function knownStatus(key: string, seen: unknown): unknown {
    const last = written.get(key);
    return last !== undefined && last.over === seen ? last.status : seen;
  }

  function enqueueWhatDiffers(key: string): void {
    const want = desired.get(key);
    const known = want && knownStatus(key, want.seen);
    if (want === undefined || isSaid(want.status, known) || isAnothers(want.status, known, fieldManager)) {
      queue.drop(key);
    } else {
      queue.add(key, { what: key, send: (signal) => write(key, signal) });
    }
  }

  /** The uid makes it fail where the object was replaced meanwhile. */
  async function write(key: string, signal: AbortSignal): Promise<void> {
    const want = desired.get(key);
    if (want === undefined) return;
    const { apiVersion, kind, metadata } = want.object;
    const { name, namespace, uid } = metadata;
    const status = dated(want.status, knownStatus(key, want.seen), now());
    await client.request('PATCH', resourcePath(want.type, { namespace, name, subresource: 'status' }), {
      query: { fieldManager, force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: { apiVersion, kind, metadata: { name, namespace, uid }, status },
      signal,
    });
    written.set(key, { over: want.seen, status });
    // The findings may have changed while we wrote.
    enqueueWhatDiffers(key);
  }

  return {
    report(findings, inventory) {
      if (isAsBefore(findings, inventory)) return;
      last = { findings, inventory, at: now() };
      const before = desired;
      desired = new Map();
      for (const { collection, object: reference, status } of findings.statuses) {
        const object = inventory[collection].get(objectKey(reference));
        if (object === undefined) continue;
        const key = `${reference.kind}/${objectKey(reference)}`;
        desired.set(key, { type: collections[collection], object, status, seen: inventory.statuses.get(key) });
      }
      for (const key of before.keys()) if (!desired.has(key)) written.delete(key);
      for (const key of new Set([...before.keys(), ...desired.keys()])) enqueueWhatDiffers(key);
    },
    seen(key, status) {
      const want = desired.get(key);
      if (want === undefined) return;
      desired.set(key, { ...want, seen: status });
      lookAgain ??= setTimeout(() => {
        lookAgain = undefined;
        for (const one of desired.keys()) enqueueWhatDiffers(one);
      }, overwrittenMs).unref();
    },
    async stop() {
      clearTimeout(lookAgain);
      await queue.stop();
    },
  };
}
