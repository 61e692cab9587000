// A sign-in that does not end well: counted, logged, and told on a page with the ways on.
import type { Answer, OwnRequest } from '../authority.ts';
import { page, retryAfterSeconds } from '../desk.ts';
import type { Desk } from '../desk.ts';
import { ProviderError } from '../provider/error.ts';
import type { ProviderErrorCode } from '../provider/error.ts';
import type { SignInFailure } from '../../model/page.ts';

/** Where a person may go from here, and what their browser is to forget. */
export interface WaysOn {
  readonly startAgain: string;
  /** Where they choose another provider; absent: there is no other. */
  readonly otherWay?: string;
  readonly cookies?: readonly string[];
}

export function failed(desk: Desk, { host }: OwnRequest, reason: SignInFailure, ways: WaysOn): Answer {
  const { startAgain, otherWay, cookies } = ways;
  desk.metrics.signIns.inc({ outcome: reason });
  desk.log.info({ reason, host }, 'a sign-in did not end well');
  return page({ kind: 'SignInFailed', reason, startAgain, ...(otherWay !== undefined && { otherWay }) }, cookies);
}

const reasons: Partial<Readonly<Record<ProviderErrorCode, SignInFailure>>> = { denied: 'Denied', weak: 'TooWeak' };

/** Throws on whatever is not the provider's fault. */
export function providerFailed(desk: Desk, request: OwnRequest, error: unknown, ways: WaysOn): Answer {
  if (!(error instanceof ProviderError)) throw error;
  desk.log.warn({ err: error }, 'a sign-in failed at the identity provider');
  if (error.code === 'unavailable') {
    const { otherWay, cookies } = ways;
    desk.metrics.signIns.inc({ outcome: 'Unavailable' });
    const way = otherWay === undefined ? {} : { otherWay };
    return page({ kind: 'ProviderUnavailable', retryAfterSeconds, ...way }, cookies);
  }
  return failed(desk, request, reasons[error.code] ?? 'Invalid', ways);
}
