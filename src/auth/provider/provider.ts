// An identity provider, whatever it speaks: what is asked of it, and what it answers.
import type { Identity } from '../../model/identity.ts';
import type { ProviderSettings } from '../../model/settings.ts';
import type { Logger } from '../../telemetry.ts';
import type { Programs } from '../bearer/programs.ts';
import type { Person } from '../directories/directory.ts';
import type { CheckedCallback } from '../sign-in/login.ts';
import type { Membership } from '../directories/memberships.ts';
import { createGitHubProvider } from './github.ts';
import { createOidcProvider } from './oidc.ts';
import type { SigningOut } from './logout.ts';
import type { Tokens } from '../session/record.ts';
import type { SignedIn } from '../session/session.ts';

/** The values that tie one sign-in to its answer. All are random, 32 bytes, base64url. */
export interface Challenge {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** What is asked of a sign-in, where not just any will do. */
export interface Demand {
  /** The provider is to ask who it is, and not to take the person it knows already. */
  readonly somebodyElse?: boolean;
  /** The person must prove who they are, unless they did so within this time (OpenID Connect Core 1.0, section 3.1.2.1: max_age). */
  readonly withinSeconds?: number;
  /** Authentication context classes of which one is wanted, the preferred first (acr_values). */
  readonly acrValues?: readonly string[];
  /** The person must prove who they are, however lately they did. */
  readonly afresh?: boolean;
}

/** What is known of a session when its tokens are refreshed. */
export interface BeforeRefresh {
  /** The `sub` of the sign-in. */
  readonly subject: string;
  readonly identity: Identity;
  readonly tokens: Tokens;
}

export interface Refreshed {
  readonly identity: Identity;
  /** With the refresh token to use next: the new one, or the old one where none came. */
  readonly tokens: Tokens;
  /** Milliseconds since the epoch; absent where the provider does not say. */
  readonly tokensExpireAt?: number;
}

export interface ProviderOptions {
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface Provider {
  readonly settings: ProviderSettings;
  /** Where the browser goes to sign in. @throws {ProviderError} */
  authorizationUrl(redirectUri: string, challenge: Challenge, demand?: Demand): Promise<string>;
  /**
   * Exchanges the code. It takes only what {@link CheckedCallback} says: the state has been checked. With `withinSeconds`
   * it also wants the provider's word (`auth_time`) that the person proved who they are no longer ago.
   * @throws {ProviderError}
   */
  exchange(callback: CheckedCallback, now: number, withinSeconds?: number): Promise<SignedIn>;
  /**
   * Spends the refresh token: who the person is by now, and the tokens from here on. A group that is gone is gone. Before
   * the token is sent the provider must have answered something a moment ago, so that one that hangs is noticed first.
   * @throws {ProviderError} `unavailable`: the token was not spent. `unknown`: nobody can tell whether it was.
   */
  refresh(before: BeforeRefresh, now: number): Promise<Refreshed>;
  /** The groups of a person that its directory knows; absent: it has none, and tokens say all there is. */
  groupsOf?(person: Person): Promise<Membership>;
  /** Where the browser goes to sign out at the provider; `undefined` where it has no such place. @throws {ProviderError} */
  endSessionUrl(of: SigningOut, returnTo: string, state: string): Promise<string | undefined>;
  /** Gives the refresh token back, where that is possible and harms nothing else. @throws {ProviderError} */
  revoke?(tokens: Tokens): Promise<void>;
  /** Absent: it tells nobody when somebody signs out. */
  readonly signer?: TokenSigner;
  /** What becomes of tokens that programs bring; absent where none are taken. */
  readonly programs?: Programs;
  close(): Promise<void>;
}

/** A provider as the author of tokens that it sends us unasked. */
export interface TokenSigner {
  /** As the IdentityProvider object spells it. */
  readonly issuer: string;
  readonly clientId: string;
  /**
   * Checks that this provider signed a token with one of its published keys, and that it calls itself so, to the letter.
   * @throws {ProviderError} `invalid`: it did not. `unavailable`: its keys cannot be had.
   */
  verify(token: string, issuer: string): Promise<void>;
}

export function createProvider(settings: ProviderSettings, options: ProviderOptions): Provider {
  switch (settings.kind) {
    case 'OpenIDConnect':
      return createOidcProvider(settings, options);
    case 'GitHub':
      return createGitHubProvider(settings, options);
  }
}
