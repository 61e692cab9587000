// Writes Events (events.k8s.io/v1) about whatever is at fault: one for each fault, as a series for as long as it lasts or when it comes again.
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { describeReference } from '../model/diagnostic.ts';
import type { Diagnostic, ObjectReference } from '../model/diagnostic.ts';
import { collections, objectKey } from '../model/objects.ts';
import type { Collection, Inventory, KubernetesObject } from '../model/objects.ts';
import { ApiError, isRecord, resourcePath } from './client.ts';
import { microTime } from './lease.ts';
import { createWriteQueue } from './queue.ts';
import type { Writer, WriterOptions } from './statuses.ts';

export interface EventFindings {
  readonly diagnostics: readonly Diagnostic[];
}

/** A cluster's Events are short-lived and shared with everybody: 10,000 faults at once are told of in half an hour. */
const limits = { waiting: 10_000, concurrent: 1, perMinute: 300 };
/** The API server keeps an Event for an hour after its last change; client-go refreshes a series that goes on after this, too. */
const refreshMs = 30 * 60_000;
/** Refreshing makes nobody wait who has something new to tell. */
const refreshLimits = { waiting: 10_000, concurrent: 1, perMinute: 300 };
const maxNoteLength = 1024;
const eventType = { kind: 'Event', group: 'events.k8s.io', version: 'v1', resource: 'events', namespaced: true };

export function createEventWriter(options: WriterOptions): Writer<EventFindings> {
  const { log, now } = options;
  const queue = createWriteQueue(limits, log, now);
  const refreshes = createWriteQueue(refreshLimits, log, now);
  /** By the name of the Event, when it was last told. */
  const told = new Map<string, number>();

  return {
    report({ diagnostics }, inventory) {
      const current = new Set<string>();
      for (const diagnostic of diagnostics) {
        const object = objectOf(diagnostic.object, inventory);
        if (object === undefined) continue;
        const name = eventName(diagnostic, object);
        current.add(name);
        const toldAt = told.get(name);
        if (toldAt !== undefined && now() - toldAt < refreshMs) continue;
        const body = eventOf(diagnostic, object, name, now());
        const job = {
          what: describeReference(diagnostic.object),
          send: (signal: AbortSignal) => tell(options, body, signal),
        };
        // What finds no room is offered again with the next findings.
        if ((toldAt === undefined ? queue : refreshes).add(name, job)) told.set(name, now());
      }
      for (const name of told.keys()) {
        if (current.has(name)) continue;
        told.delete(name);
        queue.drop(name);
        refreshes.drop(name);
      }
    },
    // An Event says nothing of statuses.
    seen: () => undefined,
    async stop() {
      await Promise.all([queue.stop(), refreshes.stop()]);
    },
  };
}

/** An Event of the same name is of the same fault, told by us or by who led before: it becomes a series. */
async function tell({ client, now }: WriterOptions, body: Event, signal: AbortSignal): Promise<void> {
  const { name, namespace } = body.metadata;
  const path = resourcePath(eventType, { namespace });
  const isNew = await client.request('POST', path, { body, signal }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof ApiError && error.reason === 'AlreadyExists') return false;
      throw error;
    },
  );
  if (isNew) return;
  const at = `${path}/${name}`;
  const { body: known } = await client.request('GET', at, { signal });
  const series = isRecord(known) && isRecord(known['series']) ? known['series'] : {};
  const count = Math.max(2, Number(series['count'] ?? 1) + 1);
  await client.request('PATCH', at, {
    contentType: 'application/merge-patch+json',
    body: { series: { count, lastObservedTime: microTime(now()) } },
    signal,
  });
}

/** The object that a diagnostic is about. Of a Secret or ConfigMap that nothing refers to any more, the name alone is known. */
function objectOf(reference: ObjectReference, inventory: Inventory): KubernetesObject | undefined {
  const names = Object.keys(collections) as Collection[];
  const collection = names.find((name) => collections[name].kind === reference.kind);
  const object = collection && inventory[collection].get(objectKey(reference));
  return object?.kind === reference.kind ? object : undefined;
}

/** Made from the fault and the life of the object: whoever tells of it, tells of it under this name. */
function eventName({ code, path, message }: Diagnostic, { kind, metadata }: KubernetesObject): string {
  const fault = JSON.stringify([kind, metadata.uid ?? '', code, path, message]);
  const hash = createHash('sha256').update(fault).digest('hex').slice(0, 16);
  return `${metadata.name.slice(0, 230).replace(/[.-]+$/, '')}.${hash}`;
}

type Event = ReturnType<typeof eventOf>;

/** `kubectl describe` finds an Event by the uid of what it regards. */
function eventOf(diagnostic: Diagnostic, object: KubernetesObject, eventName: string, nowMs: number) {
  const { apiVersion, kind, metadata } = object;
  const { name, uid, resourceVersion } = metadata;
  const note = diagnostic.path === '' ? diagnostic.message : `${diagnostic.path}: ${diagnostic.message}`;
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    // Events about cluster-scoped objects live in `default`, where kubectl looks for them.
    metadata: { name: eventName, namespace: metadata.namespace ?? 'default' },
    eventTime: microTime(nowMs),
    reportingController: 'sallyport.dev/ingress-controller',
    reportingInstance: hostname().slice(0, 128),
    action: 'Translate',
    reason: diagnostic.code,
    regarding: { apiVersion, kind, namespace: metadata.namespace, name, uid, resourceVersion },
    note: note.length > maxNoteLength ? `${note.slice(0, maxNoteLength - 1)}…` : note,
    type: 'Warning',
  };
}
