// What can go wrong between us and the API server, as one error with a stable code.
import type { IncomingHttpHeaders } from 'node:http';

export type ApiErrorCode =
  | 'NotFound'
  | 'Conflict'
  | 'Gone'
  | 'Forbidden'
  | 'Unauthorized'
  | 'TooManyRequests'
  | 'Unavailable'
  | 'Invalid'
  | 'Unreachable';

/** `Unreachable`: no answer, or half of one. `Unavailable`: an answer that is no use. `Invalid`: our request's fault. */
export class ApiError extends Error {
  readonly code: ApiErrorCode;
  /** The HTTP status; 0 where there is none. */
  readonly status: number;
  /** How long the server asks us to wait. */
  readonly retryAfterMs?: number;
  /** The server's own word, such as `AlreadyExists` (a Conflict) or `Expired` (Gone). */
  readonly reason?: string;
  /** With `Expired`: goes on with a list that was too old to go on, from where it ended, as things are now. */
  readonly continue?: string;

  constructor(failure: {
    readonly code: ApiErrorCode;
    readonly status: number;
    readonly message: string;
    readonly retryAfterMs?: number;
    readonly reason?: string;
    readonly continue?: string;
    readonly cause?: unknown;
  }) {
    super(failure.message, { cause: failure.cause });
    this.name = 'ApiError';
    this.code = failure.code;
    this.status = failure.status;
    if (failure.retryAfterMs !== undefined) this.retryAfterMs = failure.retryAfterMs;
    if (failure.reason !== undefined) this.reason = failure.reason;
    if (failure.continue !== undefined) this.continue = failure.continue;
  }
}

/** No answer: a connection refused, reset, timed out or cut off. */
export function unreachable(what: string, cause: unknown): ApiError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ApiError({ code: 'Unreachable', status: 0, message: `${what}: ${why}`, cause });
}

/**
 * The error that an answer stands for: a `metav1.Status` where the API server wrote it, anything where a proxy did.
 * Retry-After comes as a header, or as `details.retryAfterSeconds` in a watch.
 */
export function apiErrorOf(status: number, body: unknown, what: string, headers: IncomingHttpHeaders = {}): ApiError {
  const answer = isRecord(body) ? body : {};
  const details = isRecord(answer['details']) ? answer['details'] : {};
  const metadata = isRecord(answer['metadata']) ? answer['metadata'] : {};
  const retryAfterSeconds = Number(headers['retry-after'] ?? details['retryAfterSeconds'] ?? Number.NaN);
  const { message, reason } = answer;
  const said = typeof message === 'string' ? message : typeof body === 'string' ? body : '';
  return new ApiError({
    code: codeOf(status),
    status,
    message: `${what}: ${status} ${said}`.trim(),
    ...(retryAfterSeconds >= 0 && { retryAfterMs: retryAfterSeconds * 1000 }),
    ...(typeof reason === 'string' && { reason }),
    ...(typeof metadata['continue'] === 'string' && { continue: metadata['continue'] }),
  });
}

function codeOf(status: number): ApiErrorCode {
  switch (status) {
    case 401:
      return 'Unauthorized';
    case 403:
      return 'Forbidden';
    case 404:
      return 'NotFound';
    case 409:
      return 'Conflict';
    case 410:
      return 'Gone';
    case 429:
      return 'TooManyRequests';
    default:
      return status >= 400 && status < 500 ? 'Invalid' : 'Unavailable';
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
