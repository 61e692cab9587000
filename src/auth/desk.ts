// What every step of a sign-in works with, and the few things that most of them do.
import { sessionCookieName } from './authority.ts';
import type { Answer, OwnRequest } from './authority.ts';
import { currentSession } from './session/current.ts';
import type { CurrentSession } from './session/current.ts';
import type { Workloads } from './bearer/workloads.ts';
import { decodeTicket, encodeTicket, endSessionCookie, sessionCookie } from './cookie.ts';
import type { Ticket } from './cookie.ts';
import { isAuthenticationHost } from './place.ts';
import type { Provider } from './provider/provider.ts';
import type { Admission } from './sign-in/admission.ts';
import type { Refresher } from './session/refresh.ts';
import { readSession } from './session/session.ts';
import type { ReadSession } from './session/session.ts';
import type { Page } from '../model/page.ts';
import type { ClassSettings, KeyRing } from '../model/settings.ts';
import type { Store } from '../sessions/store.ts';
import type { Logger, Metrics } from '../telemetry.ts';

/** All that a step needs, at one moment. */
export interface Desk {
  readonly store: Store;
  readonly settings: ClassSettings;
  readonly ring: KeyRing;
  readonly provider: (name: string) => Provider | undefined;
  readonly providers: () => readonly Provider[];
  /** Absent: there is no cluster whose workloads could have tokens. */
  readonly workloads?: Workloads;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly refresher: Refresher;
  readonly admission: Admission;
  /** When the step began, milliseconds since the epoch. */
  readonly now: number;
  /** For what takes longer than a moment. */
  readonly clock: () => number;
}

/** A session that this browser has on this host, with the ticket that opened it. */
export interface HeldSession extends CurrentSession {
  readonly ticket: Ticket;
}

/** After how long to try again what could not be done now. */
export const retryAfterSeconds = 5;

// A browser holds one `__Host-` cookie of a name; whoever sends more cannot have the store asked for each.
const maxSessionCookies = 4;

function heldTickets({ settings, ring }: Desk, { cookies, host }: OwnRequest): readonly Ticket[] {
  const name = sessionCookieName(settings.cookieName);
  return cookies
    .filter(([cookie]) => cookie === name)
    .slice(0, maxSessionCookies)
    .flatMap(([, value]) => decodeTicket(ring, value, host, isAuthenticationHost(settings, host)) ?? []);
}

/** @throws {StoreError} */
export async function heldSession(desk: Desk, request: OwnRequest): Promise<HeldSession | undefined> {
  for (const ticket of heldTickets(desk, request)) {
    const current = await currentSession(desk, ticket);
    if (current !== undefined) return { ...current, ticket };
  }
  return undefined;
}

/** The same as it stands in the store, with no word to its provider: enough to end it. @throws {StoreError} */
export async function heldRecord(desk: Desk, request: OwnRequest): Promise<ReadSession | undefined> {
  for (const ticket of heldTickets(desk, request)) {
    const read = await readSession(desk.store, desk.ring, ticket);
    if (read !== undefined) return read;
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
