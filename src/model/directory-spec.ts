// What an IdentityProvider says of the directory that knows people's groups, as a zod schema.
import { z } from 'zod';
import { duration, parseDuration } from './duration.ts';
import { formed, oneOf, secretKeyReference, secretReference } from './fields.ts';

const identifier = z.string().min(1).max(256);

const google = z
  .strictObject({
    serviceAccountSecretRef: secretKeyReference.meta({
      description: 'The key file of a Google service account, JSON as Google gives it.',
    }),
    administrator: formed(/^[^\s@]+@[^\s@]+$/, 254, 'an e-mail address is wanted')
      .optional()
      .meta({
        description:
          'The administrator in whose name the service account asks, by domain-wide delegation. Absent: it has the role Groups Reader itself.',
      }),
  })
  .meta({
    description:
      "Google Workspace: groups a person is directly in, by their address. Scope: admin.directory.group.readonly. Asked by the person's verified e-mail address.",
  });

const entra = z
  .strictObject({
    tenantID: formed(/^[0-9a-zA-Z][0-9a-zA-Z.-]*$/, 253, "a tenant's id or one of its domains is wanted").meta({
      description: "The tenant's id, or one of its domains.",
    }),
    clientID: identifier.meta({ description: 'The application; that of the sign-in may be used.' }),
    clientSecretRef: secretKeyReference.meta({ description: 'Where its client secret is.' }),
    groupNames: z.enum(['Id', 'DisplayName']).default('Id').meta({
      description:
        'What groups are called: by their object ids, as tokens do, or by their names, which whoever may make groups can give to others as well.',
    }),
    cloud: z
      .enum(['Global', 'USGovernment', 'USGovernmentDoD', 'China'])
      .default('Global')
      .meta({ description: 'The cloud that the tenant lives in.' }),
  })
  .meta({
    description:
      'Entra ID: all groups of a person, nested ones too, by Microsoft Graph. Application permission: GroupMember.Read.All. Asked by the claim oid.',
  });

const okta = oneOf(
  z.strictObject({
    url: formed(/^https:\/\/[^\s/?#@]+$/, 2048, 'the https address of the organization is wanted, without a path').meta(
      {
        description: "The organization's own address: https://example.okta.com.",
      },
    ),
    tokenSecretRef: secretKeyReference
      .optional()
      .meta({ description: 'An API token. It may do whatever its owner may: an app may do less.' }),
    app: z
      .strictObject({
        clientID: identifier.meta({ description: 'The client id of the API Services app.' }),
        keyID: identifier.optional().meta({ description: 'The kid of its public key.' }),
        privateKeySecretRef: secretKeyReference.meta({ description: 'The private key, RSA as PEM.' }),
      })
      .optional()
      .meta({
        description: 'An API Services app with the scope okta.users.read, and the role Read-only Administrator.',
      }),
  }),
  ['tokenSecretRef', 'app'],
  'either tokenSecretRef or app is wanted',
);

const organizations = z
  .array(formed(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 39, 'the login of an organization is wanted'))
  .min(1)
  .max(16);

const githubHost = formed(
  /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+(:[0-9]{1,5})?$/,
  259,
  'a lower-case host name is wanted, such as github.com or github.example.com',
);

const github = oneOf(
  z.strictObject({
    organizations: organizations.meta({
      description: 'Organizations, as GitHub spells them. A person is in the groups acme and acme/team.',
    }),
    tokenSecretRef: secretKeyReference
      .optional()
      .meta({ description: 'A personal access token with read:org, or fine-grained with Members: read.' }),
    app: z
      .strictObject({
        id: identifier.meta({ description: 'Its client id, or its app id.' }),
        privateKeySecretRef: secretKeyReference.meta({ description: 'Its private key, as GitHub gives it.' }),
      })
      .optional()
      .meta({ description: 'A GitHub App with the permission Members: read, installed in each organization.' }),
  }),
  ['tokenSecretRef', 'app'],
  'either tokenSecretRef or app is wanted',
);

const minIntervalMs = 60_000;
const intervalWanted = 'a duration from 1m to 720h is wanted';

export const directorySpec = oneOf(
  z.strictObject({
    interval: duration
      .refine((text) => parseDuration(text) >= minIntervalMs, { error: intervalWanted })
      .default('10m')
      .meta({
        description: 'How long what it said is believed: within it, somebody who left a group is out.',
        'x-kubernetes-validations': [
          { rule: "duration(self) >= duration('1m') && duration(self) <= duration('720h')", message: intervalWanted },
        ],
      }),
    google: google.optional(),
    entra: entra.optional(),
    okta: okta.optional().meta({ description: 'Okta: groups by their names. Asked by the claim uid, else sub.' }),
    github: github.optional().meta({
      description: 'GitHub: organizations and teams. Goes with spec.github, whose host is asked.',
    }),
  }),
  ['google', 'entra', 'okta', 'github'],
  'exactly one of google, entra, okta and github is wanted',
);
export type DirectorySpec = z.infer<typeof directorySpec>;

export const githubSpec = z.strictObject({
  clientID: identifier.meta({ description: 'The client id of the OAuth app or the GitHub App.' }),
  clientSecretRef: secretKeyReference.meta({ description: 'Where its client secret is.' }),
  host: githubHost.default('github.com').meta({
    description: 'github.com, example.ghe.com, or the host of a GitHub Enterprise Server.',
  }),
  organizations: organizations.optional().meta({
    description:
      'Only members of one of these may sign in, and groups are those of these alone. Absent: everybody who has an account there.',
  }),
  user: z.enum(['Id', 'Login']).default('Id').meta({
    description:
      'What names a person: their id, which is for good, or their login, which they can change and somebody else can then take.',
  }),
  caSecretRef: secretReference
    .optional()
    .meta({ description: 'A Secret whose ca.crt signs a GitHub Enterprise Server.' }),
});
export type GitHubSpec = z.infer<typeof githubSpec>;
