// What a class says of the way to its applications: TLS, who vouches for them, who we are, and names outside the cluster.
import { z } from 'zod';
import { formed, secretReference } from './fields.ts';

const externalName = formed(
  /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
  253,
  'a lower-case host name is wanted, or *. before one for every name below it',
);

export const upstream = z
  .strictObject({
    tls: z.enum(['Optional', 'Required']).default('Optional').meta({
      description:
        'Required: requests go to no application in plain text, nor to one that need not prove its name; they are answered with 503.',
    }),
    caSecretRef: secretReference.optional().meta({
      description:
        'A Secret whose ca.crt holds the authorities that vouch for applications, where their Ingress names none. By default those that Node.js trusts.',
    }),
    clientCertificateSecretRef: secretReference.optional().meta({
      description:
        'A kubernetes.io/tls Secret: the certificate that applications over TLS are shown, where their Ingress names none.',
    }),
    externalNames: z.array(externalName).max(64).default([]).meta({
      description:
        'Names that Services of type ExternalName may lead to; *.example.org is every name below example.org. Empty: none is served.',
    }),
  })
  .optional()
  .meta({ description: 'The way to the applications.', closed: true });
