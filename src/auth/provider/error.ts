// What goes wrong with an identity provider, in the few kinds that call for different treatment.

/**
 * - `unavailable`: certainly without effect, try later.
 * - `unknown`: a refresh that was sent, and nobody can tell whether its token is spent.
 * - `denied`: the provider, or the person, said no.
 * - `invalid`: an answer fails a check.
 * - `weak`: it cannot have people prove who they are as strongly, or as lately, as is asked.
 * - `ended`: the provider knows the refresh token no more (RFC 6749, section 5.2: `invalid_grant`).
 */
export type ProviderErrorCode = 'unavailable' | 'unknown' | 'denied' | 'invalid' | 'weak' | 'ended';

interface Options extends ErrorOptions {
  readonly retryAfterMs?: number;
}

export class ProviderError extends Error {
  readonly code: ProviderErrorCode;
  /** How long the provider wants to be left alone, where it says so; an hour at the most. */
  readonly retryAfterMs?: number;

  constructor(code: ProviderErrorCode, message: string, { retryAfterMs, ...options }: Options = {}) {
    super(message, options);
    this.name = 'ProviderError';
    this.code = code;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
  }
}
