// What the store in Secrets asks of the API server: each call under a deadline, waiting where the server asks us to.
import { setTimeout as sleep } from 'node:timers/promises';
import { listObjects, listPage } from '../inventory/listing.ts';
import type { ListPage } from '../inventory/listing.ts';
import { ApiError, resourcePath } from '../kubernetes/client.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { collections } from '../model/objects.ts';
import { limitConcurrency } from './concurrency.ts';
import type { SecretMetadata } from './secret-record.ts';
import { StoreError } from './store.ts';

/** Every method throws {@link StoreError} where the server gives no answer, or one that is no use. */
export interface SecretRequests {
  /** `undefined`: there is none. */
  get(name: string): Promise<unknown>;
  /** `undefined`: the name is taken. */
  post(secret: object): Promise<unknown>;
  /** `undefined`: it has changed, or gone. */
  put(name: string, secret: object): Promise<unknown>;
  /** Exactly one of those who ask does it; `false`: somebody else has, or it is not what it was. */
  remove(metadata: SecretMetadata): Promise<boolean>;
  list(labelSelector: string): Promise<readonly unknown[]>;
  /** Some of them. @param after What the page before called `next`. */
  page(labelSelector: string, after?: string): Promise<ListPage>;
  /** What is under way ends, and what is asked afterwards is refused. */
  close(): void;
}

export interface SecretRequestsOptions {
  readonly client: KubernetesClient;
  readonly namespace: string;
  /** For each call; lists may take three times as long. */
  readonly timeoutMs: number;
}

const type = collections.secrets;
/** After an outage many sessions are asked for together: the API server has others to serve. */
const maxAtOnce = 32;

export function createSecretRequests({ client, namespace, timeoutMs }: SecretRequestsOptions): SecretRequests {
  const closing = new AbortController();
  const limited = limitConcurrency(maxAtOnce);

  const call = <T>(ask: (signal: AbortSignal) => Promise<T>, ms = timeoutMs): Promise<T> => {
    // Waiting for a turn is part of it.
    const deadline = performance.now() + ms;
    return limited(() => attempt(ask, deadline));
  };

  async function attempt<T>(ask: (signal: AbortSignal) => Promise<T>, deadline: number): Promise<T> {
    const leftMs = Math.max(0, Math.floor(deadline - performance.now()));
    if (leftMs === 0) throw new StoreError('unavailable', 'too much is asked of the API server');
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(leftMs)]);
    for (;;) {
      if (closing.signal.aborted) throw new StoreError('unavailable', 'the store is closed');
      try {
        return await ask(signal);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        const waitMs = error.code === 'TooManyRequests' ? (error.retryAfterMs ?? 1_000) : Infinity;
        if (performance.now() + waitMs >= deadline) throw error;
        await sleep(waitMs);
      }
    }
  }

  /** `undefined` where the server's answer is one of these; whatever else it refuses is no answer. */
  async function request(method: string, name: string | undefined, body: unknown, answers: readonly string[]) {
    const path = resourcePath(type, { namespace, ...(name !== undefined && { name }) });
    try {
      return await call(async (signal) => (await client.request(method, path, { signal, body })).body);
    } catch (error) {
      if (error instanceof ApiError && answers.includes(error.code)) return undefined;
      throw asStoreError(error);
    }
  }

  return {
    get: (name) => request('GET', name, undefined, ['NotFound']),
    // NotFound is no answer here: it is the namespace that is not there.
    post: (secret) => request('POST', undefined, secret, ['Conflict']),
    put: (name, secret) => request('PUT', name, secret, ['Conflict', 'NotFound']),
    async remove({ name, uid, resourceVersion }) {
      const options = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
      return (await request('DELETE', name, options, ['Conflict', 'NotFound'])) !== undefined;
    },
    async list(labelSelector) {
      const selection = { client, type, namespace, labelSelector };
      try {
        return (await call((signal) => listObjects(selection, 'Paged', signal), 3 * timeoutMs)).objects;
      } catch (error) {
        throw asStoreError(error);
      }
    },
    async page(labelSelector, after) {
      const selection = { client, type, namespace, labelSelector };
      try {
        return await call((signal) => listPage(selection, after, signal));
      } catch (error) {
        throw asStoreError(error);
      }
    },
    close: () => closing.abort(new Error('the store is closed')),
  };
}

function asStoreError(error: unknown): unknown {
  return error instanceof ApiError ? new StoreError('unavailable', error.message, { cause: error }) : error;
}
