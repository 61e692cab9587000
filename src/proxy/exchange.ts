// One request and its answer under way: what every step may see, and what is told of it in the end (access log, metrics).
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Session } from '../model/identity.ts';
import type { UpstreamFailure } from '../model/page.ts';
import type { Route, RouteTable } from '../model/route.ts';
import type { Logger, Metrics } from '../telemetry.ts';
import type { Decided } from './decision.ts';
import type { CanonicalRequest } from './request.ts';

/** How a request ended: a closed list, and the `outcome` label of the requests metric. */
export type RequestOutcome =
  | 'Forwarded'
  | 'Upgraded'
  | 'RedirectedToHttps'
  | 'Redirected'
  | 'Maintenance'
  /** What the route asks for cannot be done with this request. */
  | 'Misconfigured'
  | 'OwnAnswer'
  | 'Preflight'
  | 'SignInStarted'
  | 'Unauthenticated'
  | 'Refused'
  | 'BadRequest'
  | 'BodyTimeout'
  | 'NoSuchHost'
  | 'NoSuchPath'
  | 'InsecureTransport'
  | 'NoProvider'
  | 'StoreUnavailable'
  | UpstreamFailure
  /** The upstream broke off after it had begun to answer. */
  | 'UpstreamBroke'
  | 'ClientLeft'
  | 'SessionEnded'
  | 'InternalError';

/** What the switch of a connection to another protocol needs. */
export interface UpgradeAsked {
  readonly protocol: string;
  readonly socket: Duplex;
  /** What the client sent before it was answered; it waits for the 101. */
  readonly head: Buffer;
}

export interface Exchange {
  readonly id: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Taken once: the request sees nothing else. */
  readonly table: RouteTable;
  readonly startedMs: number;
  readonly bytesBefore: number;
  readonly expectsContinue: boolean;
  readonly upgrade?: UpgradeAsked;
  /** Told in the end. */
  asked?: CanonicalRequest;
  route?: Route;
  /** Added to the answer, whoever gives it; where it is set, what the application says of CORS is dropped. */
  cors?: readonly string[];
  /** Likewise; where it is set, what the application says of strict transport is dropped. */
  transport?: readonly string[];
  session?: Session;
  decided?: Decided;
  status?: number;
  /** What is wrong with the route, for the operator's eyes. */
  fault?: string;
  ended?: boolean;
}

export interface Incoming {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly expectsContinue?: boolean;
  readonly upgrade?: UpgradeAsked;
}

export function beginExchange(incoming: Incoming, table: RouteTable): Exchange {
  const { request, response, expectsContinue = false, upgrade } = incoming;
  return {
    id: randomUUID(),
    request,
    response,
    table,
    startedMs: performance.now(),
    bytesBefore: request.socket.bytesWritten,
    expectsContinue,
    ...(upgrade && { upgrade }),
  };
}

export type AccessLog = 'all' | 'denied' | 'none';

const denials: ReadonlySet<RequestOutcome> = new Set(['Refused', 'Unauthenticated', 'BadRequest', 'InsecureTransport']);

/** Where requests are told of. */
export interface Telling {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly accessLog: AccessLog;
}

/** Counts the request and writes its line. Never a query, a cookie, a token; JSON keeps line ends out of the lines. */
export function endExchange(exchange: Exchange, outcome: RequestOutcome, { log, metrics, accessLog }: Telling): void {
  const durationMs = performance.now() - exchange.startedMs;
  metrics.requests.inc({ outcome });
  metrics.requestSeconds.observe(durationMs / 1000);
  const { fault } = exchange;
  if (fault !== undefined) log.warn({ id: exchange.id, route: exchange.route?.id, fault }, 'route cannot serve this');
  if (accessLog === 'none' || (accessLog === 'denied' && !denials.has(outcome))) return;
  const { asked, request, route, session, decided } = exchange;
  log.info(
    {
      id: exchange.id,
      client: asked?.client.address ?? request.socket.remoteAddress,
      method: request.method,
      host: asked?.host,
      path: asked?.path ?? /^[^?#]{0,256}/.exec(request.url ?? '')?.[0],
      status: exchange.status,
      outcome,
      route: route?.id,
      upstream: route?.upstream?.name,
      verdict: decided?.verdict.decision,
      user: session?.identity.user,
      email: session?.identity.email,
      session: session?.id.slice(0, 8),
      bytes: request.socket.bytesWritten - exchange.bytesBefore,
      durationMs: Math.round(durationMs * 1000) / 1000,
    },
    'request',
  );
}
