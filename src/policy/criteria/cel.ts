// cel: a CEL expression, for what the other criteria cannot say.
import { compileCel } from '../cel.ts';
import type { CelBindings } from '../cel.ts';
import { freshContent } from '../data-set.ts';
import { failed, truthOf, unauthenticated } from '../truth.ts';
import type { Compiling, Judge } from '../truth.ts';
import { spelling } from '../../model/claim-value.ts';
import type { DataSets } from '../../model/policy.ts';
import type { Facts } from '../../model/verdict.ts';

/** One that reads `user` or `session` is a criterion about the person: without a session it is not even tried. */
export function compileCelCriterion(expression: string, { against, dataSets }: Compiling): Judge | undefined {
  const compiled = compileCel(expression, Object.keys(dataSets));
  if ('mistake' in compiled) return undefined;
  const { readsIdentity, run } = compiled;
  const answer = (facts: Facts) => run(bindings(facts, dataSets));
  return {
    judge: (facts) => {
      if (readsIdentity && facts.identity === undefined) return unauthenticated;
      const result = answer(facts);
      return typeof result === 'boolean' ? truthOf(result) : against | failed;
    },
    reason: (yes) => (yes ? 'cel-ok' : 'cel-unauthorized'),
    see: (facts) => (readsIdentity && facts.identity === undefined ? undefined : answer(facts)),
  };
}

/** Getters, so that an expression which does not ask for the headers pays nothing for them. */
function bindings(facts: Facts, dataSets: DataSets): CelBindings {
  const { identity, session } = facts;
  return {
    now: facts.now,
    request: {
      method: facts.method,
      path: facts.path,
      host: facts.host,
      ip: facts.ip,
      get headers() {
        return new Map(facts.headers.entries().map(([name, values]) => [name, values.join(', ')]));
      },
      get query() {
        return Map.groupBy(new URLSearchParams(facts.query), ([name]) => name)
          .entries()
          .reduce(
            (all, [name, pairs]) =>
              all.set(
                name,
                pairs.map(([, value]) => value),
              ),
            new Map<string, string[]>(),
          );
      },
    },
    ...(identity && { user: identity }),
    ...(identity && session && { session: { ...session, ...strengthOf(identity.claims) } }),
    get data() {
      return Object.fromEntries(
        Object.entries(dataSets).flatMap(([name, dataSet]) => {
          const content = freshContent(dataSet, facts.now);
          return content === undefined ? [] : [[name, content]];
        }),
      );
    },
  };
}

function strengthOf(claims: Readonly<Record<string, unknown>>): {
  readonly acr?: string;
  readonly amr?: readonly string[];
} {
  const acr = Object.hasOwn(claims, 'acr') ? spelling(claims['acr']) : undefined;
  const amr = Object.hasOwn(claims, 'amr') ? claims['amr'] : undefined;
  return { ...(acr !== undefined && { acr }), ...(isTexts(amr) && { amr }) };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
