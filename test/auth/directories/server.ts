// A small HTTP server that plays a directory: it notes what it was asked, and answers honestly until a test says otherwise.
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after } from 'node:test';
import { Redacted } from '../../../src/model/diagnostic.ts';

export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object becomes JSON, a text stays one. */
  readonly body?: unknown;
}

export type Answering = (asked: Asked) => Reply | 'Hang' | undefined | Promise<Reply | 'Hang' | undefined>;

export interface DirectoryServer {
  readonly origin: string;
  readonly asked: Asked[];
  /** Comes before the honest answer; `undefined` leaves it to that. */
  instead?: Answering | undefined;
  /** Blanks behind each answer: it says the same, and is longer. */
  blanks: number;
  stop(): Promise<void>;
}

/** Stopped at the end, also where a test fails. */
const running: DirectoryServer[] = [];
after(() => Promise.all(running.map((server) => server.stop())));

export async function startDirectoryServer(honest: Answering): Promise<DirectoryServer> {
  const asked: Asked[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const one: Asked = {
      method: request.method ?? '',
      url: new URL(request.url ?? '', started.origin),
      headers: new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)] as const)),
      body: Buffer.concat(chunks).toString(),
    };
    asked.push(one);
    const reply = (await started.instead?.(one)) ?? (await honest(one)) ?? { status: 404, body: {} };
    if (reply === 'Hang') return;
    const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? {});
    response
      .writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
      .end(text + ' '.repeat(started.blanks));
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const started: DirectoryServer = {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    asked,
    blanks: 0,
    async stop() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  running.push(started);
  return started;
}

/** A server that nobody should come to: what it was asked. It answers whatever is asked of it. */
export async function withLure(use: (origin: string) => Promise<void>): Promise<readonly Asked[]> {
  const lure = await startDirectoryServer(() => ({ status: 200, body: [] }));
  try {
    await use(lure.origin);
  } finally {
    await lure.stop();
  }
  return lure.asked;
}

/** One key for all tests: making one takes a while. */
const pair = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
export const publicKey = pair.publicKey;
export const signingKey = { id: 'key-1', pem: new Redacted(pair.privateKey) };
