// Requests to the API server: one keep-alive agent, JSON in and out, every answer bounded, every failure an ApiError.
import type { IncomingMessage } from 'node:http';
import type { ResourceType } from '../model/objects.ts';
import type { Metrics } from '../telemetry.ts';
import { createAccess } from './access.ts';
import type { ApiAccess, Connection } from './access.ts';
import { ApiError, apiErrorOf, unreachable } from './errors.ts';
import { exchange, parse, parseLoosely, readBody, readLines } from './exchange.ts';

// A caller needs nothing but this file.
export { ApiError, apiErrorOf, isRecord } from './errors.ts';
export type { Connection, Credentials } from './access.ts';

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** For the whole exchange; 30 s unless said. */
  readonly timeoutMs?: number;
  /** Called at the last moment before the request leaves, on a connection that stands; it may throw, and nothing leaves. */
  readonly beforeSending?: () => void;
}

export interface StreamOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** How long connecting and the answer's head may take together; 30 s unless said. */
  readonly headTimeoutMs?: number;
  /** How long the server may say nothing at all. */
  readonly idleMs: number;
  /** Called when the server has begun to answer, which may be long before it has anything to say. */
  readonly onOpen?: () => void;
}

export interface KubernetesClient {
  /** Errors: {@link ApiError} for whatever is not a 2xx with a JSON body. Only reads on a reused connection are repeated. */
  request(method: string, path: string, options?: RequestOptions): Promise<{ status: number; body: unknown }>;
  /** JSON values, one a line, until the server ends the answer. Errors: {@link ApiError}. */
  stream(path: string, options: StreamOptions): AsyncGenerator<unknown, void>;
}

const defaultTimeoutMs = 30_000;

/** The path of a kind, of one object of it, or of that object's status. */
export function resourcePath(
  type: ResourceType,
  at: { readonly namespace?: string | undefined; readonly name?: string; readonly subresource?: 'status' } = {},
): string {
  const segments = type.group === '' ? ['api', type.version] : ['apis', type.group, type.version];
  if (type.namespaced && at.namespace !== undefined) segments.push('namespaces', at.namespace);
  segments.push(type.resource);
  if (at.name !== undefined) segments.push(at.name);
  if (at.subresource !== undefined) segments.push(at.subresource);
  return `/${segments.map(encodeURIComponent).join('/')}`;
}

export function createKubernetesClient(
  connection: Connection,
  options: { readonly metrics?: Metrics; readonly now?: () => number } = {},
): KubernetesClient {
  const access = createAccess(connection, options.now ?? (() => performance.now()));
  const server = connection.server.replace(/\/+$/, '');

  /** Counts what went wrong, and makes an ApiError of what is not one yet. */
  function failed(what: string, error: unknown): ApiError {
    const failure = error instanceof ApiError ? error : unreachable(what, error);
    if (!['NotFound', 'Conflict', 'Gone'].includes(failure.code)) options.metrics?.apiServerErrors.inc();
    return failure;
  }

  return {
    async request(method, path, options = {}) {
      const timeout = AbortSignal.timeout(options.timeoutMs ?? defaultTimeoutMs);
      const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
      try {
        const response = await send(access, method, server + path, options, signal);
        const text = await readBody(response);
        return { status: response.statusCode ?? 0, body: text === '' ? undefined : parse(text) };
      } catch (error) {
        throw failed(`${method} ${path}`, signal.aborted ? signal.reason : error);
      }
    },

    async *stream(path, options) {
      const silence = new AbortController();
      const signal = options.signal === undefined ? silence.signal : AbortSignal.any([options.signal, silence.signal]);
      const giveUp = (ms: number) =>
        setTimeout(() => silence.abort(new Error(`the API server said nothing for ${ms} ms`)), ms);
      let timer = giveUp(options.headTimeoutMs ?? defaultTimeoutMs);
      try {
        const response = await send(access, 'GET', server + path, options, signal);
        clearTimeout(timer);
        timer = giveUp(options.idleMs);
        options.onOpen?.();
        for await (const line of readLines(response, () => timer.refresh())) yield parse(line);
      } catch (error) {
        throw failed(`GET ${path}`, signal.aborted ? signal.reason : error);
      } finally {
        clearTimeout(timer);
        silence.abort();
      }
    },
  };
}

/** Sends a request and waits for the head of a 2xx answer. */
async function send(
  access: ApiAccess,
  method: string,
  target: string,
  options: Pick<RequestOptions, 'query' | 'body' | 'contentType' | 'accept' | 'beforeSending'>,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { credentials, agent } = await access.current();
  const url = new URL(target);
  for (const [name, value] of Object.entries(options.query ?? {})) url.searchParams.set(name, value);
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  const authorization = url.protocol === 'https:' ? credentials.authorization : undefined;
  const headers = {
    accept: options.accept ?? 'application/json',
    'user-agent': 'sallyport',
    ...(body !== undefined && {
      'content-type': options.contentType ?? 'application/json',
      // Node tells no length of the body of a DELETE, and the server would take it for the next request.
      'content-length': String(Buffer.byteLength(body)),
    }),
    ...(authorization !== undefined && { authorization }),
  };
  const { beforeSending } = options;
  const call = { method, url, headers, agent, signal, ...(beforeSending && { beforeSending }) };
  const response = await exchange({ ...call, ...(body !== undefined && { body }) });
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return response;
  if (status === 401) access.doubt();
  throw apiErrorOf(status, parseLoosely(await readBody(response)), `${method} ${url.pathname}`, response.headers);
}
