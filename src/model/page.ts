// What we say to a person ourselves, as a closed list; proxy/respond turns one into HTML, or into problem JSON for a program.
import type { StepUp } from './step-up.ts';

/** Where a link or a form button leads, always on a host of ours. */
type Url = string;

export type Page =
  | { readonly kind: 'BadRequest'; /** What is wrong with the request, for its author. */ readonly detail: string }
  | { readonly kind: 'NoSuchHost' }
  | { readonly kind: 'NoSuchPath' }
  | { readonly kind: 'MethodNotAllowed'; readonly allow: readonly string[] }
  | Refused
  /** A request that cannot be redirected without losing its body, or a page that wants a click before it starts a sign-in. */
  | {
      readonly kind: 'SignInNeeded';
      readonly signIn: Url;
      /** Signed in, but too long ago or too weakly. */ readonly stepUp?: StepUp;
    }
  /** A bearer token that is for us, and not good: `reason` goes into the challenge. */
  | { readonly kind: 'TokenRefused'; readonly reason: string }
  | ChooseProvider
  /** A sign-in that did not end well. `reason` is for the person; it holds nothing that the provider sent unasked. */
  | { readonly kind: 'SignInFailed'; readonly reason: SignInFailure; readonly startAgain: Url; readonly otherWay?: Url }
  /** Signed in, and on the way: goes on by itself (a meta refresh), where a redirect would leave a Strict cookie behind. */
  | { readonly kind: 'SignedIn'; readonly goOn: Url }
  | {
      readonly kind: 'WhoAmI';
      readonly identity: PersonShown;
      readonly signOut: Url;
      /** Where else they are signed in; absent where it cannot be told. */
      readonly sessions?: readonly OwnSession[];
      /** Where a form goes that ends one of them, or all. */
      readonly endSessions?: Url;
    }
  | { readonly kind: 'ConfirmSignOut'; readonly signOut: Url; readonly person: string }
  | { readonly kind: 'SignedOut'; readonly signIn: Url }
  /** A protected host over plain HTTP, where no cookie of ours would be kept (promise 16). */
  | { readonly kind: 'InsecureTransport' }
  /** Nobody can sign in: the class or the route has no usable identity provider. */
  | { readonly kind: 'NoProvider' }
  | { readonly kind: 'ProviderUnavailable'; readonly retryAfterSeconds: number; readonly otherWay?: Url }
  | { readonly kind: 'StoreUnavailable'; readonly retryAfterSeconds: number }
  | { readonly kind: 'UpstreamUnavailable'; readonly reason: UpstreamFailure }
  /** In the place of an application, by its operator's will and in their words. */
  | { readonly kind: 'Maintenance'; readonly message?: string; readonly retryAfterSeconds?: number }
  /** What the route asks for cannot be done with this request. */
  | { readonly kind: 'Misconfigured' }
  | { readonly kind: 'InternalError' };

/** Several providers would do, and the person says which. */
interface ChooseProvider {
  readonly kind: 'ChooseProvider';
  readonly choices: readonly { readonly label: string; readonly url: Url }[];
  /** Somebody is signed in with a provider that does not count here; that sign-in ends when another begins. */
  readonly instead?: { readonly person: string; readonly provider: string };
}

/** Not let in. */
interface Refused {
  readonly kind: 'Refused';
  /** An e-mail address or user name; absent where nobody is signed in. */
  readonly person?: string;
  readonly somebodyElse?: Url;
  /** Whom they may ask, as the policy says it: any text. */
  readonly contact?: string;
  /** The rule that refused, by its name, where its policy reveals it. */
  readonly rule?: string;
}

export type SignInFailure =
  /** The state or the one-time code is old, unknown, used, or of another browser. */
  | 'Expired'
  /** The provider said no, or the person did. */
  | 'Denied'
  /** The provider's answer failed a check. */
  | 'Invalid'
  /** A stronger sign-in was asked for, and the provider vouches for a weaker one. */
  | 'TooWeak';

export type UpstreamFailure =
  | 'NoEndpoints'
  | 'ConnectFailed'
  | 'ConnectTimeout'
  | 'FirstByteTimeout'
  | 'Reset'
  | 'AddressRefused'
  | 'Invalid';

export interface OwnSession {
  readonly id: string;
  /** In plain words. */
  readonly device: string;
  readonly address?: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly lastUsed: number;
  /** The one that asks. */
  readonly isThis: boolean;
}

export interface PersonShown {
  readonly user: string;
  readonly email?: string;
  readonly name?: string;
  readonly groups: readonly string[];
  /** There may be others. */
  readonly groupsUnknown?: true;
  readonly provider: string;
  /** Milliseconds since the epoch. */
  readonly signedInAt: number;
  readonly expiresAt: number;
}
