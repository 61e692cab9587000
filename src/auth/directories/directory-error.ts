// Why a directory did not say which groups a person is in.

/** `unavailable`: no usable answer, try later. `denied`: it does not let us ask, or not about this person. */
export class DirectoryError extends Error {
  readonly code: 'unavailable' | 'denied';
  /** How long it wants not to be asked. */
  readonly retryAfterMs?: number;
  /** The HTTP status, where there was an answer. */
  readonly status?: number;

  constructor(
    code: 'unavailable' | 'denied',
    message: string,
    { retryAfterMs, status, ...options }: ErrorOptions & { retryAfterMs?: number; status?: number } = {},
  ) {
    super(message, options);
    this.name = 'DirectoryError';
    this.code = code;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
    if (status !== undefined) this.status = status;
  }
}
