// An application that answers, and that keeps what it is asked to keep open: a WebSocket, an event stream, a slow download.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

export interface EchoApplication {
  readonly address: string;
  readonly port: number;
  stop(): Promise<void>;
}

const everyMs = 50;

export async function startEchoApplication(address = '127.0.0.1'): Promise<EchoApplication> {
  const server = createServer((request, response) => {
    if (request.url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      drip(response, 'data: tick\n\n');
    } else if (request.url === '/download') {
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': 1_000_000 });
      drip(response, '.'.repeat(100));
    } else {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"served":true}');
    }
  });
  const sockets = new WebSocketServer({ server, path: '/socket' });
  sockets.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.send('hello');
  });
  server.listen(0, address);
  await once(server, 'listening');
  return {
    address,
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = once(server, 'close');
      for (const socket of sockets.clients) socket.terminate();
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function drip(response: ServerResponse, text: string): void {
  const timer = setInterval(() => response.write(text), everyMs);
  response.on('error', () => undefined);
  response.once('close', () => clearInterval(timer));
  response.write(text);
}
