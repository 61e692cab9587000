// What each page of ours says, in words.
import type { Page, PersonShown, SignInFailure, UpstreamFailure } from '../model/page.ts';

export interface Action {
  readonly label: string;
  readonly url: string;
  readonly method: 'get' | 'post';
}

/** A page in words, before it is HTML or JSON. */
export interface Description {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly actions?: readonly Action[];
  /** Label and value. */
  readonly facts?: readonly (readonly [string, string])[];
  readonly retryAfterSeconds?: number;
  readonly allow?: readonly string[];
  /** Where the page leads by itself. */
  readonly goOn?: string;
}

const link = (label: string, url: string): Action => ({ label, url, method: 'get' });
const button = (label: string, url: string): Action => ({ label, url, method: 'post' });

type PageOf<Kind extends Page['kind']> = Extract<Page, { kind: Kind }>;

const descriptions: { readonly [Kind in Page['kind']]: (page: PageOf<Kind>) => Description } = {
  BadRequest: ({ detail }) => ({ status: 400, title: 'This request cannot be read', detail }),
  NoSuchHost: () => ({
    status: 404,
    title: 'Nothing here',
    detail: 'No application is published under this host name.',
  }),
  NoSuchPath: () => ({ status: 404, title: 'Nothing here', detail: 'No application is published under this address.' }),
  MethodNotAllowed: ({ allow }) => ({
    status: 405,
    title: 'Method not allowed',
    detail: 'This address does not take this method.',
    allow,
  }),
  Refused: ({ person, somebodyElse }) => ({
    status: 403,
    title: 'You may not use this',
    detail:
      person === undefined
        ? 'This application does not let this request in.'
        : `You are signed in as ${person}, and this application does not let you in.`,
    ...(somebodyElse !== undefined && { actions: [link('Sign in as somebody else', somebodyElse)] }),
  }),
  SignInNeeded: ({ signIn }) => ({
    status: 401,
    title: 'Please sign in',
    detail: 'You need to sign in to use this application. If you sent a form, it was not delivered.',
    actions: [link('Sign in', signIn)],
  }),
  SignInFailed: ({ reason, startAgain }) => ({
    status: 400,
    ...signInFailures[reason],
    actions: [link('Sign in again', startAgain)],
  }),
  SignedIn: ({ goOn }) => ({
    status: 200,
    title: 'You are signed in',
    detail: 'The application opens in a moment.',
    actions: [link('Go on', goOn)],
    goOn,
  }),
  WhoAmI: ({ identity, signOut }) => ({
    status: 200,
    title: identity.name ?? identity.email ?? identity.user,
    detail: 'You are signed in.',
    facts: personFacts(identity),
    actions: [button('Sign out', signOut)],
  }),
  ConfirmSignOut: ({ person, signOut }) => ({
    status: 200,
    title: 'Sign out?',
    detail: `You are signed in as ${person}.`,
    actions: [button('Sign out', signOut)],
  }),
  SignedOut: ({ signIn }) => ({
    status: 200,
    title: 'You are signed out',
    detail: 'Your session has ended.',
    actions: [link('Sign in again', signIn)],
  }),
  InsecureTransport: () => ({
    status: 403,
    title: 'This connection is not encrypted',
    detail:
      'Signing in needs https. If a load balancer in front ends TLS, its address must be among the trusted proxies and it must send X-Forwarded-Proto.',
  }),
  NoProvider: () => ({
    status: 503,
    title: 'Nobody can sign in here yet',
    detail: 'No identity provider is set up for this application.',
  }),
  ProviderUnavailable: ({ retryAfterSeconds }) => ({
    status: 503,
    title: 'Signing in is not possible right now',
    detail: 'The identity provider does not answer. Please try again in a moment.',
    retryAfterSeconds,
  }),
  StoreUnavailable: ({ retryAfterSeconds }) => ({
    status: 503,
    title: 'Sessions cannot be read right now',
    detail: 'You have not been signed out. Please try again in a moment.',
    retryAfterSeconds,
  }),
  UpstreamUnavailable: ({ reason }) => ({ ...upstreamFailures[reason], title: 'The application does not answer' }),
  InternalError: () => ({
    status: 500,
    title: 'Something went wrong',
    detail: 'The fault is ours. The operator finds it under the request id below.',
  }),
};

export function describePage(page: Page): Description {
  // Each kind has its own; TypeScript cannot follow that the key and the page belong together.
  return (descriptions[page.kind] as (page: Page) => Description)(page);
}

const signInFailures: Readonly<Record<SignInFailure, { readonly title: string; readonly detail: string }>> = {
  Expired: {
    title: 'This sign-in has expired',
    detail: 'It took too long, was used already, or began in another browser.',
  },
  Denied: { title: 'You were not signed in', detail: 'The identity provider did not sign you in.' },
  Invalid: { title: 'You were not signed in', detail: "The identity provider's answer did not pass our checks." },
};

const upstreamFailures: Readonly<Record<UpstreamFailure, { readonly status: number; readonly detail: string }>> = {
  NoEndpoints: { status: 503, detail: 'It has no running instance.' },
  ConnectFailed: { status: 502, detail: 'No connection to it could be made.' },
  ConnectTimeout: { status: 504, detail: 'No connection to it could be made in time.' },
  FirstByteTimeout: { status: 504, detail: 'It did not begin to answer in time.' },
  Reset: { status: 502, detail: 'It broke off the connection before it answered.' },
  AddressRefused: { status: 502, detail: 'It is at an address where no application may be.' },
  Invalid: { status: 502, detail: 'Its answer is not valid HTTP.' },
};

export function isUpstreamFailure(outcome: string): outcome is UpstreamFailure {
  return Object.hasOwn(upstreamFailures, outcome);
}

function personFacts(person: PersonShown): readonly (readonly [string, string])[] {
  const when = (ms: number): string => new Date(ms).toUTCString();
  return [
    ['User', person.user],
    ...(person.email === undefined ? [] : [['E-mail', person.email] as const]),
    ['Groups', person.groups.length === 0 ? 'none' : person.groups.join(', ')],
    ['Signed in with', person.provider],
    ['Since', when(person.signedInAt)],
    ['Until', when(person.expiresAt)],
  ];
}
