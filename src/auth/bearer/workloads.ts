// A Kubernetes workload's own token: verified by the cluster's keys, and the cluster asked now and then whether it still counts.
import { hash } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { AuthorityError, isRefused } from '../authority.ts';
import { workloadProvider } from '../../model/identity.ts';
import type { Identity } from '../../model/identity.ts';
import type { ClusterIssuer, TokenReviewed } from '../../model/workload.ts';
import { verifyJwt } from './access-token.ts';
import { sessionOf } from './judged.ts';
import type { Judged } from './judged.ts';
import { createKeySet } from './key-set.ts';

/**
 * How long a TokenReview is believed: a workload whose ServiceAccount or pod is gone keeps a token that its keys verify. The
 * API server believes its own for another 10 s.
 */
const reviewedMs = 30_000;
/** A token that was refused costs one question in this time. */
const refusedMs = 10_000;
const limit = 10_000;
/** Questions under way; who comes then is told to come again. */
const maxUnderWay = 32;

/** The cluster, as far as tokens of workloads go. Both throw {@link AuthorityError} where the API server does not answer. */
export interface Cluster {
  issuer(): Promise<ClusterIssuer>;
  review(token: string, audience: string): Promise<TokenReviewed>;
}

export interface Workloads {
  /** Who issues workloads' tokens; `undefined`: the cluster does not say, or there is none. @throws {AuthorityError} */
  issuer(): Promise<string | undefined>;
  /** @param origin The audience that the token must be for. @throws {AuthorityError} where the cluster does not answer. */
  judge(token: string, origin: string): Promise<Judged>;
}

export interface WorkloadsOptions {
  readonly cluster: Cluster;
  /** How long a token that counted goes on counting while the API server is away. */
  readonly graceMs: () => number;
  readonly now: () => number;
}

interface Known {
  readonly reviewed: TokenReviewed;
  readonly at: number;
}

const workloadClaims = z.object({
  exp: z.number(),
  iat: z.number().optional(),
  'kubernetes.io': z.object({
    namespace: z.string().min(1),
    serviceaccount: z.object({ name: z.string().min(1), uid: z.string().min(1) }),
    pod: z.object({ name: z.string(), uid: z.string() }).optional(),
  }),
});

export function createWorkloads({ cluster, graceMs, now }: WorkloadsOptions): Workloads {
  let issuer: string | undefined;
  const keys = createKeySet(async () => {
    const told: ClusterIssuer = await cluster.issuer();
    issuer = told.issuer;
    return { keys: told.keys };
  }, now);
  const known = new LRUCache<string, Known>({ max: limit });
  const asking = new Map<string, Promise<Known>>();

  async function ask(token: string, origin: string, key: string): Promise<Known> {
    try {
      const answer = { reviewed: await cluster.review(token, origin), at: now() };
      known.set(key, answer);
      return answer;
    } catch (cause) {
      // The API server is away: what it said last counts on, for a bounded time.
      const before = known.get(key);
      if (before?.reviewed.authenticated === true && now() - before.at < graceMs()) return before;
      throw new AuthorityError('the API server does not say whether a token counts', { cause });
    } finally {
      asking.delete(key);
    }
  }

  async function review(token: string, origin: string): Promise<Known> {
    const key = `${origin} ${hash('sha256', token, 'base64url')}`;
    const found = known.get(key);
    const believed = found?.reviewed.authenticated === true ? reviewedMs : refusedMs;
    if (found !== undefined && now() - found.at < believed) return found;
    const underWay = asking.get(key);
    if (underWay !== undefined) return underWay;
    if (asking.size >= maxUnderWay) throw new AuthorityError('too many tokens are being reviewed');
    const answer = ask(token, origin, key);
    asking.set(key, answer);
    return answer;
  }

  return {
    async issuer() {
      await keys.current();
      return issuer;
    },
    async judge(token, origin) {
      const verified = await verifyJwt(keys, token, { issuer: issuer ?? '', audiences: [origin], now: now() });
      if (isRefused(verified)) return verified;
      const parsed = workloadClaims.safeParse(verified.claims);
      if (!parsed.success) return { refused: "The token is no ServiceAccount's." };
      const identity = workloadIdentity(parsed.data, verified.claims);
      const { reviewed, at } = await review(token, origin);
      const isTheirs =
        reviewed.authenticated && reviewed.username === identity.user && reviewed.audiences.includes(origin);
      if (!isTheirs) return { refused: 'The cluster does not recognise the token.' };
      const expiresAt = parsed.data.exp * 1000;
      const session = sessionOf(token, { provider: workloadProvider, identity, times: parsed.data, expiresAt });
      return { session, renewAt: Math.min(Math.max(at + reviewedMs, now() + againMs), expiresAt) };
    },
  };
}

/** While an old answer serves on, the API server is asked again after so long. */
const againMs = 5_000;

function workloadIdentity({ 'kubernetes.io': told }: z.infer<typeof workloadClaims>, claims: JWTPayload): Identity {
  const { namespace, serviceaccount } = told;
  return {
    user: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
    serviceAccount: `${namespace}/${serviceaccount.name}`,
    groups: [],
    claims: { ...claims },
  };
}
