// What the data path asks of the `auth` role: the one interface between them, whether in one process or across a socket.
import type { Session } from '../model/identity.ts';
import type { Page } from '../model/page.ts';
import type { StepUp } from '../model/step-up.ts';

export type Opening = OpenedSession | RefusedToken | undefined;

/** A session opened for one host. */
export interface OpenedSession {
  readonly session: Session;
  /** Ask again after this moment, milliseconds since the epoch: the session may have ended, or say something else. */
  readonly renewAt: number;
}

/** What a request brings to say who is asking. */
export type Credential = { readonly kind: 'Cookie'; readonly value: string } | BearerCredential;

/** A token of `Authorization: Bearer` (RFC 6750), and by whom it may be told here who brings it. */
export interface BearerCredential {
  readonly kind: 'Bearer';
  readonly token: string;
  /** `https://app.example.com`, with the port where it is not the scheme's own: the audience of a workload's token. */
  readonly origin: string;
  /** IdentityProviders, and {@link workloadProvider} where workloads count. */
  readonly providers: readonly string[];
}

/** A token that is for us, and that we refuse: the sentence goes to its bearer (RFC 6750, section 3: error_description). */
export interface RefusedToken {
  readonly refused: string;
}

export function isRefused(opened: object): opened is RefusedToken {
  return 'refused' in opened;
}

/** What an assertion is about, beside the person and the host. */
export interface AssertionSubject {
  /** The route's id. The data path's word: `auth` knows no routes. */
  readonly route: string;
  /** Made for this one request; absent: for all of the session to this route, until the session is renewed. */
  readonly requestId?: string;
}

/** A request that `auth` answers itself: one of our own paths, or a navigation that must sign in first. */
export interface OwnRequest {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** As canonical as the route's: lower-case, with the port where the client gave one. */
  readonly authority: string;
  /** `authority` without the port. */
  readonly host: string;
  /** Canonical path, and the query with its `?` or empty. */
  readonly path: string;
  readonly query: string;
  /** Our own cookies only, in the order sent: name and value. */
  readonly cookies: readonly (readonly [string, string])[];
  /** `Origin` and `Sec-Fetch-Site`, for refusing forged posts. */
  readonly origin?: string;
  readonly fetchSite?: string;
  /** `Sec-Fetch-Dest`: what the browser wants the answer for. */
  readonly fetchDestination?: string;
  readonly contentType?: string;
  /** User-Agent, 256 letters at the most. */
  readonly device?: string;
  /** The client's, after trusted proxies. */
  readonly address?: string;
  /** A form's body, at most 16 KiB. */
  readonly body?: string;
  /** The providers whose sessions count on the route asked for, the default first; empty: those of the class. */
  readonly providers: readonly string[];
  /** Somebody is signed in, and must prove again who they are. */
  readonly stepUp?: StepUp;
}

export type Answer = { readonly cookies: readonly string[] } & (
  | { readonly kind: 'Redirect'; readonly status: 302 | 303; readonly location: string }
  | { readonly kind: 'Page'; readonly page: Page }
  /** Nothing to see, in a frame of one of these origins. */
  | { readonly kind: 'Frame'; readonly ancestors: readonly string[] }
  | { readonly kind: 'Json'; readonly status: number; readonly body: unknown; readonly maxAgeSeconds?: number }
);

export interface Authority {
  /**
   * Opens the session that a credential stands for, on one host. `undefined`: there is none (unknown, ended, of another
   * host, or nothing of ours at all: these cannot be told apart). A bearer token of ours that is not good is refused.
   * @throws {AuthorityError} with code `unavailable` when the store does not answer.
   */
  open(host: string, credential: Credential): Promise<Opening>;

  /**
   * The signed JWT (ES256, five minutes) that tells the application of a route who is asking. Asked with the
   * credential, so that nobody is vouched for who is not there; `undefined` where `open` would be.
   * @throws {AuthorityError} as `open` does.
   */
  assert(host: string, credential: Credential, subject: AssertionSubject): Promise<string | undefined>;

  /** Starts a sign-in that returns to exactly the URL of this request. */
  signIn(request: OwnRequest): Promise<Answer>;

  /** Answers one of our own paths. */
  respond(request: OwnRequest): Promise<Answer>;

  /** Calls back with the ids of sessions that have ended, as soon as they have; returns how to stop listening. */
  onEnded(listener: (sessionIds: readonly string[]) => void): () => void;

  /**
   * Calls back when such news may have been lost, every second for as long as that is so: whatever was opened before is to
   * be opened anew. Returns how to stop listening.
   */
  onDoubted(listener: () => void): () => void;
}

export class AuthorityError extends Error {
  readonly code: 'unavailable';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AuthorityError';
    this.code = 'unavailable';
  }
}

/** Paths under this prefix are ours on every protected host, and are never routed. */
export const ownPrefix = '/.sallyport/';

/** Where an application host publishes the keys that verify assertions. */
export const jwksPath = '/.well-known/sallyport/jwks.json';

/** The name of the session cookie, from the class's `cookie.name`. */
export function sessionCookieName(cookieName: string): string {
  return `__Host-${cookieName}`;
}

/** Whether a cookie is ours: such a cookie never reaches an application, and an application can never set one. */
export function isOwnCookie(name: string, cookieName: string): boolean {
  const ours = sessionCookieName(cookieName).toLowerCase();
  const given = name.trim().toLowerCase();
  return given === ours || given.startsWith(`${ours}-`);
}
