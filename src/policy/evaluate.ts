// May this request pass? All policies that govern a route, and the facts, into one Verdict, without allocating on the way.
import type { Access } from '../model/policy.ts';
import type { Decision, Facts, Verdict } from '../model/verdict.ts';
import { compileAccess } from './compile.ts';
import type { CompiledAccess, Opinions } from './compile.ts';
import { decide } from './decide.ts';
import { stepUpFor } from './step-up.ts';

// Nearly every verdict is one of these, and none of them is made for a request.
const decisions = ['Allow', 'Deny', 'Login'] as const satisfies Decision[];
const plain = new Map<Decision, Verdict>(decisions.map((decision) => [decision, { decision }]));
const tried = new Map<Decision, ReadonlyMap<Decision, Verdict>>(
  decisions.map((decision) => [decision, new Map(decisions.map((trial) => [trial, { decision, trial }]))]),
);

/** Decides one request. Whom nothing but their sign-in keeps out is asked for a better one. Never throws. */
export function evaluate(access: Access, facts: Facts): Verdict {
  const compiled = compileAccess(access);
  const { enforced, trial } = compiled;
  const decision = decide(compiled, enforced, facts);
  const stepUp = decision === 'Deny' ? stepUpFor(compiled, enforced, facts) : undefined;
  if (stepUp !== undefined) {
    return { decision: 'Login', stepUp, ...(trial && { trial: tryOut(compiled, trial, facts) }) };
  }
  const verdict = trial ? tried.get(decision)?.get(tryOut(compiled, trial, facts)) : plain.get(decision);
  return verdict ?? { decision };
}

function tryOut(compiled: CompiledAccess, trial: Opinions, facts: Facts): Decision {
  const decision = decide(compiled, trial, facts);
  return decision === 'Deny' && stepUpFor(compiled, trial, facts) !== undefined ? 'Login' : decision;
}
