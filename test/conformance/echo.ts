// The echo application of the conformance suite: says of each request how it arrived, and which pod it is.
import { createServer } from 'node:http';
import { listenOnLoopback, stopServer } from '../../demo/serving.ts';

/** What it answers with, as JSON. */
export interface Echo {
  readonly path: string;
  readonly host: string;
  readonly method: string;
  readonly proto: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly namespace: string;
  readonly service: string;
  readonly pod: string;
}

export interface Pod {
  readonly port: number;
  stop(): Promise<void>;
}

/** Like Go's, it says no `Server`. */
export async function startPod(namespace: string, service: string, pod: string): Promise<Pod> {
  const server = createServer((request, response) => {
    const { url: path = '', method = '', httpVersion, rawHeaders } = request;
    const headers: Record<string, string[]> = {};
    for (let at = 0; at < rawHeaders.length; at += 2) {
      (headers[rawHeaders[at] ?? ''] ??= []).push(rawHeaders[at + 1] ?? '');
    }
    const host = request.headers.host ?? '';
    const echo: Echo = { path, host, method, proto: `HTTP/${httpVersion}`, headers, namespace, service, pod };
    const body = Buffer.from(JSON.stringify(echo));
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length }).end(body);
  });
  const port = await listenOnLoopback(server, 0);
  return { port, stop: () => stopServer(server) };
}
