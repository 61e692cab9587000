// What every demo program does to serve: listens on the loopback alone, answers with bounds, and stops when asked to.
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { RenderedPage } from './html.ts';

const maxConnections = 500;
const requestTimeoutMs = 10_000;

// Node forgets a socket that was upgraded, and then waits for it when the server closes.
const openSockets = new WeakMap<Server, Set<Socket>>();

/** Listens on 127.0.0.1; returns the port, which was free to choose where 0 is asked for. @throws {Error} EADDRINUSE */
export async function listenOnLoopback(server: Server, port: number): Promise<number> {
  server.maxConnections = maxConnections;
  server.requestTimeout = requestTimeoutMs;
  const sockets = new Set<Socket>();
  openSockets.set(server, sockets);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Closes every connection and frees the port. */
export async function stopServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  for (const socket of openSockets.get(server) ?? []) socket.destroy();
  await closed;
}

export function sendPage(response: ServerResponse, status: number, page: RenderedPage): void {
  response.writeHead(status, { ...page.headers }).end(page.markup);
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const headers = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };
  response.writeHead(status, headers).end(`${JSON.stringify(body, null, 2)}\n`);
}

/** A form's fields; `undefined` where it is longer than `maxBytes`. */
export async function readForm(request: IncomingMessage, maxBytes: number): Promise<URLSearchParams | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}

/** Something that runs until it is stopped. */
export interface Running {
  stop(): Promise<void>;
}

/**
 * Runs a program's one task until SIGTERM or SIGINT. A port that is taken, or any other failure to start, is one line
 * on stderr and exit code 1.
 */
export async function runProgram(start: () => Promise<Running & { readonly greeting: string }>): Promise<void> {
  try {
    const running = await start();
    console.log(running.greeting);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => void running.stop().then(() => process.exit(0)));
    }
    // Started by the demo: when that process is gone, however it went, so is this one.
    process.once('disconnect', () => process.exit(0));
  } catch (error) {
    console.error(failureLine(error));
    process.exit(1);
  }
}

function failureLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'EADDRINUSE' && 'port' in error) return `port ${String(error.port)} is taken`;
  return error.message;
}

/** A port as typed on the command line. @throws {Error} when it is none. */
export function parsePort(flag: string, text: string): number {
  const port = Number(text);
  if (!/^[0-9]{1,5}$/.test(text) || port > 65_535) throw new Error(`--${flag} wants a port, and ${text} is none`);
  return port;
}
