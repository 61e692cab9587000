// The API server's list and watch as it speaks them: pages, events, bookmarks, each checked before it is passed on.
import { ApiError, apiErrorOf, isRecord, resourcePath } from '../kubernetes/client.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { ResourceType } from '../model/objects.ts';
import type { RawObject } from './cache.ts';

/** What is listed and watched. */
export interface Selection {
  readonly client: KubernetesClient;
  readonly type: ResourceType;
  /** Absent: all namespaces, or a cluster-scoped kind. */
  readonly namespace?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  /** Asks for names, labels and annotations only: the content never leaves the API server. */
  readonly metadataOnly?: boolean;
}

/**
 * `Cached`: from the API server's memory, as a start should. `Paged`: from etcd, 500 at a time, never older than what we
 * have seen. `Whole`: as Paged but in one answer, since the pages' snapshot was compacted away while we read it.
 */
export type ListKind = 'Cached' | 'Paged' | 'Whole';

export type WatchEvent =
  | { readonly type: 'Changed' | 'Deleted'; readonly object: RawObject; readonly resourceVersion: string }
  | { readonly type: 'Bookmark'; readonly resourceVersion: string };

const pageSize = 500;
const maxPages = 2000;
const watchSeconds = 300;

/** All objects there are, and the version of the whole. Errors: ApiError. */
export async function listObjects(
  selection: Selection,
  how: ListKind,
  signal: AbortSignal,
): Promise<{ objects: RawObject[]; resourceVersion: string }> {
  const objects: RawObject[] = [];
  let query: Record<string, string> = firstQuery(how);
  for (let page = 0; page < maxPages; page++) {
    const { objects: some, next, list } = await requestPage(selection, query, signal);
    for (const one of some) objects.push(one);
    if (next === undefined) return { objects, resourceVersion: resourceVersionOf(list) };
    query = { limit: String(pageSize), continue: next };
  }
  throw malformed(`a list of more than ${maxPages} pages`);
}

/** Some objects; `next`, where there is one, asks for those that follow. */
export interface ListPage {
  readonly objects: readonly RawObject[];
  readonly next?: string;
}

/** One page of a list that nobody wants of one moment: each object that is there all the while is on one. Errors: ApiError. */
export async function listPage(
  selection: Selection,
  after: string | undefined,
  signal: AbortSignal,
): Promise<ListPage> {
  const ask = (from: string | undefined) =>
    requestPage(selection, { limit: String(pageSize), ...(from !== undefined && { continue: from }) }, signal);
  try {
    return await ask(after);
  } catch (error) {
    // The snapshot of the first page is compacted away after some five minutes. What comes with the 410 goes on without it.
    if (!(error instanceof ApiError && error.code === 'Gone') || after === undefined) throw error;
    return ask(error.continue);
  }
}

async function requestPage(selection: Selection, query: Record<string, string>, signal: AbortSignal) {
  const { body } = await selection.client.request(
    'GET',
    resourcePath(selection.type, { namespace: selection.namespace }),
    { query: { ...query, ...selectorOf(selection) }, accept: acceptOf(selection, 'PartialObjectMetadataList'), signal },
  );
  if (!isRecord(body) || !isRecord(body['metadata'])) throw malformed('a list');
  // An empty PartialObjectMetadataList says null (Kubernetes 1.34).
  const items = body['items'] ?? [];
  if (!Array.isArray(items)) throw malformed('a list');
  const next = body['metadata']['continue'];
  return {
    objects: items.map(parseObject),
    ...(typeof next === 'string' && next !== '' && { next }),
    list: body,
  };
}

/** A limit beside resourceVersion=0 would be ignored, or read from etcd: the server's version decides. */
function firstQuery(how: ListKind): Record<string, string> {
  switch (how) {
    case 'Cached':
      return { resourceVersion: '0' };
    case 'Paged':
      return { limit: String(pageSize) };
    case 'Whole':
      return {};
  }
}

/** What happens after a version, until the server closes the watch. Errors: ApiError, also for an ERROR event. */
export async function* watchEvents(
  selection: Selection,
  resourceVersion: string,
  options: {
    readonly idleMs: number;
    readonly random: number;
    readonly signal: AbortSignal;
    readonly onOpen?: () => void;
  },
): AsyncGenerator<WatchEvent, void> {
  const path = resourcePath(selection.type, { namespace: selection.namespace });
  const query = {
    watch: '1',
    allowWatchBookmarks: 'true',
    // Spread out, so that watches opened together do not all come back together.
    timeoutSeconds: String(Math.floor(watchSeconds * (1 + options.random / 5))),
    resourceVersion,
    ...selectorOf(selection),
  };
  const accept = acceptOf(selection, 'PartialObjectMetadata');
  const { idleMs, signal, onOpen } = options;
  const stream = selection.client.stream(path, { query, accept, idleMs, signal, ...(onOpen && { onOpen }) });
  for await (const event of stream) {
    yield parseEvent(event, path);
  }
}

function parseEvent(event: unknown, path: string): WatchEvent {
  if (!isRecord(event)) throw malformed('an event');
  const { type, object } = event;
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { type: 'Changed', object: parseObject(object), resourceVersion: resourceVersionOf(object) };
    case 'DELETED':
      return { type: 'Deleted', object: parseObject(object), resourceVersion: resourceVersionOf(object) };
    case 'BOOKMARK':
      return { type: 'Bookmark', resourceVersion: resourceVersionOf(object) };
    case 'ERROR':
      throw apiErrorOf(isRecord(object) ? Number(object['code'] ?? 500) : 500, object, `watch ${path}`);
    default:
      throw malformed('the type of an event');
  }
}

function selectorOf({ fieldSelector, labelSelector }: Selection): Record<string, string> {
  return {
    ...(fieldSelector !== undefined && { fieldSelector }),
    ...(labelSelector !== undefined && { labelSelector }),
  };
}

function acceptOf({ metadataOnly }: Selection, as: string): string {
  return metadataOnly === true ? `application/json;as=${as};g=meta.k8s.io;v=v1` : 'application/json';
}

function malformed(what: string): ApiError {
  return new ApiError({ code: 'Unavailable', status: 0, message: `the API server sent ${what} that makes no sense` });
}

function parseObject(value: unknown): RawObject {
  const name = isRecord(value) && isRecord(value['metadata']) ? value['metadata']['name'] : undefined;
  if (typeof name !== 'string') throw malformed('an object without a name');
  return value as RawObject;
}

function resourceVersionOf(value: unknown): string {
  const version = isRecord(value) && isRecord(value['metadata']) ? value['metadata']['resourceVersion'] : undefined;
  if (typeof version !== 'string' || version === '') throw malformed('an object without a resourceVersion');
  return version;
}
