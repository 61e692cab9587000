// A class's authority with a browser in front of it, no sockets between: cookies per host, redirects followed, writes to the store counted.
import assert from 'node:assert/strict';
import { isRefused, jwksPath, ownPrefix } from '../../src/auth/authority.ts';
import type { Answer, Credential, OpenedSession, OwnRequest } from '../../src/auth/authority.ts';
import { decodeTicket } from '../../src/auth/cookie.ts';
import { createKeyRing } from '../../src/auth/keys.ts';
import { createLocalAuthority } from '../../src/auth/local.ts';
import type { LocalAuthority } from '../../src/auth/local.ts';
import { readSession } from '../../src/auth/session/session.ts';
import { sessionOf } from '../../src/auth/session/session.ts';
import type { SessionBody } from '../../src/auth/session/record.ts';
import type { Session } from '../../src/model/identity.ts';
import type { Page, SignInFailure } from '../../src/model/page.ts';
import { defaultClassSettings } from '../../src/model/settings.ts';
import type { ClassSettings, KeyRing, ProviderSettings } from '../../src/model/settings.ts';
import { createMemoryStore } from '../../src/sessions/memory.ts';
import type { Store, StoredRecord } from '../../src/sessions/store.ts';
import { createLogger, createMetrics } from '../../src/telemetry.ts';

export const authHost = 'auth.example.com';
export const appHost = 'app.example.com';
export const otherHost = 'other.example.com';

/** What every provider of these tests is told to accept. */
export const redirectUris = [
  `https://${authHost}/oauth2/callback`,
  `https://${appHost}/.sallyport/callback`,
  `https://${otherHost}/.sallyport/callback`,
];
export const postLogoutRedirectUris = [authHost, appHost].map((host) => `https://${host}/.sallyport/signed-out`);

/** A clock that tests may put forward. */
export interface Clock {
  offsetMs: number;
}

/** A store that notes every write before it passes it on, and fails instead while `failure` is set. */
export interface WatchedStore {
  readonly store: Store;
  readonly writes: string[];
  readonly records: Map<string, StoredRecord>;
  failure?: Error;
}

function watchStore(inner: Store): WatchedStore {
  const records = new Map<string, StoredRecord>();
  const noteWrite = (what: string) => {
    if (watched.failure !== undefined) throw watched.failure;
    watched.writes.push(what);
  };
  const store: Store = {
    async create(record) {
      noteWrite(`create ${record.type}`);
      records.set(record.id, record);
      return inner.create(record);
    },
    async read(type, id) {
      if (watched.failure !== undefined) throw watched.failure;
      return inner.read(type, id);
    },
    async replace(record, revision) {
      noteWrite(`replace ${record.type}`);
      return inner.replace(record, revision);
    },
    async take(type, id) {
      noteWrite(`take ${type}`);
      return inner.take(type, id);
    },
    async remove(type, id) {
      noteWrite(`remove ${type}`);
      return inner.remove(type, id);
    },
    find: (type, name, value) => inner.find(type, name, value),
    page: (type, cursor) => inner.page(type, cursor),
    watch: (listener) => inner.watch(listener),
    close: () => inner.close(),
  };
  const watched: WatchedStore = { store, writes: [], records };
  return watched;
}

export interface HouseOptions {
  readonly providers: readonly ProviderSettings[];
  readonly settings?: Partial<ClassSettings>;
  /** `false`: each host signs in for itself. */
  readonly withAuthenticationHost?: boolean;
}

/** One class at work. */
export interface House {
  readonly authority: LocalAuthority;
  readonly settings: ClassSettings;
  readonly ring: KeyRing;
  readonly watched: WatchedStore;
  readonly clock: Clock;
  /** Every answer given so far. */
  readonly answers: Answer[];
  now(): number;
  close(): Promise<void>;
}

export function createHouse({ providers, settings = {}, withAuthenticationHost = true }: HouseOptions): House {
  const clock: Clock = { offsetMs: 0 };
  const now = () => Date.now() + clock.offsetMs;
  const inner = createMemoryStore({ now });
  const watched = watchStore(inner);
  const ring = createKeyRing();
  const answers: Answer[] = [];
  const classSettings: ClassSettings = {
    ...defaultClassSettings,
    ...(withAuthenticationHost && { authenticationHost: authHost }),
    providers: providers.slice(0, 1).map(({ name }) => name),
    ...settings,
  };
  const authority = createLocalAuthority({
    store: watched.store,
    settings: { class: classSettings, providers, keyRing: ring },
    log: createLogger('silent'),
    metrics: createMetrics(),
    now,
  });
  const noted = async (answer: Promise<Answer>) => {
    const given = await answer;
    answers.push(given);
    return given;
  };
  return {
    authority: {
      ...authority,
      signIn: (request) => noted(authority.signIn(request)),
      respond: (request) => noted(authority.respond(request)),
    },
    settings: classSettings,
    ring,
    watched,
    clock,
    answers,
    now,
    async close() {
      await authority.close();
      await inner.close();
    },
  };
}

interface HeldCookie {
  readonly value: string;
  readonly sameSite: string;
  readonly expiresAt: number;
}

/** A browser: what it holds, host by host, and where it has been. */
export interface Browser {
  readonly house: House;
  readonly jar: Map<string, Map<string, HeldCookie>>;
  /** Plays the provider: from an authorization URL to the URL that the browser is sent back to. */
  readonly atProvider: (url: URL) => Promise<URL>;
  readonly trail: string[];
}

export function createBrowser(house: House, atProvider: (url: URL) => Promise<URL>): Browser {
  return { house, jar: new Map(), atProvider, trail: [] };
}

/** A browser that holds what another one does, as a thief's would. */
export function copyOf(browser: Browser): Browser {
  const jar = new Map([...browser.jar].map(([host, cookies]) => [host, new Map(cookies)] as const));
  return { ...browser, jar, trail: [] };
}

export function cookiesFor(browser: Browser, host: string): Map<string, HeldCookie> {
  const known = browser.jar.get(host);
  if (known !== undefined) return known;
  const made = new Map<string, HeldCookie>();
  browser.jar.set(host, made);
  return made;
}

/** The value of this host's session cookie. */
export function sessionValue(browser: Browser, host: string): string {
  const held = cookiesFor(browser, host).get(`__Host-${browser.house.settings.cookieName}`);
  assert(held, `no session cookie on ${host}`);
  return held.value;
}

export function flowNames(browser: Browser, host: string): string[] {
  return [...cookiesFor(browser, host).keys()].filter((name) => name.includes('-flow-'));
}

/** A cookie of ours that is no session's. */
const isOther = (name: string) => name.includes('-flow-') || name.endsWith('-provider');

const siteOf = (host: string) => host.split('.').slice(-2).join('.');

/** The request that the data path would make of this URL. */
export function ownRequest(browser: Browser, url: URL, more: Partial<OwnRequest> = {}, crossSite = false): OwnRequest {
  const now = browser.house.now();
  const cookies = [...cookiesFor(browser, url.hostname)]
    .filter(([, { expiresAt, sameSite }]) => expiresAt > now && !(crossSite && sameSite === 'Strict'))
    .map(([name, { value }]) => [name, value] as const);
  return {
    method: 'GET',
    scheme: url.protocol === 'http:' ? 'http' : 'https',
    authority: url.host,
    host: url.hostname,
    path: url.pathname,
    query: url.search,
    cookies,
    providers: [],
    ...more,
  };
}

/** Keeps an answer's cookies as a browser would: RFC 6265bis, sections 4.1.3 and 5.7, refuse what is not as it should be. */
export function keepCookies(browser: Browser, host: string, lines: readonly string[]): void {
  const held = cookiesFor(browser, host);
  for (const line of lines) {
    const match =
      /^(__Host-[A-Za-z0-9-]+)=([A-Za-z0-9_.-]*); Path=\/; Max-Age=(\d+); Secure; HttpOnly; SameSite=(Lax|Strict|None)$/.exec(
        line,
      );
    assert(match, `not a cookie line of ours: ${line}`);
    const [, name = '', value = '', maxAge = '', sameSite = ''] = match;
    if (maxAge === '0') held.delete(name);
    // Browsers drop a larger cookie without a word.
    else if (name.length + value.length <= 4096) {
      held.set(name, { value, sameSite, expiresAt: browser.house.now() + Number(maxAge) * 1000 });
    }
  }
}

export const asCookie = (value: string): Credential => ({ kind: 'Cookie', value });

/** What the browser shows in the end. */
export type End =
  | { readonly kind: 'Application'; readonly url: string; readonly opened: OpenedSession }
  | { readonly kind: 'Page'; readonly url: string; readonly page: Page }
  | { readonly kind: 'Json'; readonly url: string; readonly status: number; readonly body: unknown }
  | { readonly kind: 'Frame'; readonly url: string; readonly ancestors: readonly string[] };

const maxSteps = 12;

/** One request to one of our hosts: what the data path would do with it. */
export async function visitOnce(
  browser: Browser,
  url: URL,
  more: Partial<OwnRequest> = {},
  crossSite = false,
): Promise<End | { readonly kind: 'Redirect'; readonly location: URL }> {
  const { authority, settings } = browser.house;
  const request = ownRequest(browser, url, more, crossSite);
  const isOurs =
    url.pathname.startsWith(ownPrefix) || url.pathname === jwksPath || url.host === settings.authenticationHost;
  if (!isOurs) {
    for (const [name, value] of request.cookies) {
      const opened = isOther(name) ? undefined : await authority.open(url.hostname, asCookie(value));
      if (opened !== undefined && !isRefused(opened)) return { kind: 'Application', url: url.href, opened };
    }
  }
  const answer = await (isOurs ? authority.respond(request) : authority.signIn(request));
  keepCookies(browser, url.hostname, answer.cookies);
  switch (answer.kind) {
    case 'Redirect':
      return { kind: 'Redirect', location: new URL(answer.location, url) };
    case 'Page':
      return { kind: 'Page', url: url.href, page: answer.page };
    case 'Frame':
      return { kind: 'Frame', url: url.href, ancestors: answer.ancestors };
    case 'Json':
      return { kind: 'Json', url: url.href, status: answer.status, body: answer.body };
  }
}

const isOurHost = (url: URL) => url.hostname.endsWith('.example.com');

/** Opens a URL and follows where it leads, through the provider where need be. */
export async function visit(browser: Browser, from: string | URL, more: Partial<OwnRequest> = {}): Promise<End> {
  let url = new URL(from);
  let crossSite = false;
  let first = more;
  for (let step = 0; step < maxSteps; step += 1) {
    browser.trail.push(url.href);
    if (!isOurHost(url)) {
      // Whatever comes back from another site is a navigation that began there: Strict cookies stay behind.
      crossSite = true;
      url = await browser.atProvider(url);
      continue;
    }
    const seen = await visitOnce(browser, url, first, crossSite);
    first = {};
    if (seen.kind === 'Page' && seen.page.kind === 'SignedIn') {
      // Our own page goes on by itself, from our own site.
      assert.equal(siteOf(new URL(seen.page.goOn).hostname), siteOf(url.hostname));
      crossSite = false;
      url = new URL(seen.page.goOn);
      continue;
    }
    if (seen.kind !== 'Redirect') return seen;
    url = seen.location;
  }
  throw new Error(`no end of redirects, the last to ${url.href}`);
}

/** Opens a URL and follows redirects up to the first that leads to a URL like this, which is not fetched. */
export async function visitUntil(browser: Browser, from: string | URL, wanted: RegExp): Promise<URL> {
  let url = new URL(from);
  for (let step = 0; step < maxSteps; step += 1) {
    if (wanted.test(url.href)) return url;
    if (isOurHost(url)) {
      const seen = await visitOnce(browser, url);
      assert(seen.kind === 'Redirect', `the way to ${String(wanted)} ended at ${JSON.stringify(seen)}`);
      url = seen.location;
    } else {
      url = await browser.atProvider(url);
    }
  }
  throw new Error(`no end of redirects, the last to ${url.href}`);
}

export const providerCallbackUrl = /\/(oauth2|\.sallyport)\/callback\?.*\bstate=/;
export const codeCallbackUrl = /\.sallyport\/callback\?flow=/;

/** The end of a sign-in that must have succeeded. */
export function assertArrived(end: End, url: string): OpenedSession {
  assert(end.kind === 'Application', `ended at ${JSON.stringify(end)}`);
  assert.equal(end.url, url);
  return end.opened;
}

/** The page to choose a provider from: what it says, and where each choice leads, by its label. */
export function assertChoice(end: End): { page: Extract<Page, { kind: 'ChooseProvider' }>; ways: Map<string, string> } {
  assert(end.kind === 'Page' && end.page.kind === 'ChooseProvider', `ended at ${JSON.stringify(end)}`);
  const { url, page } = end;
  return { page, ways: new Map(page.choices.map((choice) => [choice.label, new URL(choice.url, url).href])) };
}

/**
 * The end of an attack: the page that says so, with a way to start again that a person must click and that stays on our
 * own hosts. Anything else, a redirect to the provider above all, would be a loop.
 */
export function assertFailed(end: End, reason: SignInFailure = 'Expired'): string {
  assert(end.kind === 'Page', `ended at ${JSON.stringify(end)}`);
  assert(end.page.kind === 'SignInFailed', `ended at ${JSON.stringify(end.page)}`);
  assert.equal(end.page.reason, reason);
  const startAgain = new URL(end.page.startAgain);
  assert(isOurHost(startAgain) && startAgain.pathname.startsWith(ownPrefix), end.page.startAgain);
  return end.page.startAgain;
}

/** Nobody has a session on this host in this browser. */
export async function assertNoSession(browser: Browser, host: string): Promise<void> {
  for (const [name, { value }] of cookiesFor(browser, host)) {
    if (!isOther(name)) assert.equal(await browser.house.authority.open(host, asCookie(value)), undefined);
  }
}

/** The browser's session with its tokens, by the plain cookie of the authentication host. */
export async function fullSession(
  browser: Browser,
  host = authHost,
): Promise<SessionBody & { readonly session: Session }> {
  const { ring, watched, settings } = browser.house;
  const isAuthenticationHost = settings.authenticationHost === host;
  const ticket = decodeTicket(ring, sessionValue(browser, host), host, isAuthenticationHost);
  assert(ticket);
  const read = await readSession(watched.store, ring, ticket);
  assert(read);
  return { ...read.body, session: sessionOf(read) };
}
