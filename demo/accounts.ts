// The people who can sign in at the demo's OpenID provider.

export interface Account {
  /** The provider's name for the person for good: the `sub` claim. */
  readonly sub: string;
  readonly email: string;
  readonly emailVerified: boolean;
  readonly name: string;
  readonly preferredUsername: string;
  readonly groups: readonly string[];
}

/** Everybody's password: the provider's own page says so. */
export const demoPassword = 'demo';

/** The accounts by `sub`, in a map of the caller's own: a test may change a person while the provider runs. */
export function demoAccounts(): Map<string, Account> {
  const accounts: readonly Account[] = [
    person('Ana', 'ana@example.com', ['engineering', 'staff']),
    person('Bob', 'bob@example.com', ['staff']),
    person('Eve', 'eve@example.org', []),
  ];
  return new Map(accounts.map((account) => [account.sub, account]));
}

function person(name: string, email: string, groups: readonly string[]): Account {
  const preferredUsername = name.toLowerCase();
  return { sub: `account-${preferredUsername}`, email, emailVerified: true, name, preferredUsername, groups };
}

/** The claims of an account. A person in no group has no `groups` claim at all, as at most providers. */
export function claimsOf(account: Account): { readonly sub: string; readonly [claim: string]: unknown } {
  return {
    sub: account.sub,
    email: account.email,
    email_verified: account.emailVerified,
    name: account.name,
    preferred_username: account.preferredUsername,
    ...(account.groups.length > 0 && { groups: account.groups }),
  };
}

/** How strongly a person can sign in, as `acr`: with the password, or with a one-time code as well. */
export const strengths = { password: 'urn:demo:password', twoFactors: 'urn:demo:two-factors' } as const;
