// Settings of a directory as the `auth` role receives them: which groups a person is in, where the provider's tokens do not say.
import type { Redacted } from './diagnostic.ts';

/** A key with which an application proves that it is itself (RFC 7523). */
export interface SigningKey {
  /** The `kid`, where there may be several. */
  readonly id?: string;
  /** RSA; PKCS #8 or PKCS #1, PEM. */
  readonly pem: Redacted<string>;
}

/** Every URL is an origin, without a path: `https://`, or `http://` of localhost in tests. */
export interface GoogleDirectory {
  readonly type: 'Google';
  readonly apiUrl: string;
  readonly tokenUrl: string;
  /** The service account's address. */
  readonly serviceAccount: string;
  readonly key: SigningKey;
  /** The administrator in whose name it asks; absent: the service account has a role of its own. */
  readonly administrator?: string;
}

export interface EntraDirectory {
  readonly type: 'Entra';
  readonly apiUrl: string;
  readonly tokenUrl: string;
  readonly tenant: string;
  readonly clientId: string;
  readonly clientSecret: Redacted<string>;
  readonly groupNames: 'Id' | 'DisplayName';
}

export interface OktaDirectory {
  readonly type: 'Okta';
  readonly apiUrl: string;
  readonly credential:
    | { readonly type: 'Token'; readonly token: Redacted<string> }
    | { readonly type: 'App'; readonly clientId: string; readonly key: SigningKey };
}

export interface GitHubDirectory {
  readonly type: 'GitHub';
  readonly apiUrl: string;
  /** What comes before `/user` and `/orgs`: empty, or `/api/v3` of GitHub Enterprise Server. */
  readonly restPath: string;
  readonly graphqlPath: string;
  readonly organizations: readonly string[];
  readonly credential:
    | { readonly type: 'Token'; readonly token: Redacted<string> }
    | { readonly type: 'App'; readonly appId: string; readonly key: SigningKey };
  /** PEM. */
  readonly ca?: string;
}

export type DirectorySettings = (GoogleDirectory | EntraDirectory | OktaDirectory | GitHubDirectory) & {
  /** How long what it said is believed. */
  readonly intervalMs: number;
};
