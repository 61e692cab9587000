// Sallyport and IdentityProvider as zod schemas, and every kind's status: the CRDs, the parsers and the types are made from here.
import { z } from 'zod';
import { directorySpec, githubSpec } from './directory-spec.ts';
import { duration } from './duration.ts';
import { formed, name, providerReference, providerReferences, secretReference } from './fields.ts';
import { defaultBackend, hostSharing } from './hosts-spec.ts';
import { oidcSpec } from './oidc-spec.ts';
import { labelSelector } from './selector.ts';
import { upstream } from './upstream-spec.ts';
import { tlsSpec } from './tls-spec.ts';

const cidr = formed(/^[0-9a-fA-F.:]+(\/[0-9]{1,3})?$/, 64, 'an address or a CIDR is wanted, such as 10.0.0.0/8');

const host = formed(
  /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[0-9]{1,5})?$/,
  259,
  'a lower-case host name is wanted, with a port where it is not the usual one: auth.example.com or auth.localhost:8443',
);

const headerName = /^[A-Za-z0-9-]{1,128}$/;
const headerNameWanted = 'header names are wanted, of letters, digits and -';

export const sallyportSpec = z.strictObject({
  authenticationHost: host.optional().meta({
    description:
      'The host where people sign in, so that a provider knows one redirect URI. May carry a port. Without it each host signs in for itself.',
  }),
  defaultIdentityProviderRef: providerReference
    .optional()
    .meta({ description: 'The provider for every route whose policies name none.' }),
  identityProviderRefs: providerReferences.meta({
    description: 'Providers that people choose from there, after the default one where there is one.',
  }),
  sessions: z
    .strictObject({
      store: z
        .strictObject({
          type: z
            .enum(['Memory', 'Secret', 'Redis'])
            .default('Secret')
            .meta({ description: 'Where sessions are kept.' }),
          secret: z
            .strictObject({
              namespace: name.default('sallyport-sessions'),
              max: z.int().min(1).max(100_000).default(5000),
            })
            .optional(),
          redis: z
            .strictObject({
              url: z.string().max(2048),
              credentialsSecretRef: secretReference.optional(),
              caSecretRef: secretReference.optional(),
              cluster: z.boolean().optional(),
              sentinel: z.string().max(253).optional(),
            })
            .optional(),
        })
        .optional(),
      lifetime: duration.default('14h').meta({ description: 'How long a session lives at the most.' }),
      idleTimeout: duration.optional().meta({ description: 'How long a session lives without a request.' }),
      maxPerPerson: z
        .int()
        .min(1)
        .max(1000)
        .optional()
        .meta({ description: 'Sessions one person may have at a time; a sign-in beyond it ends the oldest.' }),
      refreshInterval: duration.default('1h').meta({
        description:
          'After how long the provider is asked again for claims and groups, where it gives refresh tokens and the access token lives longer.',
      }),
      outageGrace: duration
        .default('10m')
        .meta({ description: 'How long live sessions work while the store, or their provider, is away.' }),
    })
    .optional()
    .meta({ description: 'Where sessions live, and for how long.', closed: true }),
  cookie: z
    .strictObject({
      name: formed(/^[A-Za-z0-9_-]{1,32}$/, 32, 'letters, digits, - and _ are wanted')
        .default('sallyport')
        .meta({ description: 'The cookie is named __Host- and this.' }),
      sameSite: z.enum(['Lax', 'Strict', 'None']).default('Lax').meta({ description: 'The SameSite attribute.' }),
    })
    .optional()
    .meta({ description: 'The session cookie.', closed: true }),
  defaultCertificateSecretRef: secretReference
    .optional()
    .meta({ description: 'A kubernetes.io/tls Secret for hosts whose Ingress names none.' }),
  tls: tlsSpec,
  hostSharing,
  defaultBackend,
  upstream,
  trustedProxies: z
    .array(cidr)
    .max(256)
    .default([])
    .meta({ description: "CIDRs of load balancers whose X-Forwarded-* are believed; empty: nobody's are." }),
  identityHeaders: z
    .strictObject({
      preset: z
        .enum(['Sallyport', 'Pomerium', 'OAuth2Proxy', 'GoogleIAP', 'CloudflareAccess'])
        .default('Sallyport')
        .meta({ description: 'Whose header names applications see.' }),
      issuer: z
        .string()
        .max(2048)
        .regex(/^https?:\/\/[^\s?#]+$/, { error: 'a URL without query or fragment is wanted' })
        .optional()
        .meta({
          description:
            'The iss of assertions. By default https:// and the authentication host; without one, https:// and the host asked for.',
        }),
      // A choice, because PerRequest adds some 0.2 ms of CPU to each request: 60 µs for the signature, the rest for asking `auth`.
      assertion: z.enum(['Shared', 'PerRequest']).default('Shared').meta({
        description:
          'Shared: one assertion serves the requests of a session to a route for a minute. PerRequest: each request has its own, with request_id (the X-Request-Id) and jti, at the cost of a signature.',
      }),
      claims: z
        .record(z.string().regex(headerName, { error: headerNameWanted }), z.string().min(1).max(256))
        .refine((claims) => Object.keys(claims).length <= 64, { error: 'at most 64 are allowed' })
        .optional()
        .meta({
          description: 'Further headers, and the claim that each carries.',
          maxProperties: 64,
          // A CRD has no propertyNames.
          'x-kubernetes-validations': [
            { rule: `self.all(name, name.matches('${headerName.source}'))`, message: headerNameWanted },
          ],
        }),
    })
    .optional(),
  defaultAccess: z
    .enum(['Deny', 'Authenticated'])
    .default('Deny')
    .meta({ description: 'Who may use the routes of an Ingress that no policy governs.' }),
  timeouts: z
    .strictObject({
      firstByte: duration.default('60s').meta({ description: 'How long an application may take to begin its answer.' }),
      connect: duration.default('5s').meta({ description: 'How long connecting to an application may take.' }),
      idle: duration.default('5m').meta({ description: 'How long a connection may be silent.' }),
    })
    .optional(),
});
export type SallyportSpec = z.infer<typeof sallyportSpec>;

const identityProvider = z.strictObject({
  displayName: z.string().min(1).max(64).optional().meta({
    description: 'What people know it by, where they choose where to sign in; absent: its name.',
  }),
  oidc: oidcSpec.optional(),
  github: githubSpec
    .optional()
    .meta({ description: 'GitHub, which speaks OAuth 2.0 and no OpenID Connect.', closed: true }),
  directory: directorySpec.optional().meta({
    description: "Where people's groups are asked for, beside those of the provider's tokens.",
  }),
  allowedNamespaces: z.strictObject({ selector: labelSelector }).optional().meta({
    description: "Namespaces whose policies may name this provider; absent: none. A class's own providers serve all.",
  }),
});
const matchingDirectory = {
  rule: '!has(self.directory) || has(self.directory.github) == has(self.github)',
  message: 'directory.github goes with github, and the other directories with oidc',
};
const oneProvider = { rule: 'has(self.oidc) != has(self.github)', message: 'either oidc or github is wanted' };

export const identityProviderSpec = identityProvider
  .refine(({ oidc, github }) => (oidc === undefined) !== (github === undefined), { error: oneProvider.message })
  .refine(
    ({ directory, github }) => directory === undefined || (directory.github === undefined) === (github === undefined),
    { error: matchingDirectory.message },
  )
  .meta({ 'x-kubernetes-validations': [oneProvider, matchingDirectory] });
export type IdentityProviderSpec = z.infer<typeof identityProviderSpec>;

const condition = z.strictObject({
  type: z.string().max(316),
  status: z.enum(['True', 'False', 'Unknown']),
  observedGeneration: z.int().optional(),
  lastTransitionTime: z.string().max(64),
  reason: z.string().min(1).max(1024),
  message: z.string().max(32768),
});
export type Condition = z.infer<typeof condition>;

export const statusOf = z.strictObject({
  conditions: z
    .array(condition)
    .max(8)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }),
  routes: z.int().optional().meta({ description: 'How many routes it governs or serves.' }),
});
export type Status = z.infer<typeof statusOf>;
