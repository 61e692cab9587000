// The private ports: livez, readyz and metrics for the kubelet and Prometheus, and answers for operators who hold the token.
import { timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { RouteTable } from '../model/route.ts';
import type { Metrics } from '../telemetry.ts';

export interface AdminOptions {
  readonly host: string;
  readonly port: number;
  readonly metrics: Metrics;
  /** Whether the first full table is being served. */
  readonly isReady: () => boolean;
  /** Absent: probes and metrics alone, for the port that the kubelet and Prometheus reach. */
  readonly operators?: Operators;
}

/** What operators are told. */
export interface Operators {
  /** What `Authorization: Bearer` must carry. */
  readonly token: string;
  readonly table: () => RouteTable;
  readonly diagnostics: () => readonly Diagnostic[];
  /** What is asked by POST, by its path: each takes whatever JSON somebody sent. */
  readonly questions: Readonly<Record<QuestionPath, (question: unknown) => Answered | Promise<Answered>>>;
}

type QuestionPath = '/explain' | '/access' | '/sessions';

/** `NotUnderstood`: the question is at fault. `NotFound`: what it asks about is not there. `Unavailable`: try later. */
export type Answered =
  | { readonly ok: unknown }
  | { readonly failed: 'NotUnderstood' | 'NotFound' | 'Unavailable'; readonly message: string };

export interface Admin {
  readonly port: number;
  close(): Promise<void>;
}

/** @throws {Error} with code `EADDRINUSE` when the port is taken. */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const server = createServer({ headersTimeout: 5_000, requestTimeout: 5_000 }, (request, response) => {
    answer(options, request, response).catch(() => response.destroy());
  });
  server.maxConnections = 256;
  await listen(server, options);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, { host, port }: AdminOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function answer(options: AdminOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { operators, isReady, metrics } = options;
  const [path = ''] = (request.url ?? '').split('?', 1);
  const isQuestion = operators !== undefined && Object.hasOwn(operators.questions, path);
  const wanted = isQuestion ? ['POST'] : ['GET', 'HEAD'];
  if (!wanted.includes(request.method ?? '')) return send(response, 405, `only ${wanted[0]} is answered here\n`);
  switch (path) {
    case '/livez':
      return send(response, 200, 'ok\n');
    case '/readyz':
      return isReady() ? send(response, 200, 'ok\n') : send(response, 503, 'the first route table is not there yet\n');
    case '/metrics':
      return send(response, 200, await metrics.registry.metrics(), metrics.registry.contentType);
  }
  if (operators === undefined) return send(response, 404, 'livez, readyz and metrics are answered here\n');
  // A page in an operator's browser may reach this port by a name of its own making: such a name is not ours.
  if (!isLocalHost(request.headers.host ?? ''))
    return send(response, 421, 'this port is asked for by localhost or its address\n');
  if (!carriesToken(request, operators.token))
    return send(response, 401, 'the token is wanted: Authorization: Bearer …\n');
  switch (path) {
    case '/routes':
      return sendJson(response, routesOf(operators.table()));
    case '/diagnostics':
      return sendJson(response, operators.diagnostics());
    case '/explain':
    case '/access':
    case '/sessions':
      if (!isReady()) return send(response, 503, 'the first route table is not there yet\n');
      return answerQuestion(operators.questions[path], request, response);
  }
  return send(response, 404, '/routes, /diagnostics, /explain, /access and /sessions are answered here\n');
}

async function answerQuestion(
  question: (value: unknown) => Answered | Promise<Answered>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readJson(request);
  if (body === 'TooLarge') return send(response, 413, 'a question is shorter than 256 KiB\n');
  if (body === 'NotJson') return send(response, 400, 'a question is JSON\n');
  const answered = await question(body.value);
  if ('ok' in answered) return sendJson(response, answered.ok);
  send(response, { NotUnderstood: 400, NotFound: 404, Unavailable: 503 }[answered.failed], `${answered.message}\n`);
}

const bodyLimit = 256 * 1024;

async function readJson(request: IncomingMessage): Promise<{ readonly value: unknown } | 'TooLarge' | 'NotJson'> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyLimit) return 'TooLarge';
    chunks.push(chunk);
  }
  try {
    return { value: JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown };
  } catch {
    return 'NotJson';
  }
}

function routesOf(table: RouteTable) {
  return [...table.hosts.values()].flatMap(({ host, routes, certificate }) =>
    routes.map(({ path, match, ingress, upstream, providers, denied, access }) => ({
      host,
      path,
      match,
      ingress: `${ingress.namespace}/${ingress.name}`,
      upstream: upstream?.name,
      endpoints: upstream?.endpoints.length ?? 0,
      certificate: certificate?.name,
      providers,
      denied,
      policies: access.policies.map(({ policy, attachment }) => ({
        name: policy.name,
        mode: policy.mode,
        attachment,
        broken: policy.broken,
      })),
    })),
  );
}

function isLocalHost(authority: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/.test(authority);
}

function carriesToken({ headers }: IncomingMessage, token: string): boolean {
  const given = Buffer.from(headers.authorization ?? '');
  const expected = Buffer.from(`Bearer ${token}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function sendJson(response: ServerResponse, body: unknown): void {
  send(response, 200, `${JSON.stringify(body, null, 2)}\n`, 'application/json');
}

function send(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}
