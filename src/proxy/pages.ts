// What each page of ours says, in words.
import type { StepUp } from '../model/step-up.ts';
import type { Page, SignInFailure, UpstreamFailure } from '../model/page.ts';
import { button, link } from './actions.ts';
import type { Action } from './actions.ts';
import { personFacts, sessionSection } from './person-facts.ts';

/** One of several things of a kind, with what can be done about it. */
export interface Entry {
  readonly title: string;
  readonly tag?: string;
  readonly detail: string;
  readonly action?: Action;
}

export interface Section {
  readonly title: string;
  readonly entries: readonly Entry[];
  readonly action?: Action;
}

/** Label and value; several values are a list. */
export type Fact = readonly [string, string | readonly string[]];

/** A page in words, before it is HTML or JSON. */
export interface Description {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** What a person does next; a program is not told. */
  readonly advice?: string;
  readonly actions?: readonly Action[];
  readonly facts?: readonly Fact[];
  readonly section?: Section;
  readonly retryAfterSeconds?: number;
  readonly allow?: readonly string[];
  /** Where the page leads by itself. */
  readonly goOn?: string;
}

/**
 * Of a page that says who somebody is: 203 (RFC 9110, section 15.3.4), which to a reader is 200. Chromium keeps a page that
 * was left alive, in spite of no-store, only where its status is 200; so after a sign-out on another host, which no header
 * of ours there can reach, the back button asks us again. Measured with 156; `Clear-Site-Data` reaches one host alone.
 */
const notKept = 203;

const tryAgain = 'Please try again in a moment.';
const askForHelp = 'If it happens again, please tell the people who run this site.';

type PageOf<Kind extends Page['kind']> = Extract<Page, { kind: Kind }>;

const descriptions: { readonly [Kind in Page['kind']]: (page: PageOf<Kind>) => Description } = {
  BadRequest: ({ detail }) => ({
    status: 400,
    title: 'This request cannot be read',
    detail,
    advice: 'Please check the address, or go back and try again.',
  }),
  NoSuchHost: () => ({
    status: 404,
    title: 'Nothing here',
    detail: 'There is no application under this host name.',
    advice: 'Please check the address for typing mistakes.',
  }),
  NoSuchPath: () => ({
    status: 404,
    title: 'Nothing here',
    detail: 'There is no page at this address.',
    advice: 'Please check the address for typing mistakes.',
  }),
  MethodNotAllowed: ({ allow }) => ({
    status: 405,
    title: 'This does not work here',
    detail: 'This address does not take requests of this kind.',
    advice: 'Please go back and try again.',
    allow,
  }),
  Refused: ({ person, somebodyElse, contact, rule }) => ({
    status: 403,
    title: 'You may not use this',
    detail:
      person === undefined
        ? 'This page is not open to you.'
        : `You are signed in as ${person}, and this page is not open to you.`,
    ...(contact === undefined && { advice: 'If you need it, please ask the people who run this site.' }),
    ...((contact ?? rule) !== undefined && {
      facts: [
        ...(rule === undefined ? [] : [['Because', rule] as const]),
        ...(contact === undefined ? [] : [['Whom to ask', contact] as const]),
      ],
    }),
    ...(somebodyElse !== undefined && { actions: [link('Sign in as somebody else', somebodyElse)] }),
  }),
  SignInNeeded: ({ signIn, stepUp }) => ({
    status: 401,
    title: stepUp === undefined ? 'Please sign in' : 'Please sign in again',
    detail: stepUp === undefined ? 'You need to sign in to go on.' : askedAgain(stepUp),
    advice: 'If you were sending a form, it has not arrived: please send it again once you have signed in.',
    actions: [link('Sign in', signIn)],
  }),
  TokenRefused: ({ reason }) => ({ status: 401, title: 'This token is not accepted', detail: reason }),
  ChooseProvider: ({ choices, instead }) => ({
    status: 200,
    title: 'How do you want to sign in?',
    detail:
      instead === undefined
        ? 'Your choice is remembered in this browser.'
        : `You are signed in as ${instead.person} with ${instead.provider}, which does not count here.`,
    ...(instead && { advice: 'Signing in below ends that sign-in.' }),
    actions: choices.map(({ label, url }) => link(`Sign in with ${label}`, url)),
  }),
  SignInFailed: ({ reason, startAgain, otherWay }) => ({
    status: 400,
    ...signInFailures[reason],
    actions: [link('Sign in again', startAgain), ...inAnotherWay(otherWay)],
  }),
  SignedIn: ({ goOn }) => ({
    status: 200,
    title: 'You are signed in',
    detail: 'The application opens in a moment.',
    actions: [link('Go on', goOn)],
    goOn,
  }),
  WhoAmI: ({ identity, signOut, sessions, endSessions }) => ({
    status: notKept,
    // A provider may send a name that is empty.
    title: [identity.name, identity.email].find((name) => name?.trim()) ?? identity.user,
    detail: 'You are signed in.',
    facts: personFacts(identity),
    ...(sessions !== undefined && endSessions !== undefined && { section: sessionSection(sessions, endSessions) }),
    actions: [button('Sign out', signOut)],
  }),
  ConfirmSignOut: ({ person, signOut }) => ({
    status: notKept,
    title: 'Sign out?',
    detail: `You are signed in as ${person}.`,
    advice: 'You will be signed out of every application here, in this browser.',
    actions: [button('Sign out', signOut)],
  }),
  SignedOut: ({ signIn }) => ({
    status: 200,
    title: 'You are signed out',
    detail: 'Others use this computer too? Then please close all windows of the browser as well.',
    actions: [link('Sign in again', signIn)],
  }),
  InsecureTransport: () => ({
    status: 403,
    title: 'This connection is not encrypted',
    detail: 'Signing in needs an address that begins with https.',
    // Promise 16: the browser may be on https while we are told otherwise, which only the operator can mend.
    advice:
      'If yours does already, please tell the people who run this site that its load balancer is not a trusted proxy.',
  }),
  NoProvider: () => ({
    status: 503,
    title: 'Nobody can sign in here yet',
    detail: 'Signing in has not been set up for this application.',
    advice: 'Please tell the people who run this site.',
  }),
  ProviderUnavailable: ({ retryAfterSeconds, otherWay }) => ({
    status: 503,
    title: 'Signing in is not possible right now',
    detail: 'The service that signs people in does not answer.',
    advice: tryAgain,
    retryAfterSeconds,
    actions: inAnotherWay(otherWay),
  }),
  StoreUnavailable: ({ retryAfterSeconds }) => ({
    status: 503,
    title: 'We cannot tell who you are right now',
    detail: 'If you were signed in, you still are.',
    advice: tryAgain,
    retryAfterSeconds,
  }),
  UpstreamUnavailable: ({ reason }) => ({
    ...upstreamFailures[reason],
    title: 'The application does not answer',
    advice: `${tryAgain} ${askForHelp}`,
  }),
  Maintenance: ({ message, retryAfterSeconds }) => ({
    status: 503,
    title: 'Closed for maintenance',
    detail: message ?? 'This application is being worked on, and will be back.',
    ...(message === undefined && { advice: 'Please try again later.' }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  }),
  Misconfigured: () => ({
    status: 500,
    title: 'This address is set up wrongly',
    detail: 'There is no way from here to the application.',
    advice: 'Please tell the people who run this site.',
  }),
  InternalError: () => ({
    status: 500,
    title: 'Something went wrong',
    detail: 'The fault is ours, not yours.',
    advice: `${tryAgain} ${askForHelp}`,
  }),
};

export function describePage(page: Page): Description {
  // Each kind has its own; TypeScript cannot follow that the key and the page belong together.
  return (descriptions[page.kind] as (page: Page) => Description)(page);
}

function inAnotherWay(url: string | undefined): readonly Action[] {
  return url === undefined ? [] : [link('Sign in another way', url)];
}

function askedAgain({ acrValues, methods }: StepUp): string {
  const isOld = acrValues === undefined && methods === undefined;
  return `This needs a more ${isOld ? 'recent' : 'secure'} sign-in than yours: please prove once more who you are.`;
}

const signInFailures: Readonly<Record<SignInFailure, Pick<Description, 'title' | 'detail' | 'advice'>>> = {
  Expired: {
    title: 'This sign-in has expired',
    detail: 'It took too long, was used already, or began in another browser.',
  },
  Denied: {
    title: 'You were not signed in',
    detail: 'The sign-in was cancelled or turned down.',
    advice: 'If that was not you, please tell the people who run this site.',
  },
  Invalid: {
    title: 'You were not signed in',
    detail: 'We could not make sure that it is you.',
    advice: `Please sign in once more. ${askForHelp}`,
  },
  TooWeak: {
    title: 'This needs a more secure sign-in',
    detail: 'You have signed in, but not in the way that is asked for here, such as with a second factor.',
    advice: 'What you were signed in to before is as it was. You may need to set up a second factor first.',
  },
};

const upstreamFailures: Readonly<Record<UpstreamFailure, { readonly status: number; readonly detail: string }>> = {
  NoEndpoints: { status: 503, detail: 'It is not running at the moment.' },
  ConnectFailed: { status: 502, detail: 'It could not be reached.' },
  ConnectTimeout: { status: 504, detail: 'It could not be reached in time.' },
  FirstByteTimeout: { status: 504, detail: 'It took too long to answer.' },
  Reset: { status: 502, detail: 'It broke off before it answered.' },
  AddressRefused: { status: 502, detail: 'It could not be reached.' },
  Invalid: { status: 502, detail: 'Its answer could not be understood.' },
};

export function isUpstreamFailure(outcome: string): outcome is UpstreamFailure {
  return Object.hasOwn(upstreamFailures, outcome);
}
