// The steps of a sign-in, in the order in which a browser takes them: start, requested, provider's callback, code's callback.
import { ownPrefix } from '../authority.ts';
import type { Answer, OwnRequest } from '../authority.ts';
import { choiceCookie, endFlowCookie } from '../cookie.ts';
import type { Ticket } from '../cookie.ts';
import { giveSession, heldSession, page } from '../desk.ts';
import type { Desk } from '../desk.ts';
import { failed, providerFailed } from './failure.ts';
import { flowCookies, heldFlow } from './flows.ts';
import { bindingOf, checkCallback, isBoundTo, newCodeFlow, newFlowId, sealRequest, unsealRequest } from './login.ts';
import type { ProviderFlow, SignInReturn } from './login.ts';
import { endSurplus } from '../session/limit.ts';
import { isAuthenticationHost, urlOn } from '../place.ts';
import { createCode, takeCode } from './code.ts';
import { chooseProvider, startOf } from './choice.ts';
import { currentSession } from '../session/current.ts';
import { personOf } from '../session/record.ts';
import type { Origin } from '../session/record.ts';
import { createSession } from '../session/session.ts';
import type { SignedIn } from '../session/session.ts';
import { isStrong, meets } from '../../model/step-up.ts';

/**
 * Begins a sign-in that comes back to `returnTo`, a path and query on the request's host. On an application's host it
 * sends the browser to the authentication host, with a request that only that host can read; on the host that speaks with
 * providers, to one of them. `somebodyElse`: the person who is signed in was refused, and wants another account.
 */
export async function startSignIn(
  desk: Desk,
  request: OwnRequest,
  returnTo: string,
  somebodyElse = false,
): Promise<Answer> {
  const { settings, ring, now } = desk;
  const { scheme, authority, stepUp } = request;
  const providers = request.providers.length > 0 ? request.providers : settings.providers;
  if (!providers.some((name) => desk.provider(name))) return page({ kind: 'NoProvider' });
  const wanted = { providers, somebodyElse, ...(stepUp && { stepUp }), at: now };
  const { authenticationHost } = settings;
  if (authenticationHost === undefined || isAuthenticationHost(settings, request.host)) {
    return chooseProvider(desk, request, { ...wanted, returnTo });
  }
  const flowId = newFlowId();
  const flow = newCodeFlow(returnTo, now);
  const asked = { ...wanted, flow: flowId, scheme, authority, binding: bindingOf(flow.secret) };
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
  if (asked === undefined) {
    return failed(desk, request, 'Expired', { startAgain: urlOn(request.scheme, request.authority, ownPrefix) });
  }
  const { flow, scheme, authority, binding, providers, somebodyElse, stepUp } = asked;
  const wanting = { flow, scheme, authority, binding };
  const held = somebodyElse ? undefined : await heldSession(desk, request);
  if (held !== undefined && providers.includes(held.session.provider)) {
    const { session, ticket } = held;
    if (stepUp === undefined || meets(stepUp, session, session.identity, desk.now))
      return toApplication(desk, ticket, wanting, []);
  }
  const wanted = { providers, somebodyElse, ...(stepUp && { stepUp }), at: desk.now };
  return chooseProvider(desk, request, { ...wanted, for: wanting, returnTo: ownPrefix });
}

/** The provider's answer arrives: the state is checked, the code exchanged, the session made, the browser sent on. */
export async function providerCallback(desk: Desk, request: OwnRequest): Promise<Answer> {
  const { settings, now } = desk;
  const flowId = (new URLSearchParams(request.query).get('state') ?? '').split('.', 1)[0] ?? '';
  const flow = heldFlow(desk, request, flowId);
  if (flow?.kind !== 'Provider') {
    return failed(desk, request, 'Expired', { startAgain: urlOn(request.scheme, request.authority, ownPrefix) });
  }
  const done = [endFlowCookie(settings, flowId)];
  const startAgain = startOf(request, flow);
  const otherAccount = `${startAgain}${startAgain.includes('?') ? '&' : '?'}account=other`;
  const ways = { startAgain, ...(flow.isChosen === true && { otherWay: otherAccount }), cookies: done };
  const callback = checkCallback(flow, request.query);
  if (callback === undefined) return failed(desk, request, 'Expired', ways);
  const provider = desk.provider(flow.provider);
  if (provider === undefined) return page({ kind: 'NoProvider' }, done);
  let signedIn: SignedIn;
  try {
    signedIn = await provider.exchange(callback, now, flow.stepUp?.withinSeconds);
  } catch (error) {
    return providerFailed(desk, request, error, ways);
  }
  // Nothing has become of it: the session that there was stays, and nobody is sent round again.
  if (flow.stepUp !== undefined && !isStrong(flow.stepUp, signedIn.identity)) {
    return failed(desk, request, 'TooWeak', { ...ways, startAgain: otherAccount });
  }
  return beginSession(desk, request, flow, signedIn, done);
}

async function beginSession(
  desk: Desk,
  request: OwnRequest,
  flow: ProviderFlow,
  signedIn: SignedIn,
  done: readonly string[],
): Promise<Answer> {
  const { settings, store, ring, now } = desk;
  const before = await heldSession(desk, request);
  const ticket = await desk.admission.note(createSession(store, ring, signedIn, now, settings, originOf(request)));
  // A browser has one session: the one it had ends here, whoever's it was.
  if (before !== undefined) await store.remove('session', before.ticket.id);
  await endSurplus(desk, signedIn, ticket.id);
  const { provider, isChosen, returnTo } = flow;
  desk.metrics.signIns.inc({ outcome: 'Succeeded' });
  desk.log.info({ person: personOf(signedIn.identity), provider, session: ticket.id.slice(0, 8) }, 'signed in');
  const cookies = [
    ...done,
    giveSession(desk, ticket, request.host, now + settings.sessionLifetimeMs),
    ...(isChosen === true ? [choiceCookie(settings, provider)] : []),
  ];
  if (flow.for !== undefined) return toApplication(desk, ticket, flow.for, cookies);
  return arrive(desk, request, returnTo, cookies);
}

/** Sends the browser to the application's host with a one-time code for it. */
async function toApplication(
  desk: Desk,
  ticket: Ticket,
  { scheme, authority, flow, binding }: SignInReturn,
  cookies: readonly string[],
): Promise<Answer> {
  const code = await createCode(desk.store, desk.ring, { ticket, authority, binding }, desk.now);
  const location = urlOn(scheme, authority, `${ownPrefix}callback?flow=${flow}&code=${code}`);
  return { kind: 'Redirect', status: 303, location, cookies };
}

/** On an application's host: the one-time code is used up, and becomes this host's cookie in the browser that asked for it. */
export async function codeCallback(desk: Desk, request: OwnRequest): Promise<Answer> {
  const { settings, store, ring } = desk;
  const parameters = new URLSearchParams(request.query);
  const flowId = parameters.get('flow') ?? '';
  const flow = heldFlow(desk, request, flowId);
  if (flow?.kind !== 'Code')
    return failed(desk, request, 'Expired', { startAgain: startOf(request, { returnTo: '/' }) });
  const done = [endFlowCookie(settings, flowId)];
  const expired = () => failed(desk, request, 'Expired', { startAgain: startOf(request, flow), cookies: done });
  const grant = await takeCode(store, ring, parameters.get('code') ?? '');
  if (grant === undefined || grant.authority !== request.authority || !isBoundTo(grant.binding, flow.secret)) {
    return expired();
  }
  const full = await currentSession(desk, grant.ticket);
  if (full === undefined) return expired();
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
