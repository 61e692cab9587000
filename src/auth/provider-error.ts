// What goes wrong with an identity provider, in the few kinds that call for different treatment.

/**
 * - `unavailable`: certainly without effect, try later.
 * - `unknown`: a refresh that was sent, and nobody can tell whether its token is spent.
 * - `denied`: the provider, or the person, said no.
 * - `invalid`: an answer fails a check.
 * - `ended`: the provider knows the refresh token no more (RFC 6749, section 5.2: `invalid_grant`).
 */
export type ProviderErrorCode = 'unavailable' | 'unknown' | 'denied' | 'invalid' | 'ended';

export class ProviderError extends Error {
  readonly code: ProviderErrorCode;

  constructor(code: ProviderErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ProviderError';
    this.code = code;
  }
}
