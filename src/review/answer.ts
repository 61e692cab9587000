// Questions in, answers out: the one entrance, for the admin port and for the command line alike.
import type { KeptDecision } from '../proxy/decisions.ts';
import { allOpenings, openingsOf, reachOf } from './access.ts';
import type { Opening, Reach } from './access.ts';
import { explainKept, explainRequest } from './explain.ts';
import type { ExplainAnswer, Served } from './explain.ts';
import { readAccessQuestion, readExplainQuestion } from './question.ts';

export type { ExplainAnswer, Served } from './explain.ts';
export type { Opening, Reach, ShownRule } from './access.ts';

export type AccessAnswer = { readonly reach: readonly Reach[] } | { readonly openings: readonly Opening[] };

/** `NotUnderstood`: the question is at fault. `NotFound`: what it asks about is not there. */
export type Answered<T> =
  | { readonly ok: T }
  | { readonly failed: 'NotUnderstood' | 'NotFound'; readonly message: string };

export interface Reviewer {
  /** Takes whatever somebody sent. */
  explain(question: unknown): Answered<ExplainAnswer>;
  access(question: unknown): Answered<AccessAnswer>;
}

export interface ReviewerOptions {
  readonly served: () => Served;
  /** Absent: no request has been decided here, ever. */
  readonly decisions?: { find(requestId: string): KeptDecision | undefined };
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function createReviewer({ served, decisions, now }: ReviewerOptions): Reviewer {
  return {
    explain(value) {
      const question = readExplainQuestion(value);
      if ('mistake' in question) return { failed: 'NotUnderstood', message: question.mistake };
      if (!('requestId' in question.ok)) return { ok: explainRequest(served(), question.ok, now()) };
      const { requestId } = question.ok;
      const kept = decisions?.find(requestId);
      if (kept !== undefined) return { ok: explainKept(served(), kept) };
      const message = `no decision is known of request ${requestId}: it is none of the last ones, or no policy was asked (a page of ours, a wrong host, a bad request)`;
      return { failed: 'NotFound', message };
    },
    access(value) {
      const question = readAccessQuestion(value);
      if ('mistake' in question) return { failed: 'NotUnderstood', message: question.mistake };
      const { table } = served();
      if ('person' in question.ok) return { ok: { reach: reachOf(table, question.ok.person, now()) } };
      if ('grants' in question.ok) return { ok: { openings: allOpenings(table) } };
      const openings = openingsOf(table, question.ok.route);
      return 'mistake' in openings ? { failed: 'NotFound', message: openings.mistake } : { ok: { openings } };
    },
  };
}
