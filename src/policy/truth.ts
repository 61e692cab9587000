// What a criterion answers, as a number: the data path judges policies without allocating anything.
import type { DataSets } from '../model/policy.ts';
import type { Reason } from '../model/reason.ts';
import type { Facts } from '../model/verdict.ts';

/** Any combination of these bits; 0 is a plain no. */
export type Truth = number;

export const holds = 1;
/** It hangs on who the person is, and there is nobody: never together with `holds` before an operator inverts it. */
export const unauthenticated = 2;
/** It could not be judged. The answer beside it is the one that counts against the request. */
export const failed = 4;

export const truthOf = (yes: boolean): Truth => (yes ? holds : 0);

/** A criterion, compiled. */
export interface Judge {
  readonly judge: (facts: Facts) => Truth;
  readonly reason: (yes: boolean, facts: Facts) => Reason;
  /** What it looked at, for explanations; never asked for on the data path. */
  readonly see: (facts: Facts) => unknown;
}

/** What a criterion is compiled for. */
export interface Compiling {
  /**
   * What is answered about a value that the provider never gave (no verified address, no such claim) by `not`, `notIn` and
   * `exclude`, and by every matcher about what cannot be judged. Positive matchers are false of a missing value. Pomerium
   * answers true for an e-mail address and a claim, false for a domain (`get_user_email`, `object_get` and `split(…)[1]` in
   * its pkg/policy), so that each of them is a hole on one side: a missing address passes an allow of "not eve", a missing
   * domain escapes a deny of "not ours". Here absence always counts against the person, which is never wider than Pomerium.
   */
  readonly against: Truth;
  readonly dataSets: DataSets;
}

/** Against: false where truth lets in, true where truth refuses; the other way round under `not` and `nor`. */
export function againstIn(action: 'allow' | 'deny', inverted: boolean): Truth {
  return truthOf((action === 'deny') !== inverted);
}

type Subject = Reason extends infer R ? (R extends `${infer S}-unauthorized` ? S : never) : never;

const pair = (subject: Subject) => (yes: boolean) =>
  `${subject}-${yes ? 'ok' : 'unauthorized'}` as Extract<Reason, `${Subject}-ok`>;

/** A criterion about the request alone. */
export function aboutRequest(subject: Subject, judge: Judge['judge'], see: Judge['see']): Judge {
  return { judge, reason: pair(subject), see };
}

type Identity = NonNullable<Facts['identity']>;

/** A criterion about the person. Without a session it is false for every matcher: a negative one must not admit nobody. */
export function aboutPerson(
  subject: Subject,
  judge: (identity: Identity, facts: Facts) => Truth,
  see: (identity: Identity, facts: Facts) => unknown,
): Judge {
  return {
    judge: (facts) => (facts.identity === undefined ? unauthenticated : judge(facts.identity, facts)),
    reason: pair(subject),
    see: (facts) => facts.identity && see(facts.identity, facts),
  };
}
