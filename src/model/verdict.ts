// What a decision is made from (Facts), what it is (Verdict), and the whole of how it came about (Explanation).
import type { Identity } from './identity.ts';
import type { Attachment, PolicyMode } from './policy.ts';
import type { Reason } from './reason.ts';
import type { StepUp } from './step-up.ts';

/** A certificate that the client has shown, and that is valid. */
export interface ClientCertificate {
  /** SHA-256, lower-case hexadecimal. */
  readonly fingerprint: string;
  /** SHA-256 of the SubjectPublicKeyInfo, base64. */
  readonly spkiHash: string;
  readonly sanEmails: readonly string[];
  readonly sanDnsNames: readonly string[];
  readonly sanUris: readonly string[];
}

/** What a decision is made from. Nothing else counts: not even a clock, for the time is one of the facts. */
export interface Facts {
  /** Absent: nobody is signed in (for this route's provider). */
  readonly identity?: Identity;
  /** There where `identity` is; milliseconds since the epoch. */
  readonly session?: SessionTimes;
  readonly method: string;
  /** The host asked for, lower-case, without a port. */
  readonly host: string;
  /** Canonical. */
  readonly path: string;
  /** Empty, or from the `?` on. */
  readonly query: string;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** The client's, after trusted proxies. */
  readonly ip: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly clientCertificate?: ClientCertificate;
}

export interface SessionTimes {
  readonly provider: string;
  /** When the person proved who they are. */
  readonly authenticatedAt: number;
  /** When the session began here. */
  readonly startedAt: number;
}

export type Decision = 'Allow' | 'Deny' | 'Login';

export interface Verdict {
  readonly decision: Decision;
  /** What it would be, were everything in Audit enforced; absent where nothing is in Audit. */
  readonly trial?: Decision;
  /**
   * On a Login: somebody is signed in, and would be let in after such a sign-in (`authenticatedWithin`, `acr`,
   * `authenticationMethod`). Absent: nobody is signed in.
   */
  readonly stepUp?: StepUp;
}

/** A result with the reasons that led to it: of the true operands where it is true, of the false ones where it is false. */
export interface Outcome {
  readonly result: boolean;
  readonly reasons: readonly Reason[];
  /** The name of the first rule that made it true, where that rule has one. */
  readonly rule?: string;
}

/** What the enforced rules of one policy came to; of a policy in Audit, what they would have. */
export interface PolicyVerdict {
  readonly policy: string;
  readonly mode: PolicyMode;
  readonly attachment: Attachment;
  /** Absent: the policy has no such rules, or is broken. */
  readonly allow?: Outcome;
  readonly deny?: Outcome;
  /** The same with its rules in Audit enforced as well; absent where it has none. */
  readonly trial?: { readonly allow?: Outcome; readonly deny?: Outcome };
  readonly broken?: string;
}

/** What one criterion was given, saw and answered. */
export interface CriterionTrace {
  readonly criterion: string;
  /** The matcher, as the policy has it. */
  readonly wanted: unknown;
  /** What the criterion looked at; absent where there was nothing to see. */
  readonly seen?: unknown;
  readonly result: boolean;
  readonly reason: Reason;
}

export interface OperatorTrace {
  readonly operator: 'and' | 'or' | 'not' | 'nor';
  readonly result: boolean;
  readonly criteria: readonly CriterionTrace[];
}

/** One action of one rule. */
export interface RuleTrace {
  /** As `kubectl explain` spells it: `spec.rules[2].deny`. */
  readonly path: string;
  readonly name?: string;
  readonly mode: PolicyMode;
  readonly action: 'allow' | 'deny';
  readonly result: boolean;
  readonly operators: readonly OperatorTrace[];
}

export interface PolicyExplanation extends PolicyVerdict {
  readonly rules: readonly RuleTrace[];
}

/** The policy, rule and reasons that settled a decision. */
export interface Cause {
  /** Absent: the default access decided, or that nobody granted. */
  readonly policy?: string;
  readonly rule?: string;
  readonly reasons: readonly Reason[];
}

export interface Explanation {
  readonly verdict: Verdict;
  readonly cause: Cause;
  /** What settled the trial; there where `verdict.trial` is. */
  readonly trialCause?: Cause;
  readonly policies: readonly PolicyExplanation[];
}
