// The demo application that never stops answering: a clock over server-sent events and over a WebSocket that also echoes.
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { personOf } from './assertion.ts';
import type { Person, ReadAssertion } from './assertion.ts';
import { clockPage } from './clock-page.ts';
import { sendPage, sendText } from './serving.ts';

const maxStreams = 200;
const maxMessageBytes = 4096;
// A reader that takes nothing for this long (a tick is some 60 bytes a second) is let go.
const maxUnsentBytes = 64 * 1024;

/** What travels to the page, as JSON. */
export type ClockMessage =
  | { readonly kind: 'tick'; readonly now: string }
  /** `identity` is who the upgrade request proved to be: a WebSocket has no headers after that. */
  | { readonly kind: 'echo'; readonly text: string; readonly identity: Person | null };

/** `/` the page, `/events` the server-sent events, `/socket` the WebSocket. Ticks end when the server closes. */
export function createClock(readAssertion: ReadAssertion, tickMs: number): Server {
  const streams = new Set<ServerResponse>();
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes, perMessageDeflate: false });

  const server = createServer((request, response) => {
    request.resume();
    const path = request.url?.split('?', 1)[0];
    if (path === '/') sendPage(response, 200, clockPage());
    else if (path !== '/events') sendText(response, 404, 'There is nothing here.');
    else if (streams.size >= maxStreams) sendText(response, 503, 'Too many people are looking at the clock.');
    else openStream(streams, response);
  });

  server.on('upgrade', (request, socket, head) => {
    // Without a listener a connection reset before the handshake is done would end the process.
    socket.on('error', () => socket.destroy());
    const refusal = refusalOf(request, sockets.clients.size);
    if (refusal !== undefined) return refuse(socket, refusal);
    void upgrade(request, socket, head);
  });

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const identity = personOf(await readAssertion(request)) ?? null;
    if (!socket.destroyed) sockets.handleUpgrade(request, socket, head, (webSocket) => echo(webSocket, identity));
  }

  server.on('listening', () => {
    const ticking = setInterval(() => tick(streams, sockets.clients), tickMs);
    server.on('close', () => clearInterval(ticking));
  });
  return server;
}

function openStream(streams: Set<ServerResponse>, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write('retry: 2000\n\n');
  streams.add(response);
  response.on('close', () => streams.delete(response));
}

function tick(streams: ReadonlySet<ServerResponse>, clients: ReadonlySet<WebSocket>): void {
  const message = encode({ kind: 'tick', now: new Date().toISOString() });
  for (const stream of streams) {
    if (stream.writableLength > maxUnsentBytes) stream.destroy();
    else stream.write(`event: tick\ndata: ${message}\n\n`);
  }
  for (const client of clients) {
    if (client.bufferedAmount > maxUnsentBytes) client.terminate();
    else if (client.readyState === WebSocket.OPEN) client.send(message);
  }
}

function echo(webSocket: WebSocket, identity: Person | null): void {
  webSocket.on('error', () => webSocket.terminate());
  webSocket.on('message', (text: Buffer) => {
    if (webSocket.bufferedAmount > maxUnsentBytes) webSocket.terminate();
    else webSocket.send(encode({ kind: 'echo', text: text.toString('utf8'), identity }));
  });
}

/**
 * Why an upgrade is refused, as a status line. A browser sends cookies with a WebSocket that any page opens: only the
 * Origin tells them apart (RFC 6455, section 10.2). Programs send none.
 */
function refusalOf(request: IncomingMessage, open: number): string | undefined {
  const { origin, host } = request.headers;
  if (request.url?.split('?', 1)[0] !== '/socket') return '404 Not Found';
  if (origin !== undefined && URL.parse(origin)?.host !== host) return '403 Forbidden';
  return open >= maxStreams ? '503 Service Unavailable' : undefined;
}

function refuse(socket: Duplex, statusLine: string): void {
  socket.end(`HTTP/1.1 ${statusLine}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function encode(message: ClockMessage): string {
  return JSON.stringify(message);
}
