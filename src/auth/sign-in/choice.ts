// Which provider a sign-in goes to: the only one, the one that this browser's person chose before, or the one that they choose on a page.
import { ownPrefix } from '../authority.ts';
import type { Answer, OwnRequest } from '../authority.ts';
import { choiceCookieName, choiceValue } from '../cookie.ts';
import { heldSession, page } from '../desk.ts';
import type { Desk } from '../desk.ts';
import { failed, providerFailed } from './failure.ts';
import { flowCookies, heldFlows } from './flows.ts';
import { isLate, keepable, newChallenge, newFlowId, sealJourney, unsealJourney } from './login.ts';
import type { Flow, Journey } from './login.ts';
import { choicePath, signInAuthority, urlOn } from '../place.ts';
import type { Demand, Provider } from '../provider/provider.ts';
import { personOf } from '../session/record.ts';
import type { Page } from '../../model/page.ts';
import type { ProviderSettings } from '../../model/settings.ts';
import type { StepUp } from '../../model/step-up.ts';

/** A provider to which this browser was sent so long ago, and from which it has not come back, may be away. */
const unansweredMs = 10_000;

/** Goes on with a sign-in whose provider is still to be found. A page is shown where the person has something to say. */
export async function chooseProvider(desk: Desk, request: OwnRequest, journey: Journey): Promise<Answer> {
  const usable = usableProviders(desk, journey);
  const [first, ...others] = usable;
  if (first === undefined) return page({ kind: 'NoProvider' });
  const { somebodyElse, providers } = journey;
  const held = somebodyElse ? undefined : (await heldSession(desk, request))?.session;
  // It would end here without a word, and another application's sign-in would end this one in turn.
  if (held !== undefined && !providers.includes(held.provider)) {
    const instead = { person: personOf(held.identity), provider: labelOf(desk, held.provider) };
    return choicePage(desk, request, journey, instead);
  }
  if (others.length === 0) return toProvider(desk, request, journey, first);
  const remembered = somebodyElse ? undefined : rememberedProvider(desk, request, usable);
  return remembered === undefined ? choicePage(desk, request, journey) : toProvider(desk, request, journey, remembered);
}

/** `/.sallyport/choose?journey=…&provider=…`: a person has chosen; without a provider, they want to. */
export async function chosenProvider(desk: Desk, request: OwnRequest): Promise<Answer> {
  const parameters = new URLSearchParams(request.query);
  const journey = unsealJourney(desk.ring, parameters.get('journey') ?? '', request.host);
  if (journey === undefined || isLate(journey, desk.now)) {
    const home = urlOn(request.scheme, request.authority, ownPrefix);
    return failed(desk, request, 'Expired', { startAgain: journey === undefined ? home : startOf(request, journey) });
  }
  const name = parameters.get('provider');
  const chosen = usableProviders(desk, journey).find(({ settings }) => settings.name === name);
  return chosen === undefined ? choicePage(desk, request, journey) : toProvider(desk, request, journey, chosen);
}

/** Where a sign-in is begun anew, on the host that wants it. */
export function startOf(
  { scheme, authority }: OwnRequest,
  { for: wanting, returnTo }: Pick<Journey, 'for' | 'returnTo'>,
): string {
  return wanting === undefined
    ? urlOn(scheme, authority, `${ownPrefix}sign-in?return=${encodeURIComponent(returnTo)}`)
    : urlOn(wanting.scheme, wanting.authority, `${ownPrefix}sign-in`);
}

function usableProviders(desk: Desk, { providers }: Journey): readonly Provider[] {
  return providers.flatMap((name) => desk.provider(name) ?? []);
}

/** The one that this browser's person signed in with last, unless it seems to be away: nobody is to be locked out by it. */
function rememberedProvider(desk: Desk, request: OwnRequest, usable: readonly Provider[]): Provider | undefined {
  const name = choiceCookieName(desk.settings);
  const values = new Set(request.cookies.filter(([cookie]) => cookie === name).map(([, value]) => value));
  const remembered = usable.find(({ settings }) => values.has(choiceValue(settings.name)));
  const isUnanswered = heldFlows(desk, request).some(
    ({ flow }) =>
      flow?.kind === 'Provider' && flow.provider === remembered?.settings.name && desk.now - flow.at > unansweredMs,
  );
  return isUnanswered ? undefined : remembered;
}

function choicePage(
  desk: Desk,
  request: OwnRequest,
  journey: Journey,
  instead?: Extract<Page, { kind: 'ChooseProvider' }>['instead'],
): Answer {
  const sealed = sealJourney(desk.ring, journey, request.host);
  const choices = usableProviders(desk, journey).map(({ settings: { name } }) => ({
    label: labelOf(desk, name),
    url: `${choicePath}?journey=${sealed}&provider=${encodeURIComponent(name)}`,
  }));
  return page({ kind: 'ChooseProvider', choices, ...(instead && { instead }) });
}

function labelOf(desk: Desk, name: string): string {
  return desk.provider(name)?.settings.displayName ?? name;
}

async function toProvider(desk: Desk, request: OwnRequest, journey: Journey, provider: Provider): Promise<Answer> {
  const { settings, store, ring, now } = desk;
  // A store that is away is noticed here, before the person has typed a password in vain (promise 11).
  await store.read('session', 'nobody');
  desk.admission.check();
  const flowId = newFlowId();
  const challenge = newChallenge(flowId);
  const callback = settings.authenticationHost === undefined ? `${ownPrefix}callback` : '/oauth2/callback';
  const redirectUri = urlOn(request.scheme, signInAuthority(settings, request), callback);
  const { stepUp, for: wanting, somebodyElse } = journey;
  const isChosen = usableProviders(desk, journey).length > 1;
  const flow: Flow = {
    kind: 'Provider',
    provider: provider.settings.name,
    ...(isChosen && { isChosen }),
    challenge,
    redirectUri,
    ...(wanting && { for: wanting }),
    ...(stepUp && { stepUp }),
    returnTo: keepable(journey.returnTo, stepUp),
    at: now,
  };
  try {
    const demand = { somebodyElse, ...(stepUp && demandOf(provider.settings, stepUp)) };
    const location = await provider.authorizationUrl(redirectUri, challenge, demand);
    return { kind: 'Redirect', status: 302, location, cookies: flowCookies(desk, request, flowId, flow) };
  } catch (error) {
    const otherWay = `${choicePath}?journey=${sealJourney(ring, journey, request.host)}`;
    const startAgain = startOf(request, journey);
    return providerFailed(desk, request, error, { startAgain, ...(isChosen && { otherWay }) });
  }
}

/** A provider cannot be asked for methods by a standard: it is for the class that it calls them by, else simply again. */
function demandOf(settings: ProviderSettings, { withinSeconds, acrValues, methods }: StepUp): Demand {
  const known = settings.kind === 'OpenIDConnect' ? (settings.acrForMethods ?? {}) : {};
  const classes =
    acrValues ?? methods?.flatMap((method) => (Object.hasOwn(known, method) ? (known[method] ?? []) : []));
  const asksFor = classes !== undefined && classes.length > 0;
  return {
    ...(withinSeconds !== undefined && { withinSeconds }),
    ...(asksFor && { acrValues: classes }),
    ...(methods !== undefined && !asksFor && { afresh: true }),
  };
}
