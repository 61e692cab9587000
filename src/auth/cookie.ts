// Our cookies: what they are called, what they hold, and the Set-Cookie lines that make and end them.
import { createHash } from 'node:crypto';
import { sessionCookieName } from './authority.ts';
import { seal, unseal } from './keys.ts';
import type { ClassSettings, KeyRing } from '../model/settings.ts';

const idPattern = /^[A-Za-z0-9_-]{22}$/;
// 43 letters are 258 bits: the last one's spare two are zero, so that a secret has one spelling.
const secretPattern = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
// No cookie of ours is longer than this; what is longer is not ours, and costs nothing to refuse.
const maxLength = 4096;

/** What a session cookie holds: the record's id, and the secret without which the record's body stays shut. */
export interface Ticket {
  readonly id: string;
  /** 32 bytes. */
  readonly secret: Uint8Array;
}

/**
 * The cookie's value on one host. On the authentication host, where a session begins, it is `id.secret`; on any other it
 * is `id.` and the secret sealed for that host, so that a stolen one is worth nothing elsewhere.
 */
export function encodeTicket(ring: KeyRing, ticket: Ticket, host: string, isAuthenticationHost: boolean): string {
  const plain = Buffer.from(ticket.secret).toString('base64url');
  if (isAuthenticationHost) return `${ticket.id}.${plain}`;
  return `${ticket.id}.${seal(ring, 'host-cookie', ticket.secret, `${host} ${ticket.id}`)}`;
}

/** The ticket in `id.secret`; `undefined` for every other text. */
export function parseTicket(text: string): Ticket | undefined {
  const [id = '', secret = '', ...rest] = text.split('.', 3);
  if (rest.length > 0 || !idPattern.test(id) || !secretPattern.test(secret)) return undefined;
  return { id, secret: Buffer.from(secret, 'base64url') };
}

/** The ticket in a cookie that was made for this host; `undefined` for every other text. */
export function decodeTicket(
  ring: KeyRing,
  value: string,
  host: string,
  isAuthenticationHost: boolean,
): Ticket | undefined {
  if (value.length > maxLength) return undefined;
  if (isAuthenticationHost) return parseTicket(value);
  const dot = value.indexOf('.');
  const id = value.slice(0, dot);
  const rest = value.slice(dot + 1);
  if (!idPattern.test(id)) return undefined;
  const secret = unseal(ring, 'host-cookie', rest, `${host} ${id}`);
  return secret === undefined ? undefined : { id, secret };
}

/** The Set-Cookie line of a session. The browser forgets it when the session ends. */
export function sessionCookie(settings: ClassSettings, value: string, maxAgeMs: number): string {
  return line(sessionCookieName(settings.cookieName), value, settings.cookieSameSite, maxAgeMs);
}

export function endSessionCookie(settings: ClassSettings): string {
  return line(sessionCookieName(settings.cookieName), '', settings.cookieSameSite, 0);
}

/** The cookie of one sign-in under way: each has its own, so that tabs do not disturb each other. */
export function flowCookieName(settings: ClassSettings, flowId: string): string {
  return `${sessionCookieName(settings.cookieName)}-flow-${flowId}`;
}

// Always Lax: a sign-in comes back by a navigation from the provider's site, on which Strict cookies stay behind.
export function flowCookie(settings: ClassSettings, flowId: string, value: string, maxAgeMs: number): string {
  return line(flowCookieName(settings, flowId), value, 'Lax', maxAgeMs);
}

export function endFlowCookie(settings: ClassSettings, flowId: string): string {
  return line(flowCookieName(settings, flowId), '', 'Lax', 0);
}

/** The cookie that remembers where this browser's person signed in last, when they had a choice. */
export function choiceCookieName(settings: ClassSettings): string {
  return `${sessionCookieName(settings.cookieName)}-provider`;
}

const choiceLifetimeMs = 365 * 24 * 3_600_000;

/** Says nothing that the person could not choose themselves, and so is not sealed; hashed, for names may be long. */
export function choiceCookie(settings: ClassSettings, provider: string): string {
  return line(choiceCookieName(settings), choiceValue(provider), 'Lax', choiceLifetimeMs);
}

export function choiceValue(provider: string): string {
  return createHash('sha256').update(provider).digest('base64url').slice(0, 22);
}

// __Host-: no Domain, Path=/, Secure (RFC 6265bis, section 4.1.3.2): no other host can set it or see it.
function line(name: string, value: string, sameSite: string, maxAgeMs: number): string {
  return `${name}=${value}; Path=/; Max-Age=${Math.floor(maxAgeMs / 1000)}; Secure; HttpOnly; SameSite=${sameSite}`;
}
