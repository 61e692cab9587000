// What every step of a sign-in works with, and the few things that most of them do.
import { sessionCookieName } from './authority.ts';
import type { Answer, OwnRequest } from './authority.ts';
import { currentSession } from './current.ts';
import type { CurrentSession } from './current.ts';
import type { Workloads } from './bearer/workloads.ts';
import { decodeTicket, encodeTicket, endSessionCookie, sessionCookie } from './cookie.ts';
import type { Ticket } from './cookie.ts';
import { isAuthenticationHost } from './place.ts';
import type { Provider } from './provider.ts';
import type { Refresher } from './refresh.ts';
import type { Page } from '../model/page.ts';
import type { ClassSettings, KeyRing } from '../model/settings.ts';
import type { Store } from '../sessions/store.ts';
import type { Logger, Metrics } from '../telemetry.ts';

/** All that a step needs, at one moment. */
export interface Desk {
  readonly store: Store;
  readonly settings: ClassSettings;
  readonly ring: KeyRing;
  readonly provider: (name: string | undefined) => Provider | undefined;
  /** Absent: there is no cluster whose workloads could have tokens. */
  readonly workloads?: Workloads;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly refresher: Refresher;
  /** When the step began, milliseconds since the epoch. */
  readonly now: number;
  /** For what takes longer than a moment. */
  readonly clock: () => number;
}

/** A session that this browser has on this host, with the ticket that opened it. */
export interface HeldSession extends CurrentSession {
  readonly ticket: Ticket;
}

// A browser holds one `__Host-` cookie of a name; whoever sends more cannot have the store asked for each.
const maxSessionCookies = 4;

/** @throws {StoreError} */
export async function heldSession(desk: Desk, request: OwnRequest): Promise<HeldSession | undefined> {
  const name = sessionCookieName(desk.settings.cookieName);
  const held = request.cookies.filter(([cookie]) => cookie === name);
  for (const [, value] of held.slice(0, maxSessionCookies)) {
    const ticket = decodeTicket(desk.ring, value, request.host, isAuthenticationHost(desk.settings, request.host));
    const full = ticket && (await currentSession(desk, ticket));
    if (ticket !== undefined && full !== undefined) return { ...full, ticket };
  }
  return undefined;
}

export function page(shownPage: Page, cookies: readonly string[] = []): Answer {
  return { kind: 'Page', page: shownPage, cookies };
}

/** The line that gives this browser its session on this host, until the session expires. */
export function giveSession(desk: Desk, ticket: Ticket, host: string, expiresAt: number): string {
  const value = encodeTicket(desk.ring, ticket, host, isAuthenticationHost(desk.settings, host));
  return sessionCookie(desk.settings, value, expiresAt - desk.now);
}

export function forgetSession(desk: Desk): string {
  return endSessionCookie(desk.settings);
}
