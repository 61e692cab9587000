// One HTTP exchange with the API server: the head of an answer, then its body or its lines, all of them bounded.
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { ApiError } from './errors.ts';

/** A list of 10,000 Ingresses is 11 MB. */
const maxBodyBytes = 64 * 2 ** 20;
/** etcd refuses objects over 1.5 MiB. */
const maxLineBytes = 4 * 2 ** 20;

export interface Call {
  readonly method: string;
  readonly url: URL;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly agent: http.Agent;
  readonly signal: AbortSignal;
  readonly beforeSending?: () => void;
}

/** Sends one request and waits for the head of its answer. */
export async function exchange(call: Call, repeated = false): Promise<http.IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const { request } = call.url.protocol === 'http:' ? http : https;
  const { method, headers, agent, signal } = call;
  const sent = request(call.url, { method, headers, agent, signal });
  sent.on('response', resolve);
  sent.on('error', reject);
  if (call.beforeSending === undefined) sent.end(call.body);
  else sendWhenConnected(sent, call.body, call.beforeSending);
  try {
    return await promise;
  } catch (error) {
    // The server may close an idle connection at the moment that we use it (nodejs.org/api/http.html#requestreusedsocket).
    const stale = sent.reusedSocket && !repeated && method === 'GET' && !signal.aborted;
    if (stale && error instanceof Error && 'code' in error && error.code === 'ECONNRESET') return exchange(call, true);
    throw signal.aborted ? signal.reason : error;
  }
}

/** Nothing is asked and then left to wait for a connection: what was right when it began to wait may be wrong by then. */
function sendWhenConnected(sent: http.ClientRequest, body: string | undefined, beforeSending: () => void): void {
  const go = () => {
    try {
      beforeSending();
      sent.end(body);
    } catch (error) {
      sent.destroy(error instanceof Error ? error : new Error('withheld', { cause: error }));
    }
  };
  sent.once('socket', (socket) => {
    if (!socket.connecting && !isHandshaking(socket)) go();
    else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', go);
  });
}

function isHandshaking(socket: Socket): boolean {
  return 'secureConnecting' in socket && socket.secureConnecting === true;
}

export async function readBody(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBodyBytes) throw new Error(`the answer is larger than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

export async function* readLines(response: http.IncomingMessage, onChunk: () => void): AsyncGenerator<string, void> {
  let pending: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    onChunk();
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      pending.push(chunk.subarray(start, end));
      yield Buffer.concat(pending).toString();
      pending = [];
      length = 0;
      start = end + 1;
    }
    if (start === chunk.length) continue;
    pending.push(chunk.subarray(start));
    length += chunk.length - start;
    if (length > maxLineBytes) throw new Error(`a line is longer than ${maxLineBytes} bytes`);
  }
  if (length > 0) throw new Error('the answer ended within a line');
}

export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ApiError({ code: 'Unavailable', status: 0, message: 'the API server did not answer in JSON', cause });
  }
}

/** What stands in front of the API server answers errors in any form. */
export function parseLoosely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text.slice(0, 200);
  }
}
