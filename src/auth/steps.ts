// The steps of a sign-in, in the order in which a browser takes them: start, requested, provider's callback, code's callback.
import { ownPrefix } from './authority.ts';
import type { Answer, OwnRequest } from './authority.ts';
import { endFlowCookie, flowCookie, flowCookieName } from './cookie.ts';
import type { Ticket } from './cookie.ts';
import { giveSession, heldSession, page } from './desk.ts';
import type { Desk } from './desk.ts';
import {
  bindingOf,
  checkCallback,
  flowLifetimeMs,
  isBoundTo,
  isFlowId,
  keepable,
  maxFlows,
  newChallenge,
  newCodeFlow,
  newFlowId,
  sealFlow,
  sealRequest,
  unsealFlow,
  unsealRequest,
} from './login.ts';
import type { Flow, SignInRequest } from './login.ts';
import { endSurplus } from './limit.ts';
import { isAuthenticationHost, signInAuthority, urlOn } from './place.ts';
import { ProviderError } from './provider-error.ts';
import type { Provider } from './provider.ts';
import { createCode, takeCode } from './code.ts';
import { currentSession } from './current.ts';
import { createSession } from './session.ts';
import type { Origin } from './record.ts';
import type { SignedIn } from './session.ts';
import type { Session } from '../model/identity.ts';
import type { SignInFailure } from '../model/page.ts';

const retryAfterSeconds = 5;

/**
 * Begins a sign-in that comes back to `returnTo`, a path and query on the request's host. On an application's host it
 * sends the browser to the authentication host, with a request that only that host can read; on the host that speaks with
 * the provider, to the provider. `somebodyElse`: the person who is signed in was refused, and wants another account.
 */
export async function startSignIn(
  desk: Desk,
  request: OwnRequest,
  returnTo: string,
  somebodyElse = false,
): Promise<Answer> {
  const { settings, ring, now } = desk;
  const provider = desk.provider(request.providers[0]);
  if (provider === undefined) return page({ kind: 'NoProvider' });
  const { authenticationHost } = settings;
  if (authenticationHost === undefined || isAuthenticationHost(settings, request.host)) {
    return toProvider(desk, request, provider, { returnTo, somebodyElse, ...within(request) });
  }
  const flowId = newFlowId();
  const flow = newCodeFlow(returnTo, now);
  const { scheme, authority } = request;
  const asked = {
    flow: flowId,
    scheme,
    authority,
    provider: provider.settings.name,
    binding: bindingOf(flow.secret),
    somebodyElse,
    ...within(request),
    at: now,
  };
  const sealed = sealRequest(ring, asked, authenticationHost);
  return {
    kind: 'Redirect',
    status: 302,
    location: urlOn(scheme, authenticationHost, `${ownPrefix}sign-in?request=${sealed}`),
    cookies: flowCookies(desk, request, flowId, flow),
  };
}

/** On the authentication host: an application's host asks for a session. Whoever is signed in here already is sent back at once. */
export async function requestedSignIn(desk: Desk, request: OwnRequest): Promise<Answer> {
  const sealed = new URLSearchParams(request.query).get('request') ?? '';
  const asked = unsealRequest(desk.ring, sealed, desk.settings.authenticationHost ?? '', desk.now);
  if (asked === undefined) return failed(desk, request, 'Expired', urlOn(request.scheme, request.authority, ownPrefix));
  const provider = desk.provider(asked.provider);
  if (provider === undefined) return page({ kind: 'NoProvider' });
  const { somebodyElse } = asked;
  const held = somebodyElse ? undefined : await heldSession(desk, request);
  if (held !== undefined && held.session.provider === asked.provider && isRecent(held.session, asked, desk.now))
    return toApplication(desk, held.ticket, asked, []);
  return toProvider(desk, request, provider, { returnTo: ownPrefix, somebodyElse, ...within(asked), asked });
}

/** Under exactOptionalPropertyTypes. */
function within({ withinSeconds }: { readonly withinSeconds?: number | undefined }): {
  readonly withinSeconds?: number;
} {
  return withinSeconds === undefined ? {} : { withinSeconds };
}

/** A session that began too long ago would be asked for again, for ever: both its times count. */
function isRecent({ authenticatedAt, startedAt }: Session, { withinSeconds }: SignInRequest, now: number): boolean {
  return withinSeconds === undefined || now - Math.min(authenticatedAt, startedAt) <= withinSeconds * 1000;
}

interface Journey {
  /** A path and query on this host, for when nobody asked. */
  readonly returnTo: string;
  readonly somebodyElse: boolean;
  readonly withinSeconds?: number;
  /** The application's host that wants the session. */
  readonly asked?: SignInRequest;
}

async function toProvider(desk: Desk, request: OwnRequest, provider: Provider, journey: Journey): Promise<Answer> {
  const { returnTo, asked } = journey;
  const { settings } = desk;
  // A store that is away is noticed here, before the person has typed a password in vain (promise 11).
  await desk.store.read('session', 'nobody');
  const flowId = newFlowId();
  const challenge = newChallenge(flowId);
  const callback = settings.authenticationHost === undefined ? `${ownPrefix}callback` : '/oauth2/callback';
  const redirectUri = urlOn(request.scheme, signInAuthority(settings, request), callback);
  const flow: Flow = {
    kind: 'Provider',
    provider: provider.settings.name,
    challenge,
    redirectUri,
    ...(asked !== undefined && { request: asked }),
    ...within(journey),
    returnTo: keepable(returnTo),
    at: desk.now,
  };
  try {
    const location = await provider.authorizationUrl(redirectUri, challenge, journey);
    return { kind: 'Redirect', status: 302, location, cookies: flowCookies(desk, request, flowId, flow) };
  } catch (error) {
    return providerFailed(desk, request, error, '', []);
  }
}

/** The provider's answer arrives: the state is checked, the code exchanged, the session made, the browser sent on. */
export async function providerCallback(desk: Desk, request: OwnRequest): Promise<Answer> {
  const { settings, store, ring, now } = desk;
  const flowId = (new URLSearchParams(request.query).get('state') ?? '').split('.', 1)[0] ?? '';
  const flow = heldFlow(desk, request, flowId);
  const home = urlOn(request.scheme, request.authority, ownPrefix);
  if (flow?.kind !== 'Provider') return failed(desk, request, 'Expired', home);
  const done = [endFlowCookie(settings, flowId)];
  const startAgain = flow.request
    ? urlOn(flow.request.scheme, flow.request.authority, `${ownPrefix}sign-in`)
    : urlOn(request.scheme, request.authority, `${ownPrefix}sign-in?return=${encodeURIComponent(flow.returnTo)}`);
  const callback = checkCallback(flow, request.query);
  if (callback === undefined) return failed(desk, request, 'Expired', startAgain, done);
  const provider = desk.provider(flow.provider);
  if (provider === undefined) return page({ kind: 'NoProvider' }, done);
  let signedIn: SignedIn;
  try {
    signedIn = await provider.exchange(callback, now, flow.withinSeconds);
  } catch (error) {
    return providerFailed(desk, request, error, startAgain, done);
  }
  const before = await heldSession(desk, request);
  const ticket = await createSession(store, ring, signedIn, now, settings, originOf(request));
  // A browser has one session: the one it had ends here, whoever's it was.
  if (before !== undefined) await store.remove('session', before.ticket.id);
  await endSurplus(desk, signedIn, ticket.id);
  const { identity } = signedIn;
  desk.metrics.signIns.inc({ outcome: 'Succeeded' });
  desk.log.info(
    { person: identity.email ?? identity.user, provider: flow.provider, session: ticket.id.slice(0, 8) },
    'signed in',
  );
  const cookies = [...done, giveSession(desk, ticket, request.host, now + settings.sessionLifetimeMs)];
  if (flow.request !== undefined) return toApplication(desk, ticket, flow.request, cookies);
  return arrive(desk, request, flow.returnTo, cookies);
}

/** Sends the browser to the application's host with a one-time code for it. */
async function toApplication(
  desk: Desk,
  ticket: Ticket,
  asked: SignInRequest,
  cookies: readonly string[],
): Promise<Answer> {
  const { authority, binding } = asked;
  const code = await createCode(desk.store, desk.ring, { ticket, authority, binding }, desk.now);
  const location = urlOn(asked.scheme, authority, `${ownPrefix}callback?flow=${asked.flow}&code=${code}`);
  return { kind: 'Redirect', status: 303, location, cookies };
}

/** On an application's host: the one-time code is used up, and becomes this host's cookie in the browser that asked for it. */
export async function codeCallback(desk: Desk, request: OwnRequest): Promise<Answer> {
  const { settings, store, ring } = desk;
  const parameters = new URLSearchParams(request.query);
  const flowId = parameters.get('flow') ?? '';
  const flow = heldFlow(desk, request, flowId);
  const startAgain = (returnTo: string) =>
    urlOn(request.scheme, request.authority, `${ownPrefix}sign-in?return=${encodeURIComponent(returnTo)}`);
  if (flow?.kind !== 'Code') return failed(desk, request, 'Expired', startAgain('/'));
  const done = [endFlowCookie(settings, flowId)];
  const grant = await takeCode(store, ring, parameters.get('code') ?? '');
  if (grant === undefined || grant.authority !== request.authority || !isBoundTo(grant.binding, flow.secret)) {
    return failed(desk, request, 'Expired', startAgain(flow.returnTo), done);
  }
  const full = await currentSession(desk, grant.ticket);
  if (full === undefined) return failed(desk, request, 'Expired', startAgain(flow.returnTo), done);
  // Where the authentication host had lost its cookie, it could not know of the session that this host still has.
  const before = await heldSession(desk, request);
  if (before !== undefined && before.ticket.id !== grant.ticket.id) await store.remove('session', before.ticket.id);
  return arrive(desk, request, flow.returnTo, [...done, giveSession(desk, grant.ticket, request.host, full.endsAt)]);
}

// A Strict cookie stays behind on a redirect that began on another site, and the sign-in would begin again, for ever: so
// the last step is then a page of our own that goes on by itself.
function arrive(desk: Desk, request: OwnRequest, returnTo: string, cookies: readonly string[]): Answer {
  const location = urlOn(request.scheme, request.authority, returnTo);
  if (desk.settings.cookieSameSite === 'Strict') return page({ kind: 'SignedIn', goOn: location }, cookies);
  return { kind: 'Redirect', status: 303, location, cookies };
}

/** What the person is shown later, to tell one of their sessions from another. */
function originOf({ device, address }: OwnRequest): Origin {
  return { ...(device !== undefined && { device }), ...(address !== undefined && { address }) };
}

function heldFlow(desk: Desk, request: OwnRequest, flowId: string): Flow | undefined {
  if (!isFlowId(flowId)) return undefined;
  const name = flowCookieName(desk.settings, flowId);
  for (const [cookie, value] of request.cookies) {
    if (cookie !== name) continue;
    const flow = unsealFlow(desk.ring, value, request.host, flowId, desk.now);
    if (flow !== undefined) return flow;
  }
  return undefined;
}

// The new flow's cookie, and the end of those that are too old, not ours, or too many.
function flowCookies(desk: Desk, request: OwnRequest, flowId: string, flow: Flow): readonly string[] {
  const { settings, ring, now } = desk;
  const prefix = flowCookieName(settings, '');
  const held = request.cookies
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => {
      const id = name.slice(prefix.length);
      return { id, at: isFlowId(id) ? (unsealFlow(ring, value, request.host, id, now)?.at ?? 0) : 0 };
    })
    .toSorted((a, b) => b.at - a.at);
  const surplus = held.filter(({ id, at }, index) => isFlowId(id) && (at === 0 || index >= maxFlows - 1));
  return [
    ...surplus.map(({ id }) => endFlowCookie(settings, id)),
    flowCookie(settings, flowId, sealFlow(ring, flow, request.host, flowId), flowLifetimeMs),
  ];
}

function providerFailed(
  desk: Desk,
  request: OwnRequest,
  error: unknown,
  startAgain: string,
  cookies: readonly string[],
): Answer {
  if (!(error instanceof ProviderError)) throw error;
  desk.log.warn({ err: error }, 'a sign-in failed at the identity provider');
  if (error.code === 'unavailable') {
    desk.metrics.signIns.inc({ outcome: 'Unavailable' });
    return page({ kind: 'ProviderUnavailable', retryAfterSeconds }, cookies);
  }
  return failed(desk, request, error.code === 'denied' ? 'Denied' : 'Invalid', startAgain, cookies);
}

function failed(
  desk: Desk,
  request: OwnRequest,
  reason: SignInFailure,
  startAgain: string,
  cookies: readonly string[] = [],
): Answer {
  desk.metrics.signIns.inc({ outcome: reason });
  desk.log.info({ reason, host: request.host }, 'a sign-in did not end well');
  return page({ kind: 'SignInFailed', reason, startAgain }, cookies);
}
