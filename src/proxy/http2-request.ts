// One request as a stream of an HTTP/2 connection, made to look like a ClientRequest of node:http.
import { STATUS_CODES } from 'node:http';
import { constants } from 'node:http2';
import type { ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { Readable, Writable } from 'node:stream';
import type { Endpoint } from '../model/route.ts';
import type { Http2Sessions, Lease } from './http2-sessions.ts';
import { pairs } from './headers.ts';
import type { FlatHeaders } from './headers.ts';
import type { Answer, Outgoing } from './outgoing.ts';

export interface Http2Request {
  readonly endpoint: Endpoint;
  readonly method: string;
  readonly path: string;
  readonly headers: FlatHeaders;
}

const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM, NGHTTP2_NO_ERROR } = constants;

export function openHttp2Request(sessions: Http2Sessions, request: Http2Request): Outgoing {
  let stream: ClientHttp2Stream | undefined;
  let taken: Lease | undefined;
  let hasAnswer = false;
  const trailers: [string, string][] = [];

  const writable = new Writable({
    // It ends with the stream, not with the body.
    autoDestroy: false,
    write: (chunk, encoding, done) => void stream?.write(chunk, encoding, done),
    final: (done) => {
      if (stream === undefined || stream.writableEnded) done();
      else stream.end(done);
    },
    destroy: (error, done) => {
      giveUp();
      if (stream !== undefined && !stream.closed) {
        stream.close(NGHTTP2_CANCEL);
        if (!hasAnswer) taken?.suspect();
      }
      done(error);
    },
  });
  const outgoing = Object.assign(writable, {
    reusedSocket: false,
    flushHeaders: () => undefined,
    addTrailers: (more: readonly [string, string][]) => void trailers.push(...more),
  });

  const giveUp = sessions.take(request.endpoint, (error, lease) => {
    if (lease === undefined) {
      outgoing.destroy(error);
      return;
    }
    taken = lease;
    outgoing.reusedSocket = lease.isReused;
    try {
      stream = begin(lease, request);
    } catch {
      lease.release();
      outgoing.destroy(failure('ERR_HTTP2_ERROR', 'the request cannot be said in HTTP/2'));
      return;
    }
    attach(stream);
    outgoing.emit('socket', stream);
  });

  function attach(opened: ClientHttp2Stream): void {
    let broken: NodeJS.ErrnoException | undefined;
    opened.on('wantTrailers', () => opened.sendTrailers(headerObject(trailers)));
    opened.on('headers', (headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
      outgoing.emit('information', { statusCode: statusOf(headers), rawHeaders: withoutPseudo(raw) });
    });
    opened.on('response', (headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
      hasAnswer = true;
      outgoing.emit('response', answerOf(opened, headers, raw, request.method === 'HEAD'));
    });
    opened.on('error', (error) => (broken = error));
    opened.on('close', () => {
      taken?.release();
      if (hasAnswer) outgoing.destroy();
      else outgoing.destroy(failureOf(broken, opened.rstCode));
    });
  }

  return outgoing;
}

function begin({ session }: Lease, { method, path, headers }: Http2Request): ClientHttp2Stream {
  const lines = [':method', method, ':scheme', 'http', ':path', path];
  let hasBody = false;
  for (const [name, value] of pairs(headers)) {
    const lower = name.toLowerCase();
    if (lower === 'transfer-encoding' || (lower === 'content-length' && Number(value) > 0)) hasBody = true;
    if (lower === 'host') lines.push(':authority', value);
    else if (!connectionSpecific.has(lower)) lines.push(lower, value);
  }
  return session.request(inOrder(lines), { endStream: !hasBody, waitForTrailers: hasBody });
}

// RFC 9113 §8.2.2. `TE: trailers` alone is allowed, and nothing else is ever sent.
const connectionSpecific: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** Pseudo-header fields come before all others (RFC 9113 §8.3). */
function inOrder(lines: FlatHeaders): string[] {
  const [pseudo, rest]: [string[], string[]] = [[], []];
  for (const [name, value] of pairs(lines)) (name.startsWith(':') ? pseudo : rest).push(name, value);
  return [...pseudo, ...rest];
}

function headerObject(lines: readonly [string, string][]): OutgoingHttpHeaders {
  const names = Map.groupBy(lines, ([name]) => name.toLowerCase());
  return Object.fromEntries([...names].map(([name, all]) => [name, all.map(([, value]) => value)]));
}

function withoutPseudo(raw: FlatHeaders): string[] {
  return [...pairs(raw)].filter(([name]) => !name.startsWith(':')).flat();
}

function statusOf(headers: IncomingHttpHeaders): number {
  return Number(headers[':status']);
}

function answerOf(stream: ClientHttp2Stream, headers: IncomingHttpHeaders, raw: FlatHeaders, isHead: boolean): Answer {
  const { server, trailer, 'content-length': length } = headers;
  const rawTrailers: string[] = [];
  let received = 0;
  const body = new Readable({
    read: () => void stream.resume(),
    destroy: (error, done) => {
      if (!stream.closed) stream.close(NGHTTP2_CANCEL);
      done(error);
    },
  });
  stream.on('trailers', (_headers: IncomingHttpHeaders, _flags: number, lines: string[]) => {
    rawTrailers.push(...withoutPseudo(lines));
  });
  stream.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (!body.push(chunk)) stream.pause();
  });
  const status = statusOf(headers);
  const hasBody = !isHead && status !== 204 && status !== 304;
  stream.on('end', () => {
    // node:http2 ends a stream also when its connection breaks, and when it is reset without an error.
    const isWhole =
      stream.rstCode === NGHTTP2_NO_ERROR && !(hasBody && length !== undefined && received !== Number(length));
    // The body's own end is told of a tick later: trailers are there by then.
    if (isWhole) body.push(null);
    else body.destroy(failure('ECONNRESET', 'the answer broke off'));
  });
  stream.on('close', () => {
    if (!stream.readableEnded) body.destroy(failure('ECONNRESET', 'the answer broke off'));
  });
  const statusMessage = STATUS_CODES[status];
  return Object.assign(body, {
    statusCode: status,
    ...(statusMessage !== undefined && { statusMessage }),
    rawHeaders: withoutPseudo(raw),
    rawTrailers,
    headers: { ...(typeof server === 'string' && { server }), ...(typeof trailer === 'string' && { trailer }) },
  });
}

// The application said that it gives up, on the stream or on the connection.
const resets: ReadonlySet<string> = new Set(['ERR_HTTP2_STREAM_ERROR', 'ERR_HTTP2_SESSION_ERROR']);

/** A stream that was refused has done nothing (RFC 9113 §8.7): it is as if a kept connection had been closed. */
function failureOf(error: NodeJS.ErrnoException | undefined, rstCode: number | undefined): Error {
  if (rstCode === NGHTTP2_REFUSED_STREAM || error === undefined) return failure('ECONNRESET', 'the stream was closed');
  const isInvalid = error.code?.startsWith('ERR_HTTP2_') === true && !resets.has(error.code);
  return isInvalid ? failure('ERR_HTTP2_ERROR', error.message) : error;
}

function failure(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}
