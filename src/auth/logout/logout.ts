// Signing out: here at once, and at the provider by its end-session endpoint (OpenID Connect RP-Initiated Logout 1.0).
import { ownPrefix } from '../authority.ts';
import type { Answer, OwnRequest } from '../authority.ts';
import { forgetSession, heldRecord, page } from '../desk.ts';
import type { Desk } from '../desk.ts';
import { seal, unseal } from '../keys.ts';
import { signInAuthority, urlOn } from '../place.ts';
import { ProviderError } from '../provider/error.ts';
import { personOf } from '../session/record.ts';
import type { SessionBody } from '../session/record.ts';

const signOutPath = `${ownPrefix}sign-out`;

/** GET asks; POST does, when our own page sent it. */
export async function signOut(desk: Desk, request: OwnRequest): Promise<Answer> {
  const held = await heldRecord(desk, request);
  const { scheme, authority, method } = request;
  if (method === 'GET' || method === 'HEAD') {
    if (held === undefined) return page({ kind: 'SignedOut', signIn: `${ownPrefix}sign-in` }, [forgetSession(desk)]);
    return page({ kind: 'ConfirmSignOut', signOut: signOutPath, person: personOf(held.body.identity) });
  }
  if (method !== 'POST') return page({ kind: 'MethodNotAllowed', allow: ['GET', 'HEAD', 'POST'] });
  if (!isSameOrigin(request))
    return page({ kind: 'BadRequest', detail: 'A sign-out is taken from our own page alone.' });
  const home = urlOn(scheme, signInAuthority(desk.settings, request), `${ownPrefix}signed-out`);
  const state = seal(desk.ring, 'return', urlOn(scheme, authority, ''), home);
  const here: Answer = {
    kind: 'Redirect',
    status: 303,
    location: `${home}?state=${state}`,
    cookies: [forgetSession(desk)],
  };
  if (held === undefined) return here;
  const { id } = held.found.record;
  await desk.store.remove('session', id);
  desk.log.info({ person: personOf(held.body.identity), session: id.slice(0, 8) }, 'signed out');
  giveBack(desk, held.body);
  const location = await providerSignOut(desk, held.body, home, state);
  return location === undefined ? here : { ...here, location };
}

// Nobody waits for it: the session has ended here, and its record is gone with the token in it.
function giveBack(desk: Desk, { provider, tokens }: SessionBody): void {
  desk
    .provider(provider)
    ?.revoke?.(tokens)
    .catch((error: unknown) => desk.log.warn({ err: error, provider }, 'a refresh token could not be revoked'));
}

// A provider that is away keeps nobody signed in here.
async function providerSignOut(desk: Desk, of: SessionBody, home: string, state: string): Promise<string | undefined> {
  try {
    return await desk.provider(of.provider)?.endSessionUrl(of, home, state);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    desk.log.warn({ err: error }, 'signed out here, but not at the identity provider');
    return undefined;
  }
}

/** Where a signed-out browser ends: on the host that speaks with the provider, with a link to where it came from. */
export async function signedOut(desk: Desk, request: OwnRequest): Promise<Answer> {
  const home = urlOn(request.scheme, request.authority, `${ownPrefix}signed-out`);
  const state = new URLSearchParams(request.query).get('state') ?? '';
  const origin = unseal(desk.ring, 'return', state, home)?.toString();
  const signIn = origin === undefined ? `${ownPrefix}sign-in` : `${origin}${ownPrefix}sign-in`;
  // The session has ended on every host; this host's cookie is a leftover where it opens nothing any more.
  const left = (await heldRecord(desk, request)) === undefined ? [forgetSession(desk)] : [];
  return page({ kind: 'SignedOut', signIn }, left);
}

// Fetch metadata where the browser sends it (it does to every secure origin), else Origin. `Origin: null` is what a
// strict referrer policy makes of an honest post, so it cannot be asked for alone.
export function isSameOrigin({ fetchSite, origin, scheme, authority }: OwnRequest): boolean {
  if (fetchSite !== undefined) return fetchSite === 'same-origin';
  return origin === urlOn(scheme, authority, '');
}
