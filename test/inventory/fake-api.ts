// An API server that can misbehave: real HTTP, real chunks, and a fault for the next list or watch on demand.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Stored {
  apiVersion?: string;
  kind?: string;
  metadata: { name: string; namespace?: string; resourceVersion: string; [field: string]: unknown };
  [field: string]: unknown;
}

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string;
  readonly at: number;
  readonly body: unknown;
}

/** Answers one request instead of the server; returns false to let it through. */
export type Fault = (request: Seen, response: ServerResponse) => boolean | void;

export interface FakeApi {
  readonly url: string;
  readonly seen: Seen[];
  readonly watchers: Set<ServerResponse>;
  /** Creates or changes an object of a collection (its list's path) and tells the watchers. */
  put(
    path: string,
    object: { metadata: { name: string; namespace?: string; [field: string]: unknown }; [field: string]: unknown },
    silently?: boolean,
  ): void;
  remove(path: string, name: string, silently?: boolean): void;
  bookmark(): void;
  /** The next list (`watch` not asked for) or watch is answered by this. */
  onList(fault: Fault): void;
  onWatch(fault: Fault): void;
  /** Every request that is neither. */
  onOther(fault: Fault): void;
  stop(): Promise<void>;
}

export const status = (code: number, reason = '', extra: object = {}) => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  message: `fault ${code}`,
  reason,
  code,
  ...extra,
});

export function fail(code: number, headers: Record<string, string> = {}): Fault {
  return (_request, response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(status(code)));
  };
}

export async function startFakeApi(): Promise<FakeApi> {
  const objects = new Map<string, Map<string, Stored>>();
  const watchers = new Map<ServerResponse, string>();
  const watcherSet = new Set<ServerResponse>();
  const lists: Fault[] = [];
  const watches: Fault[] = [];
  const others: Fault[] = [];
  const seen: Seen[] = [];
  const history: { version: number; path: string; type: string; object: Stored }[] = [];
  let version = 100;

  const of = (path: string) => objects.get(path) ?? objects.set(path, new Map()).get(path)!;
  const send = (response: ServerResponse, type: string, object: unknown) =>
    response.write(`${JSON.stringify({ type, object })}\n`);
  function tell(path: string, type: string, object: Stored, silently: boolean): void {
    history.push({ version, path, type, object });
    if (silently) return;
    for (const [response, watched] of watchers) if (watched === path) send(response, type, object);
  }

  function listOrWatch(request: Seen, response: ServerResponse): void {
    response.setHeader('content-type', 'application/json');
    if (request.query.get('watch') === null) {
      const fault = lists.shift();
      if (fault !== undefined && fault(request, response) !== false) return;
      const items = [...of(request.path).values()];
      response.end(JSON.stringify({ kind: 'List', metadata: { resourceVersion: String(version) }, items }));
      return;
    }
    const fault = watches.shift();
    if (fault !== undefined && fault(request, response) !== false) return;
    response.flushHeaders();
    const from = Number(request.query.get('resourceVersion'));
    for (const event of history) {
      if (event.path === request.path && event.version > from) send(response, event.type, event.object);
    }
    watchers.set(response, request.path);
    watcherSet.add(response);
    response.on('close', () => {
      watchers.delete(response);
      watcherSet.delete(response);
    });
  }

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://x');
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const request: Seen = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      accept: incoming.headers.accept ?? '',
      at: performance.now(),
      body: text === '' ? undefined : JSON.parse(text),
    };
    seen.push(request);
    const parent = url.pathname.slice(0, url.pathname.lastIndexOf('/'));
    const name = url.pathname.slice(parent.length + 1);
    const object = objects.get(parent)?.get(name);
    const other = request.method !== 'GET' || object !== undefined;
    if (!other) return listOrWatch(request, response);
    const fault = others[0];
    if (fault !== undefined && fault(request, response) !== false) return;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(object ?? request.body));
  }

  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    watchers: watcherSet,
    put(path, object, silently = false) {
      version += 1;
      const known = of(path).has(object.metadata.name);
      const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
      of(path).set(object.metadata.name, stored);
      tell(path, known ? 'MODIFIED' : 'ADDED', stored, silently);
    },
    remove(path, name, silently = false) {
      version += 1;
      const object = of(path).get(name)!;
      of(path).delete(name);
      tell(
        path,
        'DELETED',
        { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } },
        silently,
      );
    },
    bookmark() {
      version += 1;
      for (const response of watchers.keys()) {
        send(response, 'BOOKMARK', { kind: 'X', metadata: { resourceVersion: String(version) } });
      }
    },
    onList: (fault) => void lists.push(fault),
    onWatch: (fault) => void watches.push(fault),
    onOther: (fault) => void others.splice(0, 1, fault),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
