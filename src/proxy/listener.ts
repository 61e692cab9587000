// A listener: how node:http is set up, which limits hold before a request is one, and what becomes of what is none.
import { STATUS_CODES, ServerResponse, createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server as HttpServer, ServerOptions } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TlsOptions } from 'node:tls';
import type { Incoming } from './exchange.ts';
import { allowedMethods } from './request.ts';
import { closeSoon, upgradeAsked } from './upgrade.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

export interface Listening {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
}

/** Waits that tests shorten. */
export interface ServerLimits {
  readonly headersTimeoutMs: number;
  readonly checkIntervalMs: number;
}

export const defaultLimits: ServerLimits = { headersTimeoutMs: 15_000, checkIntervalMs: 5_000 };

const headerBytes = 32 * 1024;
// Above the 60 s after which most load balancers drop an idle connection: theirs to close, not ours.
const keepAliveTimeoutMs = 75_000;
const handshakeTimeoutMs = 10_000;
const connectionLimit = 20_000;

function serverOptions(limits: ServerLimits): ServerOptions {
  return {
    maxHeaderSize: headerBytes,
    headersTimeout: limits.headersTimeoutMs,
    // It would end slow uploads; silence is what ends them (see forward).
    requestTimeout: 0,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: limits.checkIntervalMs,
    insecureHTTPParser: false,
    // We say so ourselves, with a page and a line in the log.
    requireHostHeader: false,
    shouldUpgradeCallback: (request) => upgradeAsked(request) !== undefined,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
  };
}

export function createPlainListener(limits: ServerLimits): HttpServer {
  return createHttpServer(serverOptions(limits));
}

export function createTlsListener(limits: ServerLimits, tls: TlsOptions): HttpsServer {
  const server = createHttpsServer({
    ...serverOptions(limits),
    ...tls,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: handshakeTimeoutMs,
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

export interface Hearing {
  readonly connection: (socket: Socket) => void;
  readonly request: (incoming: Incoming) => void;
  /** What could not be read as a request has been answered. */
  readonly unreadable: () => void;
}

/** Calls back for each connection and request; what node:http makes of the rest is answered here. */
export function hear(server: HttpServer | HttpsServer, { connection, request: serve, unreadable }: Hearing): void {
  /** The answer last begun on each connection: until it is finished, nothing else may be written there. */
  const current = new WeakMap<Duplex, ServerResponse>();
  const begin = (incoming: Incoming): void => {
    current.set(incoming.request.socket, incoming.response);
    serve(incoming);
  };
  // The parser obeys headers beyond a count that it no longer shows (CVE-2026-58044): all are shown, and we count.
  server.maxHeadersCount = 0;
  server.maxConnections = connectionLimit;
  server.on('connection', connection);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => begin({ request, response }));
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    begin({ request, response, expectsContinue: true });
  });
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    unreadable();
    response.writeHead(417, ['Content-Length', '0', 'Connection', 'close', 'Server', 'sallyport']).end();
  });
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    unreadable();
    endWith(socket, 405, `Allow: ${allowedMethods.join(', ')}\r\n`);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const incoming = answerOn(request, socket, head);
    if (incoming === undefined) socket.destroy();
    else begin(incoming);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    unreadable();
    answerUnreadable(error, socket, current.get(socket));
  });
}

/** @throws {Error} in one line that names address and flag, with the system's code. */
export async function bind(
  server: HttpServer,
  scheme: 'http' | 'https',
  { host, port }: ListenAddress,
): Promise<Listening> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (cause) {
    const { code = 'EUNKNOWN' } = cause as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is taken by another process' : `cannot be listened on (${code})`;
    throw Object.assign(new Error(`${host}:${port} ${why}: choose another address with --${scheme}`, { cause }), {
      code,
    });
  }
  return { scheme, host, port: (server.address() as AddressInfo).port };
}

export function boundPort(server: HttpServer | undefined): number | undefined {
  const address = server?.address();
  return typeof address === 'object' ? address?.port : undefined;
}

/** node:http hands over a bare socket with an upgrade; an answer is written on it all the same, and then it is closed. */
function answerOn(request: IncomingMessage, socket: Duplex, head: Buffer): Incoming | undefined {
  const protocol = upgradeAsked(request);
  if (protocol === undefined) return undefined;
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  try {
    // Throws where a request pipelined before this one is still being answered.
    response.assignSocket(request.socket);
  } catch {
    return undefined;
  }
  socket.on('error', () => socket.destroy());
  socket.on('drain', () => {
    if (response.writableNeedDrain) response.emit('drain');
  });
  response.once('finish', () => closeSoon(socket));
  return { request, response, upgrade: { protocol, socket, head } };
}

/** The parser gave up. What it had taken for a request is answered, unless an answer to an earlier one is under way. */
function answerUnreadable({ code }: NodeJS.ErrnoException, socket: Duplex, answer: ServerResponse | undefined): void {
  if (!socket.writable || code === 'ECONNRESET' || (answer !== undefined && !answer.writableFinished)) {
    socket.destroy();
  } else if (code === 'HPE_HEADER_OVERFLOW') endWith(socket, 431);
  else if (code === 'ERR_HTTP_REQUEST_TIMEOUT') endWith(socket, 408);
  else endWith(socket, 400);
}

function endWith(socket: Duplex, status: number, headers = ''): void {
  const body = `${STATUS_CODES[status]}\n`;
  socket.on('error', () => socket.destroy());
  socket.write(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nServer: sallyport\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${body.length}\r\n${headers}Connection: close\r\n\r\n${body}`,
  );
  closeSoon(socket);
}
