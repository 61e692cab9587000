// A proxy before the API server: it writes down what is asked about sessions, and does to it what a fault would.
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { Agent, createServer, request as httpsRequest } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ApiServer } from '../cluster/apiserver.ts';
import { createCertificateAuthority } from '../integration/certificates.ts';
import { sessionsNamespace } from './in-secrets.ts';

export interface ApiTrouble {
  /** Answered by the proxy, with `Retry-After: 1`. */
  readonly status?: number;
  readonly delayMs?: number;
  /** Nothing more is said on watches, those that are open and those that come; their connections stay. */
  readonly mutesWatches?: boolean;
}

export interface ApiProxy {
  readonly kubeconfigPath: string;
  /** `GET /api/v1/namespaces/…`, of what was asked about sessions. */
  readonly asked: readonly string[];
  /** Of every request about sessions, until it is called again. */
  trouble(trouble: ApiTrouble): void;
  stop(): Promise<void>;
}

const sessionsPath = `/api/v1/namespaces/${sessionsNamespace}/secrets`;

export async function startApiProxy(api: ApiServer): Promise<ApiProxy> {
  const kubeconfig = await readFile(api.kubeconfigPath, 'utf8');
  const authorityData = /certificate-authority-data: ([^ ]+)/.exec(kubeconfig)?.[1] ?? '';
  const agent = new Agent({ keepAlive: true, ca: Buffer.from(authorityData, 'base64') });
  const authority = createCertificateAuthority();
  const { certificate, key } = authority.sign('localhost');
  const asked: string[] = [];
  let current: ApiTrouble = {};

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isAboutSessions = request.url?.startsWith(sessionsPath) === true;
    const isWatch = request.url?.includes('watch=') === true;
    if (isAboutSessions) asked.push(`${request.method} ${request.url}`);
    const { status, delayMs = 0 } = isAboutSessions ? current : {};
    if (status !== undefined) {
      request.resume();
      response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '1' });
      return void response.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status }));
    }
    await delay(delayMs);
    const options = { agent, method: request.method, headers: { ...request.headers, host: new URL(api.url).host } };
    const outgoing = httpsRequest(new URL(request.url ?? '/', api.url), options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.on('data', (chunk) => {
        if (!(isAboutSessions && isWatch && current.mutesWatches === true)) response.write(chunk);
      });
      answer.once('close', () => (answer.complete ? response.end() : response.destroy()));
      answer.on('error', () => response.destroy());
    });
    outgoing.on('error', () => response.destroy());
    response.once('close', () => outgoing.destroy());
    request.pipe(outgoing);
  }

  const server = createServer({ cert: certificate, key }, (request, response) => void pass(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const kubeconfigPath = join(dirname(api.kubeconfigPath), 'kubeconfig-proxy');
  const text = kubeconfig
    .replace(api.url, `https://localhost:${port}`)
    .replace(authorityData, Buffer.from(authority.ca).toString('base64'));
  await writeFile(kubeconfigPath, text, { mode: 0o600 });
  return {
    kubeconfigPath,
    asked,
    trouble(trouble) {
      current = trouble;
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      agent.destroy();
      authority.close();
      await closed;
    },
  };
}
