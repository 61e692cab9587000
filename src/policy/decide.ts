// The decision itself: the opinions of all policies that govern a route on one request, into one word.
import type { CompiledAccess, Opinions } from './compile.ts';
import { holds, unauthenticated } from './truth.ts';
import type { Decision, Facts } from '../model/verdict.ts';

/**
 * First that holds: a policy that cannot be judged denies (its mode cannot be believed either, and signing in would not
 * help); a policy that asked who it is, and nobody is there, wants a sign-in; a deny refuses; an allow that does not hold
 * refuses; a grant lets in; nothing does, and the answer is no.
 */
export function decide({ isBroken, byDefault }: CompiledAccess, opinions: Opinions, facts: Facts): Decision {
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
