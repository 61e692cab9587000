// What a class says of hosts: which of them several namespaces share, and who answers for those that nobody claims.
import { z } from 'zod';
import { described, formed, name } from './fields.ts';
import { labelSelector } from './selector.ts';

const sharedHost = formed(
  /^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\*\.([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+|localhost))$/,
  253,
  'a lower-case host name without a port is wanted, or *. before a name of two labels or more',
);

export const hostSharing = z
  .array(
    z.strictObject({
      hosts: described(
        z.array(sharedHost).min(1).max(32),
        'Hosts as Ingresses name them; *.apps.example.com is that wildcard itself, and every host of one more label.',
      ),
      namespaces: z
        .strictObject({ selector: labelSelector })
        .meta({ description: 'Namespaces that may add paths to these hosts, whoever owns them.', closed: true }),
    }),
  )
  .max(16)
  .default([])
  .meta({
    description:
      'Hosts to which several namespaces may add paths. They then share an origin: cookies, storage, and sessions of one are within reach of the others.',
  });
export type HostSharing = z.infer<typeof hostSharing>;

export const defaultBackend = z
  .strictObject({
    namespace: described(name, "The Service's namespace."),
    name: described(name, "The Service's name."),
    port: z.int().min(1).max(65_535).meta({ description: "The number of the Service's port." }),
  })
  .optional()
  .meta({
    description:
      'A Service that answers, for everybody and without a sign-in, requests for hosts that no Ingress names; absent: a page of ours says 404.',
  });
