// Tokens with which a directory is asked: fetched when needed, used until they expire, and signed for with a key (RFC 7523).
import { sign } from 'node:crypto';
import { z } from 'zod';
import type { SigningKey } from '../../model/directory-settings.ts';
import type { Answer } from './calls.ts';
import { DirectoryError } from './directory-error.ts';

export interface GivenToken {
  readonly token: string;
  readonly lifetimeMs: number;
}

export interface Bearer {
  /** Calls `use` with an Authorization header, and once more with a new token where an older one is not taken. */
  authorized<T>(use: (authorization: string) => Promise<T>): Promise<T>;
}

// A token is renewed before it expires: a read of many pages takes a while.
const spareMs = 60_000;

export function createBearer(fetchToken: () => Promise<GivenToken>, now: () => number): Bearer {
  let held: { readonly token: string; readonly until: number } | undefined;
  let fetching: Promise<string> | undefined;

  async function fetched(): Promise<string> {
    try {
      const { token, lifetimeMs } = await fetchToken();
      held = { token, until: now() + Math.max(0, lifetimeMs - spareMs) };
      return token;
    } finally {
      fetching = undefined;
    }
  }
  // Many people at once are one token.
  const renewed = () => (fetching ??= fetched());

  return {
    async authorized(use) {
      const known = held !== undefined && now() < held.until ? held.token : undefined;
      if (known === undefined) return use(`Bearer ${await renewed()}`);
      try {
        return await use(`Bearer ${known}`);
      } catch (error) {
        if (!(error instanceof DirectoryError) || error.status !== 401) throw error;
        if (held?.token === known) held = undefined;
        return use(`Bearer ${held?.token ?? (await renewed())}`);
      }
    },
  };
}

const tokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.number().positive().max(86_400) });

/** RFC 6749, section 5.1. */
export function givenToken(answer: Answer | undefined): GivenToken {
  const parsed = tokenAnswer.safeParse(answer?.body);
  if (!parsed.success) throw new DirectoryError('unavailable', 'the token endpoint answered without a token');
  return { token: parsed.data.access_token, lifetimeMs: parsed.data.expires_in * 1000 };
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A JWT (RS256), with `iat` and `exp` added: a minute back, for clocks differ, and `lifetimeMs` on. */
export function signedJwt(
  key: SigningKey,
  claims: Readonly<Record<string, string>>,
  now: number,
  lifetimeMs = 300_000,
): string {
  const header = { alg: 'RS256', typ: 'JWT', ...(key.id !== undefined && { kid: key.id }) };
  const issuedAt = Math.floor(now / 1000) - 60;
  const signed = `${encode(header)}.${encode({ ...claims, iat: issuedAt, exp: issuedAt + 60 + Math.floor(lifetimeMs / 1000) })}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), key.pem.reveal()).toString('base64url')}`;
}
