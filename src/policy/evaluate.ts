// May this request pass? All policies that govern a route, and the facts, into one Verdict, without allocating on the way.
import type { Access } from '../model/policy.ts';
import type { Decision, Facts, Verdict } from '../model/verdict.ts';
import { compileAccess } from './compile.ts';
import type { CompiledAccess, Opinions } from './compile.ts';
import { holds, unauthenticated } from './truth.ts';

// Nearly every verdict is one of these, and none of them is made for a request.
const decisions = ['Allow', 'Deny', 'Login'] as const satisfies Decision[];
const plain = new Map<Decision, Verdict>(decisions.map((decision) => [decision, { decision }]));
const tried = new Map<Decision, ReadonlyMap<Decision, Verdict>>(
  decisions.map((decision) => [decision, new Map(decisions.map((trial) => [trial, { decision, trial }]))]),
);

/**
 * Decides one request. First that holds: a policy that cannot be judged denies (its mode cannot be believed either, and
 * signing in would not help); a policy that asked who it is, and nobody is there, wants a sign-in; a deny refuses; an
 * allow that does not hold refuses; a grant lets in; nothing does, and the answer is no. Never throws.
 */
export function evaluate(access: Access, facts: Facts): Verdict {
  const compiled = compileAccess(access);
  const { enforced, trial } = compiled;
  const decision = decide(compiled, enforced, facts);
  if (decision === 'Deny' && isOnlyTooOld(compiled, enforced, facts)) {
    const stepUpSeconds = Math.floor((enforced.freshWithinMs ?? 0) / 1000);
    return { decision: 'Login', stepUpSeconds, ...(trial && { trial: tryOut(compiled, trial, facts) }) };
  }
  const verdict = trial ? tried.get(decision)?.get(tryOut(compiled, trial, facts)) : plain.get(decision);
  return verdict ?? { decision };
}

function tryOut(compiled: CompiledAccess, trial: Opinions, facts: Facts): Decision {
  const decision = decide(compiled, trial, facts);
  return decision === 'Deny' && isOnlyTooOld(compiled, trial, facts) ? 'Login' : decision;
}

/** Whether somebody is refused for nothing but the age of their sign-in: they would be let in after another. */
function isOnlyTooOld(compiled: CompiledAccess, opinions: Opinions, facts: Facts): boolean {
  const { session, now } = facts;
  if (opinions.freshWithinMs === undefined || session === undefined) return false;
  const afresh = { ...facts, session: { ...session, authenticatedAt: now, startedAt: now } };
  return decide(compiled, opinions, afresh) === 'Allow';
}

function decide({ isBroken, byDefault }: CompiledAccess, opinions: Opinions, facts: Facts): Decision {
  if (isBroken) return 'Deny';
  const signedIn = facts.identity !== undefined;
  let asks = byDefault && !signedIn;
  let refused = false;
  // The default lets in whoever a provider vouches for: a workload of the cluster needs a policy that names it.
  let granted = byDefault && facts.identity?.serviceAccount === undefined;
  for (const { allow, deny, mayGrant } of opinions.all) {
    if (deny !== undefined) {
      const truth = deny(facts);
      if ((truth & unauthenticated) !== 0) asks = true;
      if ((truth & holds) !== 0) refused = true;
    }
    if (allow !== undefined) {
      const truth = allow(facts);
      if ((truth & unauthenticated) !== 0) asks = true;
      if ((truth & holds) === 0) refused = true;
      else if (mayGrant) granted = true;
    }
  }
  if (asks) return 'Login';
  return granted && !refused ? 'Allow' : 'Deny';
}
