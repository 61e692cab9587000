// The last step: the request to an endpoint of the upstream, the answer back, both streaming, each side ending with the other.
import type { IncomingMessage, InformationEvent } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream';
import type { Duplex } from 'node:stream';
import type { UpstreamFailure } from '../model/page.ts';
import type { Endpoint, Upstream } from '../model/route.ts';
import type { ClassSettings } from '../model/settings.ts';
import type { Balancer } from './balance.ts';
import type { Exchange, UpgradeAsked } from './exchange.ts';
import { hasBody, responseHeaders, trailers } from './headers.ts';
import type { Answering } from './headers.ts';
import type { Answer, Carrier, Outgoing } from './outgoing.ts';
import { outwardOf } from './outward.ts';
import type { CanonicalRequest } from './request.ts';
import { discardRest } from './respond.ts';
import type { Target } from './target.ts';
import { agreesTo, openTunnel } from './upgrade.ts';
import { whenConnected } from './upstream.ts';
import type { Connections } from './upstream.ts';

export interface Forwarding {
  readonly exchange: Exchange;
  readonly asked: CanonicalRequest;
  readonly upstream: Upstream;
  /** Other than the one asked for. */
  readonly target?: Target;
  /** Present: the connection may switch protocols. */
  readonly upgrade?: UpgradeAsked;
  readonly headers: readonly string[];
  readonly balancer: Balancer;
  readonly connections: Connections;
  /** Hears of each connection that has switched protocols: node:http no longer knows of it. */
  readonly track: (client: Duplex) => void;
}

/** With `UpstreamFailure` and `BodyTimeout` nothing has been answered yet, and a page can be. */
export type ForwardOutcome =
  | 'Forwarded'
  | 'Upgraded'
  | 'ClientLeft'
  | 'UpstreamBroke'
  | 'BodyTimeout'
  | UpstreamFailure;

/** `ResetWhileIdle`: the endpoint closed a kept connection just as we used it. */
type AttemptOutcome = ForwardOutcome | 'ResetWhileIdle';

const attemptLimit = 3;
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** Forwards once, and again only where nothing can happen twice (RFC 9110 §9.2.2). */
export async function forward(forwarding: Forwarding): Promise<ForwardOutcome> {
  const { exchange, asked, upstream, balancer } = forwarding;
  const tried = new Set<Endpoint>();
  let failure: UpstreamFailure = 'ConnectFailed';
  for (let attempt = 0; attempt < attemptLimit; attempt += 1) {
    // It may have gone while its session was opened, or while an endpoint did not answer.
    if (exchange.response.destroyed) return 'ClientLeft';
    const endpoint = balancer.pick(upstream, tried);
    if (typeof endpoint === 'string') return tried.size > 0 ? failure : endpoint;
    const outcome = await attemptAt(endpoint, forwarding);
    if (outcome === 'ConnectFailed' || outcome === 'ConnectTimeout') {
      // Nothing of the request has been sent: another endpoint may have it, whatever its method.
      balancer.failed(endpoint);
      tried.add(endpoint);
      failure = outcome;
    } else if (outcome === 'ResetWhileIdle') {
      failure = 'Reset';
      if (hasBody(asked) || !idempotent.has(asked.method)) break;
    } else return outcome;
  }
  return failure;
}

/** The class's, save where the route says otherwise. */
function timeoutsOf({ table, route }: Exchange): ClassSettings['timeouts'] {
  const { timeouts } = table.settings;
  return route?.timeouts === undefined ? timeouts : { ...timeouts, ...route.timeouts };
}

/** How far an attempt has come, and what cut it short. */
interface Progress {
  phase: 'Connecting' | 'Sending' | 'Waiting' | 'Answering';
  timedOut?: 'ConnectTimeout' | 'FirstByteTimeout' | 'BodyTimeout';
}

function attemptAt(endpoint: Endpoint, forwarding: Forwarding): Promise<AttemptOutcome> {
  const { exchange, asked, target = asked, upstream, headers, connections } = forwarding;
  const { response } = exchange;
  const { connectMs } = timeoutsOf(exchange);
  const path = target.path + target.query;
  const ownConnection = forwarding.upgrade !== undefined;
  const outgoing = connections.open({ upstream, endpoint, method: asked.method, path, headers, ownConnection });
  const progress: Progress = { phase: 'Connecting' };
  const { promise, resolve } = Promise.withResolvers<AttemptOutcome>();

  // Once the answer has begun, relay sees to it.
  const clientLeft = (): void => {
    if (progress.phase !== 'Answering') outgoing.destroy();
  };
  response.on('close', clientLeft);
  whenConnected(
    outgoing,
    connectMs,
    (carrier) => {
      progress.phase = 'Sending';
      watchClock(exchange, outgoing, carrier, progress);
      relayInformation(exchange, outgoing);
      sendBody(forwarding, outgoing);
    },
    () => {
      progress.timedOut = 'ConnectTimeout';
      outgoing.destroy();
    },
  );
  outgoing.on('response', (incoming: Answer) => {
    progress.phase = 'Answering';
    resolve(relay(forwarding, outgoing, incoming));
  });
  outgoing.on('upgrade', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    progress.phase = 'Answering';
    resolve(switchProtocol(forwarding, incoming, socket, head));
  });
  outgoing.on('error', (error: NodeJS.ErrnoException) => {
    exchange.request.unpipe(outgoing);
    if (progress.phase !== 'Answering') resolve(failureOf(error.code, progress, outgoing, exchange));
  });
  outgoing.on('close', () => {
    if (progress.phase !== 'Answering') resolve(failureOf(undefined, progress, outgoing, exchange));
  });
  return promise.finally(() => response.off('close', clientLeft));
}

/** Silence in either direction, and the wait for the first byte. Both are over when the request is. */
function watchClock(exchange: Exchange, outgoing: Outgoing, carrier: Carrier, progress: Progress): void {
  const { idleMs, firstByteMs } = timeoutsOf(exchange);
  let firstByte: NodeJS.Timeout | undefined;
  const silent = (): void => {
    // While the application thinks, the first byte's clock runs, not this one.
    if (progress.phase === 'Waiting') return;
    if (progress.phase === 'Sending') progress.timedOut = 'BodyTimeout';
    outgoing.destroy();
  };
  carrier.setTimeout(idleMs);
  carrier.on('timeout', silent);
  outgoing.once('finish', () => {
    if (progress.phase !== 'Sending') return;
    progress.phase = 'Waiting';
    firstByte = setTimeout(() => {
      progress.timedOut = 'FirstByteTimeout';
      outgoing.destroy();
    }, firstByteMs);
  });
  const stopWaiting = (): void => clearTimeout(firstByte);
  outgoing.once('response', stopWaiting).once('upgrade', stopWaiting);
  outgoing.once('close', () => {
    stopWaiting();
    carrier.off('timeout', silent);
  });
}

function failureOf(
  code: string | undefined,
  { phase, timedOut }: Progress,
  { reusedSocket }: Outgoing,
  { response }: Exchange,
): AttemptOutcome {
  if (timedOut !== undefined) return timedOut;
  if (response.destroyed) return 'ClientLeft';
  if (code === 'EADDRREFUSED') return 'AddressRefused';
  if (phase === 'Connecting') return 'ConnectFailed';
  if (code?.startsWith('HPE_') === true || code === 'ERR_HTTP2_ERROR') return 'Invalid';
  return reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE') ? 'ResetWhileIdle' : 'Reset';
}

/** Called once the connection stands: until then nothing of the body is read, so that another endpoint could have it. */
function sendBody({ exchange, asked }: Forwarding, outgoing: Outgoing): void {
  const { request, response, table, expectsContinue } = exchange;
  if (!hasBody(asked)) {
    outgoing.end();
    return;
  }
  outgoing.flushHeaders();
  if (expectsContinue && !response.destroyed) response.writeContinue();
  request.once('end', () => {
    const passed = trailers(request.rawTrailers, table.settings, exchange.route?.requestHeaders);
    if (passed.length > 0) outgoing.addTrailers(passed);
    outgoing.end();
  });
  request.pipe(outgoing, { end: false });
}

const informationLimit = 32;

/** 103 and its like. 100 is ours to say, and a client of HTTP/1.0 knows none of them. */
function relayInformation({ request, response, table }: Exchange, outgoing: Outgoing): void {
  let count = 0;
  outgoing.on('information', ({ statusCode, rawHeaders }: InformationEvent) => {
    count += 1;
    if (count > informationLimit) outgoing.destroy();
    if (statusCode <= 101 || request.httpVersion !== '1.1' || response.headersSent || response.destroyed) return;
    response.writeInformation(
      statusCode,
      responseHeaders(rawHeaders, { status: statusCode, cookieName: table.settings.cookieName }),
    );
  });
}

/** The answer to the client. When one side breaks, so does the other: half an answer must not look whole. */
function relay({ exchange }: Forwarding, outgoing: Outgoing, incoming: Answer): Promise<ForwardOutcome> {
  const { request, response, table } = exchange;
  if (!beginAnswer(exchange, incoming)) {
    outgoing.destroy();
    return Promise.resolve(response.destroyed ? 'ClientLeft' : 'Invalid');
  }
  incoming.once('end', () => {
    const passed = trailers(incoming.rawTrailers, table.settings, exchange.route?.responseHeaders);
    if (passed.length > 0 && response.chunkedEncoding) response.addTrailers(passed);
  });
  // Headers go with the first bytes of the body where these are there already; an event stream may have none for long.
  setImmediate(() => {
    if (!response.writableEnded && !response.destroyed) response.flushHeaders();
  });
  return new Promise((resolve) => {
    pipeline(incoming, response, (error) => {
      request.unpipe(outgoing);
      if (!outgoing.writableFinished) outgoing.destroy();
      discardRest(exchange);
      if (error === null || error === undefined) resolve('Forwarded');
      // The upstream's error is handed on to the answer; a client that left leaves none there.
      else resolve(response.errored === null ? 'ClientLeft' : 'UpstreamBroke');
    });
  });
}

const responseHeaderLimit = 500;

/** False: it cannot be passed on, and nothing has been sent. */
function beginAnswer(exchange: Exchange, incoming: Answer): boolean {
  const { response } = exchange;
  const { statusCode: status = 0, statusMessage, rawHeaders } = incoming;
  const coding = incoming.headers['transfer-encoding'];
  if (response.destroyed || status < 200 || status > 999 || rawHeaders.length > 2 * responseHeaderLimit) return false;
  // node:http has undone chunked; what else was done to the body it would hide.
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return false;
  const headers = responseHeaders(rawHeaders, answeringOf(exchange, status));
  const { server, trailer } = incoming.headers;
  // What a route says of an answer's headers may be that there is none.
  if (server === undefined && !exchange.route?.responseHeaders) headers.push('Server', 'sallyport');
  if (trailer !== undefined && coding !== undefined && mayTrail(exchange, status)) headers.push('Trailer', trailer);
  try {
    response.writeHead(status, statusMessage, headers);
  } catch {
    return false;
  }
  exchange.status = status;
  return true;
}

function answeringOf({ table, cors, transport, route, asked }: Exchange, status: number): Answering {
  const { upstream, responseHeaders: changes } = route ?? {};
  return {
    status,
    cookieName: table.settings.cookieName,
    ...(cors && { cors }),
    ...(transport && { transport }),
    ...(changes && { changes }),
    ...(upstream && asked && { outward: outwardOf(upstream, asked, route) }),
  };
}

/** node:http throws where trailers are announced that no last chunk will carry. */
function mayTrail({ request }: Exchange, status: number): boolean {
  return request.httpVersion === '1.1' && request.method !== 'HEAD' && status !== 204 && status !== 304;
}

async function switchProtocol(
  { exchange, upgrade, track }: Forwarding,
  incoming: IncomingMessage,
  upstream: Socket,
  head: Buffer,
): Promise<ForwardOutcome> {
  const { response, table } = exchange;
  upstream.on('error', () => upstream.destroy());
  if (upgrade === undefined || response.destroyed || !agreesTo(upgrade.protocol, incoming)) {
    upstream.destroy();
    return response.destroyed ? 'ClientLeft' : 'Invalid';
  }
  exchange.status = 101;
  track(upgrade.socket);
  const { cookieName } = table.settings;
  await openTunnel({ upgrade, response, incoming, upstream, head, cookieName, idleMs: timeoutsOf(exchange).idleMs });
  return 'Upgraded';
}
