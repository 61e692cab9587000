// A session as a record: what is sealed in it, by which keys, and what is told to whom.
import { z } from 'zod';
import type { Ticket } from '../cookie.ts';
import { asIndexed, ofIssuer } from './find.ts';
import { indexValue, parseSealed, seal, unseal } from '../keys.ts';
import type { Identity } from '../../model/identity.ts';
import type { KeyRing } from '../../model/settings.ts';
import type { StoredRecord } from '../../sessions/store.ts';

/** What the provider gave at sign-in. Tokens never leave the `auth` role. */
export interface Tokens {
  readonly idToken: string;
  readonly accessToken: string;
  readonly refreshToken?: string;
}

/** Where a session was begun, as the browser said it, and as the connection did. */
export interface Origin {
  /** User-Agent, 256 letters at the most. */
  readonly device?: string;
  /** The client's, after trusted proxies. */
  readonly address?: string;
}

const attemptSchema = z.object({ id: z.string(), at: z.number() });

const bodySchema = z.object({
  identity: z.object({
    user: z.string(),
    email: z.string().optional(),
    name: z.string().optional(),
    serviceAccount: z.string().optional(),
    groups: z.array(z.string()),
    claims: z.record(z.string(), z.unknown()),
  }),
  provider: z.string(),
  issuer: z.string(),
  subject: z.string(),
  providerSessionId: z.string().optional(),
  authenticatedAt: z.number(),
  startedAt: z.number(),
  /** When it ends however much it is used. */
  endsAt: z.number(),
  /** When the provider last said what stands here. */
  claimsAt: z.number(),
  /** Until when that is known to hold: the end of the access token. Absent: there is nothing to renew it with. */
  claimsUntil: z.number().optional(),
  tokens: z.object({ idToken: z.string(), accessToken: z.string(), refreshToken: z.string().optional() }),
  /** A refresh was begun with the refresh token that stands here; it may have been used up since. */
  attempt: attemptSchema.optional(),
  /** The provider took the same refresh token more than once: it does not rotate them. */
  keepsToken: z.boolean().optional(),
  device: z.string().optional(),
  address: z.string().optional(),
});

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };
type Body = Defined<z.infer<typeof bodySchema>>;

/** What only `auth` may see, and only with the browser's secret at hand. All times are milliseconds since the epoch. */
export interface SessionBody extends Readonly<Omit<Body, 'identity' | 'tokens'>> {
  readonly identity: Identity;
  readonly tokens: Tokens;
}

/** What the key ring opens without a browser: enough to find a session and to end it. */
export const listingSchema = z.object({
  person: z.string(),
  user: z.string(),
  provider: z.string(),
  device: z.string().optional(),
  address: z.string().optional(),
  createdAt: z.number(),
  usedAt: z.number(),
  refreshedAt: z.number().optional(),
});
export type Listing = z.infer<typeof listingSchema>;

export function openListing(ring: KeyRing, { id, listing }: StoredRecord): Listing | undefined {
  return parseSealed(listingSchema, unseal(ring, 'listing', listing, id));
}

/** `ana@example.com`, or the provider's name for whoever has no address. */
export function personOf({ email, user }: Identity): string {
  return email ?? user;
}

function indexOf([key]: KeyRing, body: SessionBody): Readonly<Record<string, string>> {
  const { identity, provider, issuer, subject, providerSessionId: sid } = body;
  return {
    person: indexValue(key, 'person', asIndexed(personOf(identity))),
    // Whoever has an address is found by the provider's name for them all the same.
    user: indexValue(key, 'user', identity.user),
    provider: indexValue(key, 'provider', provider),
    subject: indexValue(key, 'subject', ofIssuer(issuer, subject)),
    ...(sid !== undefined && { sid: indexValue(key, 'sid', ofIssuer(issuer, sid)) }),
  };
}

// The expiry stands in the clear, for the store to act on. Who can write to the store cannot put it off: the body opens no more.
const boundTo = (id: string, expiresAt: number) => `${id} ${expiresAt}`;

/** The record of a session, sealed under the ring's first key, whichever sealed it before. */
export function sealSession(
  ring: KeyRing,
  { id, secret }: Ticket,
  body: SessionBody,
  { expiresAt, usedAt }: { readonly expiresAt: number; readonly usedAt: number },
): StoredRecord {
  const { identity, provider, device, address, startedAt, claimsAt } = body;
  const listing: Listing = {
    person: personOf(identity),
    user: identity.user,
    provider,
    ...(device !== undefined && { device }),
    ...(address !== undefined && { address }),
    createdAt: startedAt,
    usedAt,
    ...(claimsAt > startedAt && { refreshedAt: claimsAt }),
  };
  return {
    type: 'session',
    id,
    index: indexOf(ring, body),
    listing: seal(ring, 'listing', JSON.stringify(listing), id),
    body: seal(ring, 'body', JSON.stringify(body), boundTo(id, expiresAt), secret),
    expiresAt,
  };
}

/** `undefined` where the secret is not the record's, or something in it was changed. */
export function openSession(ring: KeyRing, record: StoredRecord, secret: Uint8Array): SessionBody | undefined {
  const { id, body, expiresAt } = record;
  const opened = parseSealed(bodySchema, unseal(ring, 'body', body, boundTo(id, expiresAt), secret));
  if (opened === undefined) return undefined;
  const { identity, tokens, ...rest } = opened;
  return { ...withoutUndefined(rest), identity: withoutUndefined(identity), tokens: withoutUndefined(tokens) };
}

/** Drops keys that hold `undefined`: zod's optional fields against exactOptionalPropertyTypes. */
function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Defined<T>;
}
