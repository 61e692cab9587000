// The steps of a list and watch, and what follows from how each one ended. Pure.
import type { ApiError } from '../kubernetes/client.ts';
import type { ListKind } from './listing.ts';

export type Step =
  | { readonly at: 'List'; readonly how: ListKind }
  | { readonly at: 'Watch'; readonly resourceVersion: string };

/** How a step ended. `resourceVersion` is where a watch may be resumed, always as opaque as it came. */
export type StepResult =
  | { readonly kind: 'Listed'; readonly resourceVersion: string }
  | { readonly kind: 'Closed'; readonly resourceVersion: string; readonly lastedMs: number }
  | { readonly kind: 'Failed'; readonly error: ApiError; readonly resourceVersion?: string };

const minBackoffMs = 800;
const maxBackoffMs = 30_000;
const maxRetryAfterMs = 120_000;
/**
 * Nobody is there whom asking could burden, and what was deleted meanwhile is served until somebody answers: a watch that
 * was cut off asks several times a second, and does not count it.
 */
const unreachableMs = 500;
const quickAttempts = 2;
/** A watch that is closed sooner counts as a failure: reopening it at once asked the server tens of times a second. */
const minWatchMs = 1000;
/** After so many failures in a row at one resourceVersion that version is suspect, and everything is listed anew. */
const failuresBeforeList = 4;
const forbiddenRetryMs = 60_000;

/** Nobody listens there. */
function isRefused({ code, cause }: ApiError): boolean {
  return code === 'Unreachable' && cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}

/** Cut off just now, or refused: a server that answers at all, and be it by resetting, is given its rest. */
function isAway(error: ApiError, failures: number): boolean {
  return isRefused(error) || (error.code === 'Unreachable' && failures < quickAttempts);
}

/** What comes after a step: the next one, how many failures in a row there have been, and how long to wait. Pure. */
export function nextStep(
  step: Step,
  outcome: StepResult,
  failures: number,
  options: { readonly optional: boolean; readonly random: () => number },
): { step: Step; failures: number; delayMs: number } {
  if (outcome.kind === 'Listed') {
    return { step: { at: 'Watch', resourceVersion: outcome.resourceVersion }, failures, delayMs: 0 };
  }
  if (outcome.kind === 'Closed' && outcome.lastedMs >= minWatchMs) {
    return { step: { at: 'Watch', resourceVersion: outcome.resourceVersion }, failures: 0, delayMs: 0 };
  }
  const error = outcome.kind === 'Failed' ? outcome.error : undefined;
  if (step.at === 'Watch' && error !== undefined && isAway(error, failures)) {
    const counted = isRefused(error) ? Math.max(failures, 1) : failures + 1;
    const delayMs = unreachableMs * (0.5 + options.random() / 2);
    return { step: afterFailure(step, outcome, counted), failures: counted, delayMs };
  }
  const ceilingMs = Math.min(maxBackoffMs, minBackoffMs * 2 ** (failures + 1));
  const backoffMs = minBackoffMs + options.random() * (ceilingMs - minBackoffMs);
  const delayMs =
    error?.code === 'Forbidden' && options.optional
      ? forbiddenRetryMs
      : Math.max(backoffMs, Math.min(error?.retryAfterMs ?? 0, maxRetryAfterMs));
  return { step: afterFailure(step, outcome, failures + 1), failures: failures + 1, delayMs };
}

function afterFailure(step: Step, outcome: Exclude<StepResult, { kind: 'Listed' }>, failures: number): Step {
  const code = outcome.kind === 'Failed' ? outcome.error.code : undefined;
  if (step.at === 'List') return { at: 'List', how: code === 'Gone' ? 'Whole' : 'Paged' };
  const { resourceVersion } = outcome;
  const lost = code === 'Gone' || code === 'Forbidden' || failures >= failuresBeforeList;
  return lost || resourceVersion === undefined ? { at: 'List', how: 'Paged' } : { at: 'Watch', resourceVersion };
}
