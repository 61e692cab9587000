// What people and programs see of a replica while something is wrong, in words; each word that was seen once, in its order.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '../integration/client.ts';
import type { Answer, Client } from '../integration/client.ts';
import type { Replica } from '../replicas/replica.ts';
import { appUrl, ask, cookieOf, signOut, statusOf } from '../replicas/visitor.ts';

/** So many redirects a sign-in takes, and one that fails in the middle of trouble no more than these. */
const signInRedirects = 5;
const maxRedirects = 3;

export interface Seen {
  readonly words: string[];
  slowestMs: number;
}

/** Asks again and again until `over`, once at the least. */
export async function watch(visit: () => Promise<string>, everyMs: number, over: () => boolean): Promise<Seen> {
  const seen: Seen = { words: [], slowestMs: 0 };
  do {
    const began = performance.now();
    const word = await visit();
    seen.slowestMs = Math.max(seen.slowestMs, performance.now() - began);
    if (!seen.words.includes(word)) seen.words.push(word);
    await delay(everyMs);
  } while (!over());
  return seen;
}

/** A person whose browser has this session asks for a page. */
export async function visitWith(session: Client, { port }: Replica): Promise<string> {
  const client = createClient();
  for (const [host, jar] of session.cookies) client.cookies.set(host, new Map(jar));
  return visit(client, port);
}

/** A person who never was here asks for a page, and goes where they are sent. */
export function visitAsNewcomer({ port }: Replica, redirects = maxRedirects): Promise<string> {
  return visit(createClient(), port, redirects);
}

async function visit(client: Client, port: number, redirectsAllowed = maxRedirects): Promise<string> {
  const answer = await client.visit(appUrl(port)).catch(() => undefined);
  const redirects = client.hops.length - 1;
  const succeeded = answer?.status === 200;
  assert.ok(redirects <= (succeeded ? signInRedirects : redirectsAllowed), `${redirects} redirects`);
  const isAtProvider = client.hops.at(-1)?.pathname === '/authorize';
  if (isAtProvider)
    return `sent to the provider, ${answer === undefined ? 'which is silent' : `which answers ${answer.status}`}`;
  if (answer === undefined) return 'no answer';
  const wasAtProvider = client.hops.some(({ pathname }) => pathname === '/authorize');
  if (succeeded) return wasAtProvider ? 'signs in' : 'served';
  return `${wordOf(answer)}${wasAtProvider ? ', after the provider' : ''}`;
}

/** A program without a session. */
export const visitAsProgram = ({ port }: Replica): Promise<string> => ask(port, '').then(wordOf, () => 'no answer');

/** Signs out at one replica, and looks whether the other knows within a second. */
export async function visitToSignOut(session: Client, here: Replica, there: Replica): Promise<string> {
  const cookie = cookieOf(session);
  const answer = await signOut(session, here.port).catch(() => undefined);
  if (answer === undefined) return 'no answer';
  if (answer.status !== 303) return wordOf(answer);
  const deadline = performance.now() + 1_000;
  while (performance.now() < deadline) {
    if ((await statusOf(there.port, cookie)) === 401) return 'signed out';
    await delay(20);
  }
  return 'signed out; served elsewhere';
}

function wordOf({ status, headers }: Answer): string {
  const retryAfter = headers['retry-after'];
  if (status === 200) return 'served';
  return `${status}${retryAfter === undefined ? '' : `, Retry-After ${retryAfter}`}`;
}
