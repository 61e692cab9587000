// A request that the policy lets in: a page or a redirect in the application's place, else the headers, an endpoint, the way there and back.
import type { Session } from '../model/identity.ts';
import type { Redirect, Route, RouteTable } from '../model/route.ts';
import { decideAgain } from './decision.ts';
import type { Decided } from './decision.ts';
import type { Exchange, RequestOutcome } from './exchange.ts';
import { forward } from './forward.ts';
import type { ForwardOutcome } from './forward.ts';
import type { Gate } from './handle.ts';
import { requestHeaders } from './headers.ts';
import { redirectLocation } from './redirect.ts';
import { refusalOf } from './refusal.ts';
import type { CanonicalRequest } from './request.ts';
import { respondElsewhere, respondPage } from './respond.ts';
import { sentTarget } from './rewrite.ts';
import { failed, say, unavailable } from './say.ts';
import type { FoundSession } from './sessions.ts';
import { maySwitch } from './upgrade.ts';

export async function letThrough(
  gate: Gate,
  exchange: Exchange,
  asked: CanonicalRequest,
  found: FoundSession | undefined,
  decided: Decided,
): Promise<RequestOutcome> {
  const { route } = decided;
  const { request, response, table, id: requestId } = exchange;
  const { settings } = table;
  if (route.maintenance !== undefined)
    return say(exchange, { kind: 'Maintenance', ...route.maintenance }, 'Maintenance');
  if (route.redirect !== undefined) return redirect(exchange, asked, route, route.redirect);
  if (route.upstream === undefined) return failed(exchange, 'NoEndpoints');

  // 9. The path and the headers, built anew.
  const target = sentTarget(route, asked);
  if ('fault' in target) return misconfigured(exchange, target.fault);
  const upgrade = exchange.upgrade && maySwitch(route, exchange.upgrade.protocol) ? exchange.upgrade : undefined;
  const told = found && (await gate.assertions.tell({ found, host: asked.host, route, requestId, settings }));
  if (told === 'Unavailable') return unavailable(exchange);
  if (told === 'Ended') {
    return say(exchange, { kind: 'SignInNeeded', signIn: `${asked.path}${asked.query}` }, 'Unauthenticated');
  }
  const headers = requestHeaders({
    asked,
    rawHeaders: request.rawHeaders,
    requestId,
    settings,
    route,
    // A token that we took is between its bearer and us (promise 3).
    withoutAuthorization: found?.credential.kind === 'Bearer',
    ...(told && { told }),
    ...(upgrade && { upgrade: upgrade.protocol }),
  });

  // 10. and 11. An endpoint, and the way there and back, for as long as the session lives and no policy forbids it.
  const isAllowed = (now: RouteTable, session: Session | undefined): boolean => {
    const again = decideAgain(exchange.id, asked, now, session, Date.now());
    if (again === undefined || again.verdict.decision === 'Allow') return true;
    exchange.decided = again;
    gate.record(again);
    return false;
  };
  const end = (): void => cutOff(exchange, asked);
  const release = gate.sessions.hold({ host: asked.host, ...(found && { found }), table, isAllowed, end });
  try {
    const { balancer, connections, track } = gate;
    const way = { exchange, asked, target, headers, upstream: route.upstream, ...(upgrade && { upgrade }) };
    const outcome = await forward({ ...way, balancer, connections, track });
    if (exchange.ended === true || response.destroyed) return ended(exchange, outcome);
    return await failed(exchange, outcome);
  } finally {
    release();
  }
}

async function redirect(
  exchange: Exchange,
  asked: CanonicalRequest,
  route: Route,
  to: Redirect,
): Promise<RequestOutcome> {
  const location = redirectLocation(exchange.table, route, to, asked);
  if (location === undefined) return misconfigured(exchange, 'its redirect leads back to itself');
  await respondElsewhere(exchange, to, location);
  return 'Redirected';
}

function misconfigured(exchange: Exchange, fault: string): Promise<RequestOutcome> {
  exchange.fault = fault;
  return say(exchange, { kind: 'Misconfigured' }, 'Misconfigured');
}

/** Where no answer has begun, ours is one; else half of it must not look whole. */
function cutOff(exchange: Exchange, asked: CanonicalRequest): void {
  const { request, response, decided, upgrade } = exchange;
  exchange.ended = true;
  if (response.headersSent || upgrade !== undefined) return void request.socket.destroy();
  const signIn = `${asked.path}${asked.query}`;
  const page = decided?.verdict.decision === 'Deny' ? refusalOf(decided) : ({ kind: 'SignInNeeded', signIn } as const);
  respondPage(exchange, page).catch(() => request.socket.destroy());
}

function ended({ ended: byUs }: Exchange, outcome: ForwardOutcome): RequestOutcome {
  if (byUs === true) return 'SessionEnded';
  return outcome === 'Forwarded' || outcome === 'Upgraded' || outcome === 'UpstreamBroke' ? outcome : 'ClientLeft';
}
