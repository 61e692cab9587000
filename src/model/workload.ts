// A Kubernetes workload's own token: what the cluster says of its issuer, and of one token.
import { z } from 'zod';

/** Who signs the tokens of ServiceAccounts, and the public keys that verify them (RFC 7517). */
export const clusterIssuer = z.object({
  issuer: z.string().min(1),
  keys: z.array(z.looseObject({ kty: z.string() })),
});
export type ClusterIssuer = z.infer<typeof clusterIssuer>;

/** What a TokenReview says. */
export interface TokenReviewed {
  readonly authenticated: boolean;
  /** `system:serviceaccount:NAMESPACE:NAME`. */
  readonly username?: string;
  readonly uid?: string;
  /** Those of the audiences asked for that the token is for. */
  readonly audiences: readonly string[];
}
