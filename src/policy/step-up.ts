// Which sign-in would let somebody in whom nothing but the age or the strength of theirs keeps out.
import { parseDuration } from '../model/duration.ts';
import type { Rule } from '../model/policy.ts';
import { meets } from '../model/step-up.ts';
import type { StepUp } from '../model/step-up.ts';
import type { Facts } from '../model/verdict.ts';
import type { CompiledAccess, Opinions } from './compile.ts';
import { decide } from './decide.ts';
import { criteriaOf } from './placed.ts';

/** What a sign-in may be asked for: it would promise this, and nothing else. */
interface Asking {
  readonly isFresh: boolean;
  /** All of them. */
  readonly methods: readonly string[];
  /** One of them; empty: none is asked for. */
  readonly acrValues: readonly string[];
}

/** What could be asked for to please some rules. */
export interface Askings {
  /** The least first. */
  readonly all: readonly Asking[];
  /** How young a sign-in must be at the most for every criterion that asks its age; absent: none does. */
  readonly freshWithinMs?: number;
}

// Each is tried on whoever is refused: with these, some hundred decisions at the most.
const maxAcrValues = 8;
const maxMethods = 4;
// They travel in the cookie of the sign-in, which has 4096 bytes for everything.
const maxLetters = 256;

/** RFC 6749, appendix A.4: what can stand in a list that spaces take apart, and in a quoted string of a challenge. */
const isToken = (text: string): boolean => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text);

/** What could be asked for to please these rules; undefined: their answer never hangs on how somebody signed in. */
export function askingsIn(rules: readonly Rule[]): Askings | undefined {
  const criteria = [...criteriaOf(rules)].map(({ criterion }) => criterion);
  const ages = criteria.flatMap(
    ({ authenticatedWithin, sessionAge }) => authenticatedWithin ?? sessionAge?.under ?? sessionAge?.over ?? [],
  );
  // A matcher's own order is kept, which is its author's preference; where the matchers stand makes no difference.
  const acrValues = few(
    criteria
      .flatMap(({ acr }) => (acr?.is === undefined ? [acr?.in ?? []] : [[acr.is]]))
      .toSorted((a, b) => (a.join(' ') < b.join(' ') ? -1 : 1))
      .flat(),
    maxAcrValues,
  );
  const methods = few(
    criteria.flatMap(({ authenticationMethod }) => authenticationMethod?.has ?? []).toSorted(),
    maxMethods,
  );
  if (ages.length + acrValues.length + methods.length === 0) return undefined;
  const isAged = ages.length > 0;
  return {
    all: [
      ...(isAged ? [{ isFresh: true, methods: [], acrValues: [] }] : []),
      ...strengths(false, acrValues, methods),
      ...(isAged ? strengths(true, acrValues, methods) : []),
    ],
    ...(isAged && { freshWithinMs: Math.min(...ages.map(parseDuration)) }),
  };
}

function few(texts: readonly string[], max: number): readonly string[] {
  const kept: string[] = [];
  for (const text of new Set(texts.filter(isToken))) {
    if (kept.length < max && [...kept, text].join(' ').length <= maxLetters) kept.push(text);
  }
  return kept;
}

function strengths(isFresh: boolean, acrValues: readonly string[], methods: readonly string[]): readonly Asking[] {
  const sets = [...methods.map((method) => [method]), ...(methods.length > 1 ? [methods] : [])];
  return [
    ...(acrValues.length === 0 ? [] : [{ isFresh, methods: [], acrValues }]),
    ...sets.map((set) => ({ isFresh, methods: set, acrValues: [] })),
    ...(acrValues.length === 0 ? [] : sets.map((set) => ({ isFresh, methods: set, acrValues }))),
  ];
}

/**
 * The least that a sign-in would have to be for somebody who is refused to be let in; undefined: there is none. A sign-in
 * is believed to bring nothing but what it is asked for, so that one step-up does not undo what another one achieved. And
 * whoever has all that could be asked for, and is refused all the same, is not asked: they would be sent round in a circle.
 */
export function stepUpFor(compiled: CompiledAccess, opinions: Opinions, facts: Facts): StepUp | undefined {
  const { session, identity, now } = facts;
  const { askings } = opinions;
  if (session === undefined || identity === undefined || askings === undefined) return undefined;
  let least: StepUp | undefined;
  for (const asking of askings.all) {
    const stepUp = sufficient(compiled, opinions, facts, asking);
    if (stepUp === undefined) continue;
    if (meets(stepUp, session, identity, now)) return undefined;
    least ??= stepUp;
  }
  if (least !== undefined || askings.freshWithinMs === undefined) return least;
  // What else it hangs on (CEL, a claim) cannot be asked for, but stays as it is where the person signs in the same way.
  const afresh = { ...facts, session: { ...session, authenticatedAt: now, startedAt: now } };
  return decide(compiled, opinions, afresh) === 'Allow'
    ? { withinSeconds: secondsOf(askings.freshWithinMs) }
    : undefined;
}

const secondsOf = (ms: number): number => Math.floor(ms / 1000);

function sufficient(
  compiled: CompiledAccess,
  opinions: Opinions,
  facts: Facts,
  { isFresh, methods, acrValues }: Asking,
): StepUp | undefined {
  const { session, identity, now } = facts;
  if (session === undefined || identity === undefined) return undefined;
  const allows = (acr?: string): boolean => {
    const claims = {
      ...withoutStrength(identity.claims),
      ...(methods.length > 0 && { amr: methods }),
      ...(acr !== undefined && { acr }),
    };
    return (
      decide(compiled, opinions, {
        ...facts,
        identity: { ...identity, claims },
        session: isFresh ? { ...session, authenticatedAt: now, startedAt: now } : session,
      }) === 'Allow'
    );
  };
  const good = acrValues.filter((acr) => allows(acr));
  if (acrValues.length === 0 ? !allows() : good.length === 0) return undefined;
  const withinMs = opinions.askings?.freshWithinMs ?? 0;
  return {
    ...(isFresh && { withinSeconds: secondsOf(withinMs) }),
    ...(good.length > 0 && { acrValues: good }),
    ...(methods.length > 0 && { methods }),
  };
}

function withoutStrength(claims: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => name !== 'acr' && name !== 'amr'));
}
