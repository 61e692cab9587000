// What a failed call to a provider means: whether it may be tried again, and whether anything is spent.
import * as oidc from 'openid-client';
import { wasNotSent } from './fetch.ts';
import { ProviderError } from './error.ts';
import type { ProviderErrorCode } from './error.ts';

interface Fault {
  readonly code: ProviderErrorCode;
  readonly what: string;
}

const maxRetryAfterSeconds = 3_600;

// RFC 6749, section 4.1.2.1: the provider failed, and nobody was refused.
const busyErrors: ReadonlySet<string> = new Set(['server_error', 'temporarily_unavailable']);

/** What went wrong with a sign-in, up to the exchange of its code. */
export function signInError(name: string, cause: unknown): ProviderError {
  return ownError(cause) ?? made(name, signInFault(cause), cause);
}

/** What went wrong with a refresh, whose token may be spent or not. */
export function refreshError(name: string, cause: unknown): ProviderError {
  const own = ownError(cause);
  if (own === undefined) return made(name, refreshFault(cause), cause);
  // Our own fetch gives up on an answer that is too large, or breaks off; what was asked for has happened by then.
  if (own.code === 'unavailable') return new ProviderError('unknown', own.message, { cause });
  return own.code === 'denied' ? new ProviderError('ended', own.message, { cause }) : own;
}

// The library wraps what it does not know: our own errors come back from under it.
function ownError(cause: unknown): ProviderError | undefined {
  const own = cause instanceof oidc.ClientError ? cause.cause : cause;
  return own instanceof ProviderError ? own : undefined;
}

function made(name: string, { code, what }: Fault, cause: unknown): ProviderError {
  const seconds = Number(refusalOf(cause)?.response.headers.get('retry-after') ?? Number.NaN);
  return new ProviderError(code, `IdentityProvider ${name} ${what}`, {
    cause,
    ...(seconds > 0 && { retryAfterMs: Math.min(seconds, maxRetryAfterSeconds) * 1000 }),
  });
}

function signInFault(cause: unknown): Fault {
  if (cause instanceof oidc.AuthorizationResponseError)
    return {
      code: busyErrors.has(cause.error) ? 'unavailable' : 'denied',
      what: `refused the sign-in: ${cause.error}`,
    };
  const refusal = refusalOf(cause);
  if (refusal !== undefined) {
    const { status, error = '' } = refusal;
    if (error === '') return { code: 'unavailable', what: `answered ${status}` };
    const isBusy = status >= 500 || status === 429 || busyErrors.has(error);
    return { code: isBusy ? 'unavailable' : 'invalid', what: `refused the code: ${error}` };
  }
  return failedCheck(cause) ?? { code: 'unavailable', what: 'did not answer' };
}

// The person must sign in again: the grant is over (RFC 6749, section 5.2), or goes on only with the person's help
// (OpenID Connect Core 1.0, section 3.1.2.6), or the provider's rules say no (Auth0).
const endedErrors: ReadonlySet<string> = new Set([
  'invalid_grant',
  'interaction_required',
  'login_required',
  'consent_required',
  'access_denied',
]);

const brokeOff: Fault = { code: 'unknown', what: 'broke off while it refreshed a session' };

function refreshFault(cause: unknown): Fault {
  if (wasNotSent(cause)) return { code: 'unavailable', what: 'cannot be reached' };
  const refusal = refusalOf(cause);
  if (refusal === undefined) return failedCheck(cause) ?? brokeOff;
  const { status, error = 'no reason given' } = refusal;
  const what = `answered ${status} to a refresh: ${error}`;
  if (endedErrors.has(error)) return { code: 'ended', what };
  // A refusal spends nothing. That we are refused as a client (`invalid_client`) is nobody's session's fault.
  const isRefusal = (status >= 400 && status < 500) || status === 503;
  return { code: isRefusal ? 'unavailable' : 'unknown', what };
}

interface Refusal {
  readonly status: number;
  /** RFC 6749, section 5.2. */
  readonly error?: string;
  readonly response: Response;
}

function refusalOf(cause: unknown): Refusal | undefined {
  if (cause instanceof oidc.ResponseBodyError) return cause;
  if (cause instanceof oidc.WWWAuthenticateChallengeError) return { status: cause.status, response: cause.response };
  const response = cause instanceof oidc.ClientError ? cause.cause : undefined;
  return response instanceof Response && response.status !== 200 ? { status: response.status, response } : undefined;
}

// An answer that cannot be read is a failure of the provider; one that reads and is wrong is a fault.
const unreadable: ReadonlySet<string> = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
]);

function failedCheck(cause: unknown): Fault | undefined {
  if (!(cause instanceof oidc.ClientError) || cause.code === undefined || unreadable.has(cause.code)) return undefined;
  return { code: 'invalid', what: `gave an answer that fails a check: ${cause.code}` };
}
