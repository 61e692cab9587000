// What the API server says of workloads' own tokens: who issues them, and whether one still counts.
import { z } from 'zod';
import { clusterIssuer } from '../model/workload.ts';
import type { ClusterIssuer, TokenReviewed } from '../model/workload.ts';
import type { KubernetesClient } from './client.ts';

const timeoutMs = 5_000;

const discovery = z.object({ issuer: z.string().min(1) });

const tokenReview = z.object({
  status: z.object({
    authenticated: z.boolean().optional(),
    audiences: z.array(z.string()).optional(),
    user: z.object({ username: z.string().optional(), uid: z.string().optional() }).optional(),
  }),
});

/**
 * Every ServiceAccount may read both documents: the ClusterRole system:service-account-issuer-discovery. What `jwks_uri`
 * says is left alone: it names the API server from outside. @throws {ApiError}
 */
export async function readClusterIssuer(client: KubernetesClient): Promise<ClusterIssuer> {
  const [about, keys] = await Promise.all([
    client.request('GET', '/.well-known/openid-configuration', { timeoutMs }),
    client.request('GET', '/openid/v1/jwks', { timeoutMs, accept: 'application/jwk-set+json' }),
  ]);
  const { issuer } = discovery.parse(about.body);
  return clusterIssuer.parse({ issuer, keys: Object(keys.body).keys });
}

/** Asks whether a token counts, for one audience. It takes the right to create TokenReviews. @throws {ApiError} */
export async function reviewToken(client: KubernetesClient, token: string, audience: string): Promise<TokenReviewed> {
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token, audiences: [audience] },
  };
  const answer = await client.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { body, timeoutMs });
  const { authenticated = false, audiences = [], user = {} } = tokenReview.parse(answer.body).status;
  return {
    authenticated,
    audiences,
    ...(user.username !== undefined && { username: user.username }),
    ...(user.uid !== undefined && { uid: user.uid }),
  };
}
