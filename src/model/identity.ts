// Who is asking: an Identity, as a provider told it, and the Session it lives in.

/** A person, as the identity provider described them at sign-in or at the last refresh. */
export interface Identity {
  /** The provider's stable name for the person: the claim mapped to `user`, by default `sub`. */
  readonly user: string;
  /** Only an address that the provider says it has verified; lower-case domain. */
  readonly email?: string;
  readonly name?: string;
  /** A Kubernetes workload that asks with its own token, `namespace/name`; absent for people. */
  readonly serviceAccount?: string;
  readonly groups: readonly string[];
  /** There are others: they did not fit in a token, or a directory does not answer. What asks for groups cannot be judged. */
  readonly groupsUnknown?: true;
  /** The id token's and userinfo's claims, for `claim` criteria and claim headers. Never a token. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * What stands for the provider in a session of a Kubernetes workload: the group that Kubernetes puts every ServiceAccount
 * in. With its colon, no IdentityProvider can be named like it.
 */
export const workloadProvider = 'system:serviceaccounts';

/** An opened session, as the data path uses it: who, until when, and nothing that would let anybody be them elsewhere. */
export interface Session {
  readonly id: string;
  /** Name of the IdentityProvider that vouched. A session of one provider never satisfies a policy that names another. */
  readonly provider: string;
  readonly identity: Identity;
  /** When the person proved who they are, milliseconds since the epoch. */
  readonly authenticatedAt: number;
  /** When this session began, milliseconds since the epoch. */
  readonly startedAt: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}
