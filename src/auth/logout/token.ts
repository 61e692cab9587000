// A logout token (OpenID Connect Back-Channel Logout 1.0, section 2.4): read, and held to each check of section 2.6 that needs no key.
import { z } from 'zod';

/** What it says; believed only once the provider that it names is seen to have signed it. */
export interface LogoutClaims {
  readonly issuer: string;
  readonly audience: readonly string[];
  /** One of the two at least. */
  readonly subject?: string;
  readonly providerSessionId?: string;
  /** The provider's name for this one token. */
  readonly jti: string;
  /** From when on its age alone refuses it, milliseconds since the epoch. */
  readonly goodUntil: number;
}

const eventName = 'http://schemas.openid.net/event/backchannel-logout';

// Section 4 asks for two minutes at the most; a token on its way is never older.
const maxAgeMs = 120_000;
const clockToleranceMs = 60_000;

// RFC 8725, section 3.11: where the type is said, it is this. `JWT` says no more than that it is one (RFC 7519, section 5.1);
// without one it is `events` that no other token has. An id token has none, and mostly a nonce.
const types: ReadonlySet<string> = new Set(['logout+jwt', 'application/logout+jwt', 'jwt']);

const headerSchema = z.object({
  typ: z
    .string()
    .refine((typ) => types.has(typ.toLowerCase()))
    .optional(),
});

const text = z.string().min(1).max(2048);

const claimsSchema = z.object({
  iss: text,
  aud: z.union([text, z.array(text).min(1).max(64)]),
  iat: z.number(),
  exp: z.number(),
  jti: text,
  events: z.object({ [eventName]: z.record(z.string(), z.unknown()) }),
  sub: text.optional(),
  sid: text.optional(),
  // Prohibited, so that no logout token passes for an id token, nor the other way round.
  nonce: z.never().optional(),
});

/** What is wrong with a token, for the provider's log. */
export interface LogoutFault {
  readonly fault: string;
}

/** @param now Milliseconds since the epoch. */
export function readLogoutToken(token: string, now: number): LogoutClaims | LogoutFault {
  const parts = token.split('.');
  const [header, payload] = parts.map(parsePart);
  if (parts.length !== 3 || header === undefined || payload === undefined) return fault('it is no signed JWT');
  if (!headerSchema.safeParse(header).success) return fault('its typ is not logout+jwt');
  const parsed = claimsSchema.safeParse(payload);
  if (!parsed.success)
    return fault(`its ${parsed.error.issues[0]?.path[0]?.toString() ?? 'payload'} is missing or wrong`);
  const { iss, aud, iat, exp, jti, sub, sid } = parsed.data;
  if (sub === undefined && sid === undefined) return fault('it has neither sub nor sid');
  if (iat * 1000 > now + clockToleranceMs) return fault('its iat is in the future');
  if (exp * 1000 <= now - clockToleranceMs) return fault('it has expired');
  const goodUntil = iat * 1000 + maxAgeMs + clockToleranceMs;
  if (goodUntil <= now) return fault('its iat is more than two minutes ago');
  return {
    issuer: iss,
    audience: typeof aud === 'string' ? [aud] : aud,
    ...(sub !== undefined && { subject: sub }),
    ...(sid !== undefined && { providerSessionId: sid }),
    jti,
    goodUntil,
  };
}

const fault = (what: string): LogoutFault => ({ fault: what });

function parsePart(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch {
    return undefined;
  }
}
