// Settings as roles receive them: what a class's Sallyport object and its providers mean, with defaults filled in.
import type { Redacted } from './diagnostic.ts';
import type { DirectorySettings } from './directory-settings.ts';
import type { DefaultAccess } from './policy.ts';
import { tlsCiphers } from './tls-spec.ts';

export type HeaderPreset = 'Sallyport' | 'Pomerium' | 'OAuth2Proxy' | 'GoogleIAP' | 'CloudflareAccess';

/** Whether one assertion serves the requests of a session to a route for a minute, or each request has its own. */
export type AssertionUse = 'Shared' | 'PerRequest';

/** What the data path needs to know of its class. No secrets. */
export interface ClassSettings {
  /** `host` or `host:port`, lower-case; absent: each host signs in for itself. */
  readonly authenticationHost?: string;
  /** Without the `__Host-` prefix. */
  readonly cookieName: string;
  readonly cookieSameSite: 'Lax' | 'Strict' | 'None';
  /** CIDRs. */
  readonly trustedProxies: readonly string[];
  readonly identityHeaders: {
    readonly preset: HeaderPreset;
    readonly assertion: AssertionUse;
    readonly claims: Readonly<Record<string, string>>;
  };
  /** The `iss` of assertions; absent: made of the authentication host, or of the host asked for. */
  readonly assertionIssuer?: string;
  readonly defaultAccess: DefaultAccess;
  /** IdentityProviders of the routes whose policies name none, the default first. */
  readonly providers: readonly string[];
  readonly sessionLifetimeMs: number;
  readonly sessionIdleTimeoutMs?: number;
  /** Sessions one person may have at a time; absent: as many as they like. */
  readonly sessionsPerPerson?: number;
  /** After how long the provider is asked again who somebody is, where their token would hold longer. */
  readonly refreshIntervalMs: number;
  readonly outageGraceMs: number;
  readonly timeouts: { readonly firstByteMs: number; readonly connectMs: number; readonly idleMs: number };
  readonly tls: TlsSettings;
}

/** TLS towards clients. */
export interface TlsSettings {
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** By OpenSSL's names, the preferred first. */
  readonly ciphers: readonly string[];
}

/** Tokens of a provider's that programs may bring. */
export interface ProgramSettings {
  /** A token is taken where its `aud` holds one of these; at least one. */
  readonly audiences: readonly string[];
  /** The provider is asked about tokens that are no JWT (RFC 7662); absent: such tokens are nobody's. */
  readonly introspection?: { readonly requireAudience: boolean };
}

/** One identity provider, ready to talk to. */
export type ProviderSettings = OidcSettings | GitHubSettings;

/** An OpenID Connect provider. */
export interface OidcSettings {
  readonly kind: 'OpenIDConnect';
  readonly name: string;
  /** What people know it by; absent: its name. */
  readonly displayName?: string;
  readonly issuer: string;
  readonly allowInsecure: boolean;
  readonly clientId: string;
  readonly clientSecret?: Redacted<string>;
  /** Absent: by the client secret, in whichever way the provider takes it. */
  readonly clientAuthentication?: ClientAuthentication;
  /** Whether a sign-in is announced to the provider first (RFC 9126). `Auto`: where the provider requires it. */
  readonly pushedRequests: 'Auto' | 'Required' | 'Off';
  /** Tenants of a provider that is several; absent: it is one. */
  readonly tenants?: readonly string[];
  readonly scopes: readonly string[];
  readonly claims: ClaimPaths;
  readonly allowUnverifiedEmail: boolean;
  readonly authorizationParameters: Readonly<Record<string, string>>;
  /** PEM. */
  readonly ca?: string;
  readonly logoutAtProvider: boolean;
  /** What to ask for (`acr_values`) where a policy wants a method of signing in (`amr`). */
  readonly acrForMethods?: Readonly<Record<string, string>>;
  /** Absent: no token of this provider's is taken from a program. */
  readonly programs?: ProgramSettings;
  /** Where people's groups are asked for, beside those of the provider's tokens. */
  readonly directory?: DirectorySettings;
}

/** GitHub, which speaks OAuth 2.0 and no OpenID Connect. */
export interface GitHubSettings {
  readonly kind: 'GitHub';
  readonly name: string;
  /** What people know it by; absent: its name. */
  readonly displayName?: string;
  readonly clientId: string;
  readonly clientSecret: Redacted<string>;
  /** Where people sign in: an origin. */
  readonly webUrl: string;
  /** Where its API is: an origin. */
  readonly apiUrl: string;
  /** What comes before `/user`: empty, or `/api/v3` of GitHub Enterprise Server. */
  readonly restPath: string;
  /** What `user` of an identity is. */
  readonly userName: 'Id' | 'Login';
  /** Members of one of these alone may sign in; empty: everybody. */
  readonly organizations: readonly string[];
  /** PEM. */
  readonly ca?: string;
  /** Where people's groups are asked for, beside those of the provider's tokens. */
  readonly directory?: DirectorySettings;
}

/** How a client proves to the provider that it is itself. Keys and certificates are PEM. */
export type ClientAuthentication =
  | { readonly method: 'ClientSecretBasic' | 'ClientSecretPost' | 'None' }
  /** RFC 7523; with a certificate its thumbprint goes along. */
  | {
      readonly method: 'PrivateKeyJwt';
      readonly key: Redacted<string>;
      readonly keyId?: string;
      readonly certificate?: string;
    }
  /** RFC 8705. */
  | { readonly method: 'TlsClientAuth'; readonly key: Redacted<string>; readonly certificate: string };

/** Where claims hold what we need to know: the way to each, name by name. */
export interface ClaimPaths {
  readonly user: readonly string[];
  readonly email: readonly string[];
  readonly groups: readonly string[];
  /** At what to take apart a text that holds several groups; absent: a text is one group. */
  readonly groupsSeparator?: string;
}

/** A key of the ring: 32 random bytes from which every purpose derives its own, and a P-256 key that signs assertions. */
export interface RingKey {
  readonly id: string;
  readonly secret: Redacted<Uint8Array>;
  /** PKCS #8, PEM. */
  readonly signingKey: Redacted<string>;
  /** When it was added, and then when it was put first: milliseconds since the epoch. Absent: nobody knows. */
  readonly since?: number;
}

/** The first key seals and signs; all open and verify. */
export type KeyRing = readonly [RingKey, ...RingKey[]];

/** How to reach the Redis where sessions live. */
export interface RedisSettings {
  /** `redis://` or, over TLS, `rediss://`, with host, port and database; several for Cluster and Sentinel. No credentials. */
  readonly urls: readonly [string, ...string[]];
  readonly username?: Redacted<string>;
  readonly password?: Redacted<string>;
  /** PEM; absent: what Node.js trusts. */
  readonly ca?: string;
  readonly cluster: boolean;
  /** The name of the master that Sentinels watch; the URLs are then those of the Sentinels. */
  readonly sentinel?: string;
}

/** Sessions as Secrets of a namespace of their own. */
export interface SecretStoreSettings {
  readonly namespace: string;
  /** Sessions held at the most. */
  readonly max: number;
}

/** Where sessions live. */
export type StoreSettings =
  | { readonly type: 'Memory' }
  | ({ readonly type: 'Secret' } & SecretStoreSettings)
  | ({ readonly type: 'Redis' } & RedisSettings);

/** All that the `auth` role works from. */
export interface AuthoritySettings {
  readonly class: ClassSettings;
  readonly providers: readonly ProviderSettings[];
  /** Absent: it cannot be told now, and whichever store is open stays. */
  readonly store?: StoreSettings;
  /** Absent: the role makes one that lasts as long as the process. */
  readonly keyRing?: KeyRing;
}

export const defaultClassSettings: ClassSettings = {
  cookieName: 'sallyport',
  cookieSameSite: 'Lax',
  trustedProxies: [],
  identityHeaders: { preset: 'Sallyport', assertion: 'Shared', claims: {} },
  defaultAccess: 'Deny',
  providers: [],
  sessionLifetimeMs: 14 * 3_600_000,
  refreshIntervalMs: 3_600_000,
  outageGraceMs: 600_000,
  timeouts: { firstByteMs: 60_000, connectMs: 5_000, idleMs: 300_000 },
  tls: { minVersion: 'TLSv1.2', ciphers: tlsCiphers },
};
