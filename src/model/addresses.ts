// Under which addresses an Ingress is reached, as its status says it, and how a Service tells them.
import { z } from 'zod';

/** As `status.loadBalancer.ingress` of an Ingress has it: one of the two. */
export type IngressAddress = { readonly ip: string } | { readonly hostname: string };

/** What an inventory keeps of an Ingress's status. */
export interface PublishedStatus {
  readonly addresses: readonly IngressAddress[];
  /** Which of our field managers have written it; absent where none has. */
  readonly writers?: readonly string[];
}

const published = z.object({
  spec: z
    .object({
      type: z.string().optional(),
      clusterIP: z.string().optional(),
      clusterIPs: z.array(z.string()).optional(),
      externalIPs: z.array(z.string()).optional(),
      externalName: z.string().optional(),
    })
    .optional(),
  status: z
    .object({
      loadBalancer: z
        .object({
          ingress: z.array(z.object({ ip: z.string().optional(), hostname: z.string().optional() })).optional(),
        })
        .optional(),
    })
    .optional(),
});

/**
 * The addresses of a Service, as other controllers read them: those of its load balancer, and those given to it by hand;
 * without either the cluster's own, or the name that it stands for. A NodePort has none: it is reached at every node, on a
 * port that an Ingress's status cannot tell, so they are for `--publish-address` to say.
 */
export function addressesOf(service: unknown): readonly IngressAddress[] {
  const { spec = {}, status } = published.safeParse(service).data ?? {};
  const { type = 'ClusterIP', externalIPs = [], externalName } = spec;
  if (type === 'ExternalName') return externalName === undefined ? [] : [addressOf(externalName)];
  const balancer = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }): IngressAddress[] =>
    ip !== undefined ? [{ ip }] : hostname !== undefined ? [{ hostname }] : [],
  );
  const given = [...(type === 'LoadBalancer' ? balancer : []), ...externalIPs.map((ip) => ({ ip }))];
  if (given.length > 0 || type !== 'ClusterIP') return given;
  const clusterIPs = spec.clusterIPs ?? [spec.clusterIP ?? 'None'];
  return clusterIPs.filter((ip) => ip !== 'None' && ip !== '').map((ip) => ({ ip }));
}

const ip = z.union([z.ipv4(), z.ipv6()]);

export function addressOf(text: string): IngressAddress {
  return ip.safeParse(text).success ? { ip: text } : { hostname: text };
}
