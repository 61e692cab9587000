// How a request ends with a page of ours: the outcome that is told of it, and the page that says it.
import type { Page } from '../model/page.ts';
import type { Exchange, RequestOutcome } from './exchange.ts';
import type { ForwardOutcome } from './forward.ts';
import { isUpstreamFailure } from './pages.ts';
import { respondPage } from './respond.ts';
import type { PageOptions } from './respond.ts';

export async function say(
  exchange: Exchange,
  page: Page,
  outcome: RequestOutcome,
  options?: PageOptions,
): Promise<RequestOutcome> {
  await respondPage(exchange, page, options);
  return outcome;
}

export function unavailable(exchange: Exchange): Promise<RequestOutcome> {
  return say(exchange, { kind: 'StoreUnavailable', retryAfterSeconds: 5 }, 'StoreUnavailable');
}

/** Says so where nothing has been said yet. */
export function failed(exchange: Exchange, outcome: ForwardOutcome): Promise<RequestOutcome> {
  if (isUpstreamFailure(outcome)) return say(exchange, { kind: 'UpstreamUnavailable', reason: outcome }, outcome);
  if (outcome !== 'BodyTimeout') return Promise.resolve(outcome);
  const detail = 'The rest of the request took too long to arrive.';
  return say(exchange, { kind: 'BadRequest', detail }, outcome, { status: 408 });
}
