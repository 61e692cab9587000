// What makes the test provider behave as one that people use, by that provider's public documentation.

/** One request to the token endpoint. */
export interface Asked {
  readonly grant: 'authorization_code' | 'refresh_token';
  /** Parameters of the authorization request that the sign-in began with. */
  readonly authorization: URLSearchParams;
}

export interface Profile {
  /** Its heading in docs/providers.md, whose manifest is tried with it. */
  readonly heading: string;
  /** How its name goes on after the host; where it is several, with {tenantid}. */
  readonly issuer: string;
  /** Members of the discovery document, over the test provider's; `undefined` takes one away. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** What an id token says of somebody in these groups, over the test provider's. */
  claims(groups: readonly string[]): Readonly<Record<string, unknown>>;
  userinfo(groups: readonly string[]): Readonly<Record<string, unknown>>;
  /** Members of the token endpoint's answer, over the test provider's; `undefined` takes one away. */
  answer?(asked: Asked): Readonly<Record<string, unknown>>;
  readonly rotates: boolean;
  /** What the authorization request must say. */
  readonly asks: Readonly<Record<string, string>>;
  /** Two groups by the names that they have there; the person will lose the second. Absent: it tells no groups. */
  readonly groups?: readonly [string, string];
  /** Who it is, as an application is told. */
  readonly person: { readonly user: string; readonly email?: string };
  /** Whether signing out leads through it. */
  readonly signsOut: boolean;
}
