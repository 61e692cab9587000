// A sign-in from its start to its return: every step is sealed in the browser's own cookies, and nothing is stored before it has succeeded.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { parseSealed, seal, unseal } from '../keys.ts';
import type { KeyRing } from '../../model/settings.ts';
import { stepUp } from '../../model/step-up.ts';
import type { Challenge } from '../provider/provider.ts';

/** How long a person may take over a sign-in. */
export const flowLifetimeMs = 600_000;

/** Sign-ins one browser may have under way on one host; past it the oldest is forgotten. Each costs a cookie. */
export const maxFlows = 6;

// Cookies over 4096 bytes are dropped by browsers without a word (RFC 6265bis, section 5.5), so a longer URL is not kept whole.
const maxReturnLength = 2_000;

const challengeSchema = z.object({ state: z.string(), nonce: z.string(), verifier: z.string() });

/** What is wanted of a sign-in. */
const wanted = {
  /** Names of IdentityProviders, of which any will do; the default first. */
  providers: z.array(z.string()).readonly(),
  /** Whoever is signed in already is not wanted: the provider asks who it is. */
  somebodyElse: z.boolean(),
  /** Absent: any sign-in will do. */
  stepUp: stepUp.exactOptional(),
};

/** Where an application's host waits for a session. */
const returnSchema = z.object({
  flow: z.string(),
  scheme: z.enum(['http', 'https']),
  authority: z.string(),
  binding: z.string(),
});

const requestSchema = returnSchema.extend({ ...wanted, at: z.number() });

/** What an application's host asks of the authentication host: a session for one browser, to be delivered by a one-time code. */
export type SignInRequest = z.infer<typeof requestSchema>;
export type SignInReturn = z.infer<typeof returnSchema>;

/** On the host that speaks with providers: a sign-in before its provider is chosen, in the links to choose by. */
const journeySchema = z.object({
  ...wanted,
  /** The application's host that wants the session; absent: this host does. */
  for: returnSchema.exactOptional(),
  /** A path and query on this host, for when no other asked. */
  returnTo: z.string(),
  at: z.number(),
});
export type Journey = Readonly<z.infer<typeof journeySchema>>;

const flowSchema = z.discriminatedUnion('kind', [
  /** On an application's host: waits for the one-time code. */
  z.object({ kind: z.literal('Code'), secret: z.string(), returnTo: z.string(), at: z.number() }),
  /** On the host that speaks with the provider: waits for its callback, then delivers the session or returns to `returnTo`. */
  z.object({
    kind: z.literal('Provider'),
    provider: z.string(),
    /** The person had a choice, and it is remembered when it has led somewhere. */
    isChosen: z.literal(true).exactOptional(),
    challenge: challengeSchema,
    redirectUri: z.string(),
    for: returnSchema.exactOptional(),
    stepUp: stepUp.exactOptional(),
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

/**
 * The path and query to come back to, where they fit in a cookie beside what else it holds; else the path alone, else the
 * start page.
 */
export function keepable(returnTo: string, beside: object = {}): string {
  // As JSON, where a backslash or a quote takes two bytes.
  const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value)) - 2;
  const fits = (text: string) => bytesOf(text) + bytesOf(beside) <= maxReturnLength;
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

export function sealJourney(ring: KeyRing, journey: Journey, host: string): string {
  return seal(ring, 'journey', JSON.stringify(journey), host);
}

/** However old it is: `isLate` says whether it may still be gone on. */
export function unsealJourney(ring: KeyRing, sealed: string, host: string): Journey | undefined {
  return parseSealed(journeySchema, unseal(ring, 'journey', sealed, host));
}

export const isLate = ({ at }: Pick<Journey, 'at'>, now: number): boolean => now - at >= flowLifetimeMs;

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
