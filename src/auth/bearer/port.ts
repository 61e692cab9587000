// What a provider is asked about tokens: its keys, and whether one is active. No answer is never a yes.
import * as oidc from 'openid-client';
import type { JSONWebKeySet } from 'jose';
import { z } from 'zod';
import type { Logger } from '../../telemetry.ts';
import type { Discovery } from '../provider/discovery.ts';
import { ProviderError } from '../provider/error.ts';
import { callTimeoutMs } from '../provider/fetch.ts';
import type { ProgramsPort } from './programs.ts';

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

/** A provider that does not answer is told of once in this time, however many programs ask. */
const tellAgainMs = 10_000;

export interface PortOptions {
  readonly name: string;
  readonly discovery: Pick<Discovery, 'configuration'>;
  readonly fetch: oidc.CustomFetch;
  readonly log: Logger;
  readonly now: () => number;
}

export function createProgramsPort({ name, discovery, fetch, log, now }: PortOptions): ProgramsPort {
  let toldAt = -Infinity;

  async function orUnavailable<T>(what: string, asked: () => Promise<T>): Promise<T> {
    try {
      return await asked();
    } catch (cause) {
      const error = new ProviderError('unavailable', `IdentityProvider ${name} ${what}`, { cause });
      if (now() - toldAt > tellAgainMs) log.warn({ err: error }, "programs' tokens cannot be judged");
      toldAt = now();
      throw error;
    }
  }

  async function keys(): Promise<JSONWebKeySet> {
    const { configuration } = await discovery.configuration();
    const url = configuration.serverMetadata().jwks_uri ?? '';
    const signal = AbortSignal.timeout(callTimeoutMs);
    const headers = { accept: 'application/json' };
    const answer = await fetch(url, { method: 'GET', headers, body: undefined, redirect: 'manual', signal });
    if (answer.status !== 200) throw new Error(`its keys were answered with ${answer.status}`);
    return keySet.parse(await answer.json());
  }

  async function introspect(token: string): Promise<Readonly<Record<string, unknown>>> {
    const { configuration } = await discovery.configuration();
    return oidc.tokenIntrospection(configuration, token, { token_type_hint: 'access_token' });
  }

  return {
    keys: () => orUnavailable('does not give its keys', keys),
    introspect: (token) => orUnavailable('does not say whether a token is active', () => introspect(token)),
  };
}
