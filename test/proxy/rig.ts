// A proxy on loopback with a table, a fake Authority and a raw upstream, and a client that speaks bytes: for unit and attack tests.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { isRefused } from '../../src/auth/authority.ts';
import type {
  Answer,
  AssertionSubject,
  Authority,
  Credential,
  OpenedSession,
  OwnRequest,
} from '../../src/auth/authority.ts';
import { Redacted } from '../../src/model/diagnostic.ts';
import type { Identity } from '../../src/model/identity.ts';
import type { Access, Operators } from '../../src/model/policy.ts';
import { tableUpdate } from '../../src/model/route.ts';
import type { Certificate, HostRoutes, Route, RouteTable } from '../../src/model/route.ts';
import { defaultClassSettings } from '../../src/model/settings.ts';
import type { ClassSettings } from '../../src/model/settings.ts';
import { createProxy } from '../../src/proxy/server.ts';
import type { Proxy, ProxyOptions } from '../../src/proxy/server.ts';
import type { ServerLimits } from '../../src/proxy/listener.ts';
import { createLogger, createMetrics } from '../../src/telemetry.ts';
import type { Metrics } from '../../src/telemetry.ts';

export const ana: Identity = {
  user: 'u-ana',
  email: 'ana@example.com',
  name: 'Ana',
  groups: ['engineering', 'staff'],
  claims: { team: 'core', preferred_username: 'ana' },
};

function accessOf(allow: Operators): Access {
  const policy = { name: 'test', mode: 'Enforce', rules: [{ allow }] } as const;
  return { policies: [{ policy, attachment: 'Own' }], defaultAccess: 'Deny' };
}

export const publicAccess: Access = accessOf({ and: [{ accept: true }] });
export const signedInAccess: Access = accessOf({ and: [{ authenticatedUser: true }] });
export const engineersAccess: Access = accessOf({ and: [{ groups: { has: 'engineering' } }] });

/** A credential's text. */
export const brought = (credential: Credential): string =>
  credential.kind === 'Cookie' ? credential.value : credential.token;

/** A fake of the `auth` role: sessions by a credential's text, and what it was asked. */
export interface FakeAuthority extends Authority {
  readonly sessions: Map<string, OpenedSession>;
  readonly opens: string[];
  readonly asked: OwnRequest[];
  readonly signIns: OwnRequest[];
  answer: Answer;
  /** What each assertion was asked about. */
  readonly asserted: AssertionSubject[];
  /** What `open` does instead of looking. */
  open: Authority['open'];
  /** What `assert` does instead of naming the session. */
  assert: Authority['assert'];
  end(...sessionIds: string[]): void;
  /** News of ends may have been lost. */
  doubt(): void;
}

export function session(id: string, change: Partial<OpenedSession['session']> = {}): OpenedSession {
  const authenticatedAt = Date.now();
  const whole = {
    id,
    provider: 'okta',
    identity: ana,
    authenticatedAt,
    startedAt: authenticatedAt,
    expiresAt: authenticatedAt + 3_600_000,
    ...change,
  };
  return { session: whole, renewAt: authenticatedAt + 60_000 };
}

function fakeAuthority(): FakeAuthority {
  const listeners = new Set<(ids: readonly string[]) => void>();
  const doubters = new Set<() => void>();
  const sessions = new Map([['good', session('session-good')]]);
  const authority: FakeAuthority = {
    sessions,
    opens: [],
    asked: [],
    signIns: [],
    answer: { kind: 'Json', status: 200, body: { own: true }, cookies: [] },
    open: (_host, credential) => {
      authority.opens.push(brought(credential));
      return Promise.resolve(sessions.get(brought(credential)));
    },
    asserted: [],
    assert: async (host, credential, subject) => {
      authority.asserted.push(subject);
      const opened = sessions.get(brought(credential)) ?? (await authority.open(host, credential));
      return opened && !isRefused(opened) ? `assertion-of-${opened.session.id}` : undefined;
    },
    signIn: (request) => {
      authority.signIns.push(request);
      return Promise.resolve({
        kind: 'Redirect',
        status: 302,
        location: 'https://idp.example/authorize',
        cookies: ['__Host-sallyport-login=x'],
      });
    },
    respond: (request) => {
      authority.asked.push(request);
      return Promise.resolve(authority.answer);
    },
    onEnded: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onDoubted: (listener) => {
      doubters.add(listener);
      return () => doubters.delete(listener);
    },
    doubt: () => {
      for (const doubter of doubters) doubter();
    },
    end: (...ids) => {
      for (const [cookie, opened] of sessions) if (ids.includes(opened.session.id)) sessions.delete(cookie);
      for (const listener of listeners) listener(ids);
    },
  };
  return authority;
}

/** An application that writes down what it was sent, byte for byte, and echoes it as the answer's body. */
export interface RawUpstream {
  readonly port: number;
  /** Whole requests, head and body, as latin1. */
  readonly requests: string[];
  readonly connections: () => number;
  readonly sockets: Set<Socket>;
  close(): Promise<void>;
}

/** Given the whole of a request, answers it; the default echoes. */
export type Application = (request: string, socket: Socket) => void;

const echo: Application = (request, socket) => {
  const body = Buffer.from(request, 'latin1');
  socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n`);
  if (!request.startsWith('HEAD ')) socket.write(body);
};

export const reply =
  (raw: string): Application =>
  (_request, socket) => {
    socket.write(raw, 'latin1');
  };

export async function startUpstream(
  application: Application = echo,
  onConnection?: (socket: Socket) => void,
): Promise<RawUpstream> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    onConnection?.(socket);
    let received = '';
    let upgraded = false;
    socket.on('data', (chunk) => {
      if (upgraded) return;
      received += chunk.toString('latin1');
      for (let end = messageEnd(received); end !== undefined; end = messageEnd(received)) {
        const request = received.slice(0, end);
        received = received.slice(end);
        requests.push(request);
        if (/\r\nupgrade:/i.test(request)) upgraded = true;
        application(request, socket);
      }
    });
  });
  await listening(server);
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    connections: () => count,
    sockets,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}

/** Where the first HTTP message in this text ends: by Content-Length or chunked, else with its head. */
function messageEnd(text: string, bodiless = false): number | undefined {
  const head = text.indexOf('\r\n\r\n');
  if (head === -1) return undefined;
  const start = head + 4;
  const headers = text.slice(0, start);
  // RFC 9112, section 6.3: whatever they say of a length, these have no body.
  if (bodiless || /^HTTP\/1\.1 (?:204|304)/.test(headers)) return start;
  if (/\r\ntransfer-encoding: *chunked/i.test(headers)) {
    const end = /(?:^|\r\n)0\r\n(?:[^\r\n]+\r\n)*\r\n/.exec(text.slice(start));
    return end === null ? undefined : start + end.index + end[0].length;
  }
  const length = Number(/\r\ncontent-length: *([0-9]+)/i.exec(headers)?.[1] ?? 0);
  return text.length >= start + length ? start + length : undefined;
}

export interface RawResponse {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** Everything that came, interim answers included. */
  readonly raw: string;
  /** All values of a header. */
  all(name: string): string[];
  header(name: string): string | undefined;
}

function parseResponse(raw: string): RawResponse {
  let rest = raw;
  while (/^HTTP\/1\.1 1(?!01)[0-9][0-9] /.test(rest)) rest = rest.slice(rest.indexOf('\r\n\r\n') + 4);
  const end = rest.indexOf('\r\n\r\n');
  const head = rest.slice(0, end === -1 ? undefined : end);
  const all = (name: string): string[] =>
    head
      .split('\r\n')
      .slice(1)
      .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
      .map((line) => line.slice(name.length + 1).trim());
  return {
    status: Number(/^HTTP\/1\.1 ([0-9]{3})/.exec(head)?.[1] ?? 0),
    head,
    body: end === -1 ? '' : rest.slice(end + 4),
    raw,
    all,
    header: (name) => all(name)[0],
  };
}

export interface SendOptions {
  /** Waits so long for all that comes, instead of for one whole answer. */
  readonly forMs?: number;
  readonly tls?: ConnectionOptions;
}

/** Sends bytes, and returns one whole final answer, or what came before the proxy closed. */
export function sendTo(port: number, bytes: string | Buffer, { forMs, tls }: SendOptions = {}): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    let raw = '';
    const socket =
      tls === undefined
        ? connect(port, '127.0.0.1')
        : connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...tls });
    const done = (): void => {
      socket.destroy();
      resolve(parseResponse(raw));
    };
    const bodiless = bytes.toString('latin1').startsWith('HEAD ');
    if (forMs !== undefined) setTimeout(done, forMs);
    socket.on('data', (chunk: Buffer) => {
      raw += chunk.toString('latin1');
      if (forMs === undefined && isWhole(raw, bodiless)) done();
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? done() : reject(error),
    );
    socket.on('close', done);
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  });
}

function isWhole(raw: string, bodiless: boolean): boolean {
  let rest = raw;
  while (/^HTTP\/1\.1 1(?!01)[0-9][0-9] [^]*?\r\n\r\n/.test(rest)) rest = rest.slice(rest.indexOf('\r\n\r\n') + 4);
  if (
    /^HTTP\/1\.1 [^\r]*\r\n[^]*?\r\n\r\n/.test(rest) &&
    !/^HTTP[^]*?\r\n(?:content-length|transfer-encoding):/i.test(rest)
  ) {
    return /^HTTP\/1\.1 (?:204|304|101)/.test(rest);
  }
  return messageEnd(rest, bodiless) !== undefined;
}

export interface RigOptions {
  /** Host to routes; by default `app.example.com` with `/` public, `/private` for the signed in, `/engineers` for a group. */
  readonly hosts?: (routeTo: RouteMaker) => readonly HostRoutes[];
  readonly settings?: Partial<ClassSettings>;
  readonly application?: Application;
  readonly onConnection?: (socket: Socket) => void;
  readonly https?: boolean;
  readonly defaultCertificate?: Certificate;
  readonly proxy?: Partial<ProxyOptions>;
  readonly limits?: ServerLimits;
}

export type RouteMaker = (path: string, access: Access, change?: Partial<Route>) => Route;

export interface Rig {
  readonly proxy: Proxy;
  readonly port: number;
  readonly httpsPort: number;
  readonly upstream: RawUpstream;
  readonly authority: FakeAuthority;
  readonly metrics: Metrics;
  /** Access log lines, parsed. */
  readonly lines: Record<string, unknown>[];
  readonly send: (bytes: string | Buffer, options?: SendOptions) => Promise<RawResponse>;
  /** `GET path` at app.example.com with these header lines; a `Host:` among them replaces the usual. */
  readonly get: (path: string, ...headers: string[]) => Promise<RawResponse>;
  readonly serve: (hosts: readonly HostRoutes[], settings?: Partial<ClassSettings>) => void;
}

/** Runs a test against a proxy, and fails it where the proxy logged an error of its own. */
export async function withRig(options: RigOptions, test: (rig: Rig) => Promise<void>): Promise<void> {
  const upstream = await startUpstream(options.application, options.onConnection);
  const authority = fakeAuthority();
  const metrics = createMetrics();
  const lines: Record<string, unknown>[] = [];
  const log = createLogger('debug', (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
  const any = { host: '127.0.0.1', port: 0 };
  const proxy = createProxy(
    {
      http: any,
      ...(options.https === true && { https: any }),
      authority,
      checkUpstreamAddresses: false,
      accessLog: 'all',
      decisionLog: 'none',
      log,
      metrics,
      ...options.proxy,
    },
    options.limits,
  );
  const routeTo: RouteMaker = (path, access, change = {}) => ({
    id: `default/test app.example.com${path}`,
    ingress: { namespace: 'default', name: 'test' },
    path,
    match: 'Prefix',
    access,
    providers: ['okta'],
    upstream: { name: 'default/echo:80', protocol: 'http', endpoints: [{ address: '127.0.0.1', port: upstream.port }] },
    ...change,
  });
  let table: RouteTable = proxy.table;
  const serve = (hosts: readonly HostRoutes[], settings: Partial<ClassSettings> = {}): void => {
    const next: RouteTable = {
      generation: table.generation + 1,
      settings: { ...defaultClassSettings, ...options.settings, ...settings },
      hosts: new Map(hosts.map((host) => [host.host, host])),
      ...(options.defaultCertificate && { defaultCertificate: options.defaultCertificate }),
    };
    proxy.update(tableUpdate(table, next));
    table = next;
  };
  serve((options.hosts ?? usualHosts)(routeTo));
  const listening = await proxy.listen();
  const port = listening.find(({ scheme }) => scheme === 'http')?.port ?? 0;
  const httpsPort = listening.find(({ scheme }) => scheme === 'https')?.port ?? 0;
  const send = (bytes: string | Buffer, how?: SendOptions) =>
    sendTo(how?.tls === undefined ? port : httpsPort, bytes, how);
  const get = (path: string, ...headers: string[]) => {
    const host = headers.some((line) => /^host:/i.test(line)) ? [] : ['Host: app.example.com'];
    return send(`GET ${path} HTTP/1.1\r\n${[...host, ...headers].map((line) => `${line}\r\n`).join('')}\r\n`);
  };
  try {
    await test({ proxy, port, httpsPort, upstream, authority, metrics, lines, send, get, serve });
    assert.deepEqual(
      lines.filter(({ msg }) => msg === 'request failed'),
      [],
    );
  } finally {
    await upstream.close();
    await proxy.close(0);
  }
}

export function usualHosts(routeTo: RouteMaker): readonly HostRoutes[] {
  const routes = [
    routeTo('/engineers', engineersAccess),
    routeTo('/private', signedInAccess),
    routeTo('/', publicAccess),
  ];
  return [{ host: 'app.example.com', routes }];
}

export function certificate(name: 'app.example.com' | 'wildcard.example.org' | 'fallback.example.net'): Certificate {
  const read = (file: string): string => readFileSync(new URL(`certificates/${file}`, import.meta.url), 'utf8');
  const key = new Redacted(read(`${name}.key.pem`));
  return { name: `default/${name}`, chain: read(`${name}.pem`), key, expiresAt: Infinity };
}

/** The value of a header in a request that an upstream was sent; undefined where it has none. */
export function sentHeader(request: string | undefined, name: string): string | undefined {
  const head = (request ?? '').split('\r\n\r\n', 1)[0] ?? '';
  const line = head.split('\r\n').find((each) => each.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  return line?.slice(name.length + 1).trim();
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Looks until it holds, two seconds at most. */
export async function eventually(holds: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (holds()) return;
    await delay(10);
  }
  assert.fail(`did not happen within two seconds: ${what}`);
}
