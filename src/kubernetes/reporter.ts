// Tells people what came of their objects: writes the statuses of our own kinds, and Events on whatever is at fault.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { describeReference } from '../model/diagnostic.ts';
import type { Diagnostic, ObjectReference } from '../model/diagnostic.ts';
import { isOwnKind } from '../model/resources.ts';
import type { Status } from '../model/kinds.ts';
import { collections, objectKey } from '../model/objects.ts';
import type { Collection, Inventory, KubernetesObject, ResourceType } from '../model/objects.ts';
import type { Logger } from '../telemetry.ts';
import { resourcePath } from './client.ts';
import type { KubernetesClient } from './client.ts';
import { dated, isSaid } from './conditions.ts';
import { createWriteQueue } from './queue.ts';

/** What is to be told; a Translation is one. */
export interface Findings {
  readonly statuses: readonly {
    readonly collection: Collection;
    readonly object: ObjectReference;
    readonly status: Status;
  }[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface Reporter {
  /** Takes the findings about an inventory, and writes, in its own time, what is not said yet. Never throws. */
  report(findings: Findings, inventory: Inventory): void;
  /** Ends requests under way; what was not written yet is not written. */
  stop(): Promise<void>;
}

export interface ReporterOptions {
  readonly client: KubernetesClient;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const fieldManager = 'sallyport';
const statusLimits = { waiting: 10_000, concurrent: 4, perMinute: 6000 };
const eventLimits = { waiting: 10_000, concurrent: 1, perMinute: 50 };
const maxNoteLength = 1024;

export function createReporter(options: ReporterOptions): Reporter {
  const statuses = statusWriter(options);
  const events = eventWriter(options);
  return {
    report(findings, inventory) {
      statuses.report(findings, inventory);
      events.report(findings, inventory);
    },
    async stop() {
      await Promise.all([statuses.stop(), events.stop()]);
    },
  };
}

/** What an object should say, with the object and the status that was seen on it. */
interface Desired {
  readonly type: ResourceType;
  readonly object: KubernetesObject;
  readonly status: Status;
  readonly seen: unknown;
}

function statusWriter({ client, log, now = Date.now }: ReporterOptions): Reporter {
  const queue = createWriteQueue(statusLimits, log, now);
  let desired = new Map<string, Desired>();
  /** What we wrote over which status, for as long as the watch has not shown another. */
  const written = new Map<string, { readonly over: unknown; readonly status: Status }>();

  function knownStatus(key: string, seen: unknown): unknown {
    const last = written.get(key);
    return last !== undefined && last.over === seen ? last.status : seen;
  }

  function enqueueWhatDiffers(key: string): void {
    const want = desired.get(key);
    if (want === undefined || isSaid(want.status, knownStatus(key, want.seen))) queue.drop(key);
    else queue.add(key, { what: key, send: (signal) => write(key, signal) });
  }

  /** By server-side apply. The uid makes it fail where the object was replaced meanwhile. */
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
    stop: () => queue.stop(),
  };
}

const eventType = { kind: 'Event', group: 'events.k8s.io', version: 'v1', resource: 'events', namespaced: true };

/** One Event when something begins to be wrong, and none again until it was right. */
function eventWriter({ client, log, now = Date.now }: ReporterOptions): Reporter {
  const queue = createWriteQueue(eventLimits, log, now);
  const told = new Set<string>();

  return {
    report({ diagnostics }, inventory) {
      const current = new Set<string>();
      for (const diagnostic of diagnostics) {
        const object = objectOf(diagnostic.object, inventory);
        if (object === undefined) continue;
        const key = JSON.stringify([diagnostic.object, object.metadata.uid, diagnostic.code, diagnostic.message]);
        current.add(key);
        if (told.has(key)) continue;
        // Events about cluster-scoped objects live in `default`, where kubectl looks for them.
        const namespace = object.metadata.namespace ?? 'default';
        const body = eventOf(diagnostic, object, namespace, now());
        const send = async (signal: AbortSignal) => {
          await client.request('POST', resourcePath(eventType, { namespace }), { body, signal });
        };
        // What finds no room is offered again with the next findings.
        if (queue.add(key, { what: describeReference(diagnostic.object), send })) told.add(key);
      }
      for (const key of told) {
        if (current.has(key)) continue;
        told.delete(key);
        queue.drop(key);
      }
    },
    stop: () => queue.stop(),
  };
}

/** The object that a diagnostic is about, where people can be told with an Event: an Ingress, or a kind of ours. */
function objectOf(reference: ObjectReference, inventory: Inventory): KubernetesObject | undefined {
  if (reference.kind !== 'Ingress' && !isOwnKind(reference.kind)) return undefined;
  const names = Object.keys(collections) as Collection[];
  const collection = names.find((name) => collections[name].kind === reference.kind);
  return collection && inventory[collection].get(objectKey(reference));
}

/**
 * `kubectl describe` finds an Event by the uid of what it regards. The name is made here, not by the server: an Event whose
 * answer was lost is then a Conflict when it is sent again, and not a second Event.
 */
function eventOf(diagnostic: Diagnostic, object: KubernetesObject, namespace: string, nowMs: number): unknown {
  const { apiVersion, kind, metadata } = object;
  const { name, uid, resourceVersion } = metadata;
  const note = diagnostic.path === '' ? diagnostic.message : `${diagnostic.path}: ${diagnostic.message}`;
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: `${name.slice(0, 230).replace(/[.-]+$/, '')}.${randomBytes(8).toString('hex')}`, namespace },
    // A MicroTime: six digits, or the API server refuses it.
    eventTime: new Date(nowMs).toISOString().replace('Z', '000Z'),
    reportingController: 'sallyport.dev/ingress-controller',
    reportingInstance: hostname().slice(0, 128),
    action: 'Translate',
    reason: diagnostic.code,
    regarding: { apiVersion, kind, namespace: metadata.namespace, name, uid, resourceVersion },
    note: note.length > maxNoteLength ? `${note.slice(0, maxNoteLength - 1)}…` : note,
    type: 'Warning',
  };
}
