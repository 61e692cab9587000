// A whole sign-in at a provider without anything around it, from the authorization URL to the exchange.
import assert from 'node:assert/strict';
import { checkCallback, newChallenge, newFlowId } from '../../src/auth/sign-in/login.ts';
import type { Provider } from '../../src/auth/provider/provider.ts';
import type { SignedIn } from '../../src/auth/session/session.ts';

export const redirectUri = 'https://auth.example.com/oauth2/callback';

export interface SignInAt {
  /** A browser's visit: from the authorization URL to where it leads back. */
  readonly authorize: (url: URL) => Promise<URL>;
  /** Milliseconds since the epoch; by default now. */
  readonly at?: number;
}

/** @throws whatever the provider does */
export async function signInAt(
  provider: Provider,
  { authorize, at = Date.now() }: SignInAt,
): Promise<{ readonly signedIn: SignedIn; readonly asked: URLSearchParams }> {
  const challenge = newChallenge(newFlowId());
  const url = new URL(await provider.authorizationUrl(redirectUri, challenge));
  const flow = { kind: 'Provider', provider: 'fake', challenge, redirectUri, returnTo: '/', at } as const;
  const callback = checkCallback(flow, (await authorize(url)).search);
  assert(callback);
  return { signedIn: await provider.exchange(callback, at), asked: url.searchParams };
}
