// A request on its way to an application and the answer to it, alike in HTTP/1.1 and HTTP/2: what node:http's own are, as far as we use it.
import type { Readable, Writable } from 'node:stream';

/** Emits `socket`, `information`, `response`, `upgrade`, `finish`, `error` and `close` as a ClientRequest does. */
export interface Outgoing extends Writable {
  /** On a connection that has served another request before. */
  readonly reusedSocket: boolean;
  flushHeaders(): void;
  /** Sent behind the body; known before its end. */
  addTrailers(trailers: readonly [string, string][]): void;
}

/** Its trailers are there when it ends. It breaks with an error where it ends before it is whole. */
export interface Answer extends Readable {
  readonly statusCode?: number;
  readonly statusMessage?: string;
  /** Name, value, name, value… */
  readonly rawHeaders: readonly string[];
  readonly rawTrailers: readonly string[];
  readonly headers: { readonly server?: string; readonly trailer?: string; readonly 'transfer-encoding'?: string };
}

/** What carries a request: the socket, or its stream of one. */
export interface Carrier {
  setTimeout(timeoutMs: number): unknown;
  on(event: 'timeout', listener: () => void): unknown;
  off(event: 'timeout', listener: () => void): unknown;
}
