// One request, top to bottom: each step either goes on to the next or returns how the request ended.
import type { Duplex } from 'node:stream';
import { AuthorityError, jwksPath } from '../auth/authority.ts';
import type { Authority, RefusedToken } from '../auth/authority.ts';
import type { Page } from '../model/page.ts';
import type { HostRoutes } from '../model/route.ts';
import { canonicalAddress } from './address.ts';
import type { Assertions } from './assertions.ts';
import type { Balancer } from './balance.ts';
import { isMisdirected } from './certificates.ts';
import { answerChallenge } from './challenge.ts';
import { corsHeaders, isPreflight, preflightHeaders } from './cors.ts';
import { decide } from './decision.ts';
import type { Decided } from './decision.ts';
import { destinationOf } from './destination.ts';
import type { Exchange, RequestOutcome } from './exchange.ts';
import { findSession } from './find-session.ts';
import { letThrough } from './let-through.ts';
import { isAuthenticationHost, ownRequest, providersFor, readForm } from './own.ts';
import { allowedMethods, canonicalRequest, isInsecure } from './request.ts';
import type { CanonicalRequest, Refusal } from './request.ts';
import { refusalOf } from './refusal.ts';
import { isNavigation, respondAnswer, respondNothing, respondRedirect } from './respond.ts';
import { failed, say, unavailable } from './say.ts';
import { withDeadline } from './opened.ts';
import type { Sessions } from './sessions.ts';
import { transportHeaders } from './transport.ts';
import type { Connections } from './upstream.ts';

/** What all requests share. */
export interface Gate {
  readonly authority: Authority;
  readonly sessions: Sessions;
  readonly assertions: Assertions;
  readonly balancer: Balancer;
  readonly connections: Connections;
  /** Where the https listener is; absent: there is none. */
  readonly httpsPort: () => number | undefined;
  /** Hears of each connection that has switched protocols. */
  readonly track: (client: Duplex) => void;
  /** Hears of each decision. */
  readonly record: (decided: Decided) => void;
}

/** Never throws for anything that a client or an application does. */
export async function handle(gate: Gate, exchange: Exchange): Promise<RequestOutcome> {
  const { request, table } = exchange;
  const { settings } = table;

  // 1. One canonical request, or none.
  const { socket, method = '', url: target = '', rawHeaders } = request;
  const peer = canonicalAddress(socket.remoteAddress ?? '');
  if (peer === undefined) return 'ClientLeft';
  const encrypted = 'encrypted' in socket && socket.encrypted === true;
  const raw = { method, target, rawHeaders, peer, encrypted, port: socket.localPort ?? 0 };
  const canonical = canonicalRequest(raw, settings);
  if ('refused' in canonical) return refuse(exchange, canonical.refused);
  const asked = canonical.ok;
  exchange.asked = asked;

  // A host that is not to be had over TLS is not to be had under another's name either (RFC 9110 §15.5.20).
  if (encrypted && isMisdirected(table, asked.host)) {
    return say(exchange, { kind: 'NoSuchHost' }, 'NoSuchHost', { status: 421 });
  }

  // 2. Where it leads: our own places are never routed, and an ACME server is asked for nothing.
  const destination = destinationOf(table, asked, encrypted ? undefined : gate.httpsPort());
  if (destination.to === 'Solver') {
    return failed(exchange, await answerChallenge(gate, exchange, asked, destination.solver));
  }
  if (destination.to === 'Https') return redirectToHttps(exchange, destination.location);
  const transport = 'host' in destination && destination.host ? transportHeaders(destination.host, asked) : undefined;
  if (transport !== undefined) exchange.transport = transport;
  if (destination.to === 'OwnPlace') return answerOwnPlace(gate, exchange, asked, destination.host);
  if (destination.to !== 'Route') return say(exchange, { kind: destination.to }, destination.to);

  // 3. The route.
  const { host: routes, route } = destination;
  exchange.route = route;
  const { cors } = route;
  if (cors !== undefined) exchange.cors = corsHeaders(cors, asked);

  // 4. A route whose objects are at fault refuses everybody.
  if (route.denied !== undefined) {
    const decided = decide(exchange.id, asked, route, undefined, Date.now());
    record(gate, exchange, decided);
    return say(exchange, refusalOf(decided), 'Refused');
  }

  if (cors !== undefined && isPreflight(asked)) {
    await respondNothing(exchange, preflightHeaders(cors, asked));
    return 'Preflight';
  }

  // 5. The session, where a cookie names one or a token is one.
  const { found, refused, isAway } = await findSession(gate.sessions, exchange, asked, route);

  // 6. The decision.
  const decided = decide(exchange.id, asked, route, found?.opened.session, Date.now());
  const { verdict } = decided;
  // Who is there cannot be told: only a route that lets in people without a name still does.
  if (isAway === true && verdict.decision !== 'Allow') return unavailable(exchange);
  record(gate, exchange, decided);

  // 7. Nobody is signed in, and somebody must be.
  if (verdict.decision === 'Login') return askToSignIn(gate, exchange, asked, routes, decided, refused);

  // 8. No.
  if (verdict.decision === 'Deny') return say(exchange, refusalOf(decided), 'Refused');

  // 9. to 11. Yes.
  return letThrough(gate, exchange, asked, found, decided);
}

function record(gate: Gate, exchange: Exchange, decided: Decided): void {
  exchange.decided = decided;
  gate.record(decided);
}

/** And the connection with it: where one request ends unclearly, nobody knows where the next begins (RFC 9112 §6.3). */
function refuse(exchange: Exchange, { status, detail }: Refusal): Promise<RequestOutcome> {
  exchange.response.shouldKeepAlive = false;
  if (status === 405) return say(exchange, { kind: 'MethodNotAllowed', allow: allowedMethods }, 'BadRequest');
  return say(exchange, { kind: 'BadRequest', detail }, 'BadRequest', { status });
}

async function redirectToHttps(exchange: Exchange, location: string): Promise<RequestOutcome> {
  await respondRedirect(exchange, 308, location);
  return 'RedirectedToHttps';
}

// Signing in may take `auth` a discovery and a code exchange at the provider.
const authorityTimeoutMs = 30_000;

async function answerOwnPlace(
  gate: Gate,
  exchange: Exchange,
  asked: CanonicalRequest,
  routes: HostRoutes | undefined,
): Promise<RequestOutcome> {
  const { request, table } = exchange;
  // Nobody signs in at a host that nobody claims (promise 14).
  if (routes?.host === '' && !isAuthenticationHost(asked.host, table)) {
    return say(exchange, { kind: 'NoSuchPath' }, 'NoSuchPath');
  }
  if (isInsecure(asked) && asked.path !== jwksPath)
    return say(exchange, { kind: 'InsecureTransport' }, 'InsecureTransport');
  let body: string | undefined;
  if (asked.method === 'POST') {
    if (exchange.expectsContinue) exchange.response.writeContinue();
    const form = await readForm(request);
    if (form === 'ClientLeft') return 'ClientLeft';
    if (form === 'TooLarge') return refuseForm(exchange, 413, 'The form is longer than 16 KiB.');
    if (form === 'TooSlow') return refuseForm(exchange, 408, 'The form took too long to arrive.');
    body = form.text;
  }
  const own = ownRequest(asked, table.settings.cookieName, { body, providers: providersFor(asked, routes) });
  return orUnavailable(exchange, async () => {
    await respondAnswer(exchange, await withDeadline(gate.authority.respond(own), authorityTimeoutMs));
    return 'OwnAnswer';
  });
}

function refuseForm(exchange: Exchange, status: number, detail: string): Promise<RequestOutcome> {
  return say(exchange, { kind: 'BadRequest', detail }, 'BadRequest', { status });
}

async function orUnavailable(exchange: Exchange, answer: () => Promise<RequestOutcome>): Promise<RequestOutcome> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof AuthorityError)) throw error;
    return unavailable(exchange);
  }
}

async function askToSignIn(
  gate: Gate,
  exchange: Exchange,
  asked: CanonicalRequest,
  routes: HostRoutes,
  { route: { providers, workloads }, verdict: { stepUp } }: Decided,
  refused: RefusedToken | undefined,
): Promise<RequestOutcome> {
  // A route without a host never starts a login (promise 14).
  if (routes.host === '') return say(exchange, { kind: 'Refused' }, 'Refused');
  // No cookie of ours would be kept: an explanation, never a loop (promise 16).
  if (isInsecure(asked)) return say(exchange, { kind: 'InsecureTransport' }, 'InsecureTransport');
  // Whoever brings a token is a program, however it looks.
  if (refused !== undefined) return say(exchange, { kind: 'TokenRefused', reason: refused.refused }, 'Unauthenticated');
  const forPerson = isNavigation(asked.headers);
  if (providers.length === 0 && (forPerson || workloads !== true)) {
    return say(exchange, { kind: 'NoProvider' }, 'NoProvider');
  }
  const mayRedirect = asked.method === 'GET' || asked.method === 'HEAD';
  // A program gets a 401 it can understand; a form's author a page, for a redirect would lose what was written (promise 9).
  if (!forPerson || !mayRedirect || exchange.upgrade !== undefined) {
    const signIn = `${asked.path}${asked.query}`;
    const page: Page = { kind: 'SignInNeeded', signIn, ...(stepUp && { stepUp }) };
    return say(exchange, page, 'Unauthenticated');
  }
  const own = ownRequest(asked, exchange.table.settings.cookieName, { providers, stepUp });
  return orUnavailable(exchange, async () => {
    await respondAnswer(exchange, await withDeadline(gate.authority.signIn(own), authorityTimeoutMs));
    return 'SignInStarted';
  });
}
