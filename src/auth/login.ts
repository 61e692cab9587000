// A sign-in from its start to its return: every step is sealed in the browser's own cookies, and nothing is stored before it has succeeded.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { parseSealed, seal, unseal } from './keys.ts';
import type { KeyRing } from '../model/settings.ts';
import type { Challenge } from './provider.ts';

/** How long a person may take over a sign-in. */
export const flowLifetimeMs = 600_000;

/** Sign-ins one browser may have under way on one host; past it the oldest is forgotten. Each costs a cookie. */
export const maxFlows = 6;

// Cookies over 4096 bytes are dropped by browsers without a word (RFC 6265bis, section 5.5), so a longer URL is not kept whole.
const maxReturnLength = 2_000;

const challengeSchema = z.object({ state: z.string(), nonce: z.string(), verifier: z.string() });

const requestSchema = z.object({
  flow: z.string(),
  scheme: z.enum(['http', 'https']),
  authority: z.string(),
  provider: z.string(),
  binding: z.string(),
  /** Whoever is signed in already is not wanted: the provider asks who it is. */
  somebodyElse: z.boolean(),
  /** How long ago the person may have proved who they are; absent: any sign-in will do. */
  withinSeconds: z.number().optional(),
  at: z.number(),
});

/** What an application's host asks of the authentication host: a session for one browser, to be delivered by a one-time code. */
export type SignInRequest = z.infer<typeof requestSchema>;

const flowSchema = z.discriminatedUnion('kind', [
  /** On an application's host: waits for the one-time code. */
  z.object({ kind: z.literal('Code'), secret: z.string(), returnTo: z.string(), at: z.number() }),
  /** On the host that speaks with the provider: waits for its callback, then answers `request` or returns to `returnTo`. */
  z.object({
    kind: z.literal('Provider'),
    provider: z.string(),
    challenge: challengeSchema,
    redirectUri: z.string(),
    request: requestSchema.optional(),
    withinSeconds: z.number().optional(),
    returnTo: z.string(),
    at: z.number(),
  }),
]);

/** A sign-in under way, as its cookie holds it. */
export type Flow = z.infer<typeof flowSchema>;
export type CodeFlow = Extract<Flow, { kind: 'Code' }>;
export type ProviderFlow = Extract<Flow, { kind: 'Provider' }>;

const random = () => randomBytes(32).toString('base64url');

/** Eight characters: enough to keep one browser's sign-ins apart, and short in a cookie's name. */
export const newFlowId = () =>
  randomBytes(6)
    .toString('base64url')
    .replaceAll(/[^A-Za-z0-9]/g, 'x');

export const isFlowId = (text: string) => /^[A-Za-z0-9]{8}$/.test(text);

/** The state names its flow, so that the callback finds the cookie that belongs to it among those of other tabs. */
export function newChallenge(flowId: string): Challenge {
  return { state: `${flowId}.${random()}`, nonce: random(), verifier: random() };
}

export function newCodeFlow(path: string, at: number): CodeFlow {
  return { kind: 'Code', secret: random(), returnTo: keepable(path), at };
}

/** The path and query to come back to, where they fit in a cookie; else the path alone, else the start page. */
export function keepable(returnTo: string): string {
  // As JSON, where a backslash or a quote takes two bytes.
  const fits = (text: string) => Buffer.byteLength(JSON.stringify(text)) <= maxReturnLength + 2;
  if (fits(returnTo)) return returnTo;
  const path = returnTo.split('?', 1)[0] ?? '/';
  return fits(path) ? path : '/';
}

/** What is told of a browser's secret to those who must recognise it later without ever holding it. */
export function bindingOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

export function isBoundTo(binding: string, secret: string): boolean {
  const expected = Buffer.from(binding);
  const given = Buffer.from(bindingOf(secret));
  return expected.length === given.length && timingSafeEqual(expected, given);
}

export function sealFlow(ring: KeyRing, flow: Flow, host: string, flowId: string): string {
  return seal(ring, 'flow', JSON.stringify(flow), `${host} ${flowId}`);
}

/** The flow that a cookie of this host holds, unless it is too old, or not ours. */
export function unsealFlow(ring: KeyRing, sealed: string, host: string, flowId: string, now: number): Flow | undefined {
  const flow = parseSealed(flowSchema, unseal(ring, 'flow', sealed, `${host} ${flowId}`));
  return flow !== undefined && now - flow.at < flowLifetimeMs ? flow : undefined;
}

export function sealRequest(ring: KeyRing, request: SignInRequest, authenticationHost: string): string {
  return seal(ring, 'request', JSON.stringify(request), authenticationHost);
}

export function unsealRequest(
  ring: KeyRing,
  sealed: string,
  authenticationHost: string,
  now: number,
): SignInRequest | undefined {
  const request = parseSealed(requestSchema, unseal(ring, 'request', sealed, authenticationHost));
  return request !== undefined && now - request.at < flowLifetimeMs ? request : undefined;
}

const checked = Symbol('checked');

/** A provider's callback whose state is that of a flow of this very browser. Only {@link checkCallback} makes one. */
export interface CheckedCallback {
  readonly [checked]: true;
  readonly url: URL;
  readonly challenge: Challenge;
}

/**
 * Checks a callback's state against the flow that this browser's cookie holds (RFC 6749, section 10.12). It comes before
 * anything is asked of the provider: an exchange takes nothing else.
 */
export function checkCallback(flow: ProviderFlow, query: string): CheckedCallback | undefined {
  const url = new URL(flow.redirectUri);
  url.search = query;
  const states = url.searchParams.getAll('state');
  const expected = Buffer.from(flow.challenge.state);
  const given = Buffer.from(states[0] ?? '');
  if (states.length !== 1 || given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  return { [checked]: true, url, challenge: flow.challenge };
}

/**
 * The path and query in a `return` parameter, made one that stays on the host it is appended to: it must begin with one
 * slash, and hold nothing that a browser could read as the start of a host.
 */
export function safeReturn(given: string | null): string {
  if (given === null || given.length > maxReturnLength) return '/';
  return /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(given) ? given : '/';
}
