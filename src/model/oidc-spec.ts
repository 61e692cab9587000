// What an IdentityProvider says of an OpenID Connect provider, as a zod schema.
import { z } from 'zod';
import { programSpec } from './program-spec.ts';
import { formed, secretKeyReference, secretReference } from './fields.ts';

const claimName = z.string().min(1).max(256);
// A list, because the names of claims hold dots and slashes.
const claimPath = z.array(claimName).min(1).max(8).optional();

const claims = z.strictObject({
  user: claimName.default('sub').meta({ description: 'The claim that names the person for good.' }),
  userPath: claimPath.meta({
    description: 'The way to a claim within others, instead of user: [federated_claims, user_id].',
  }),
  email: claimName.default('email').meta({ description: 'The claim that holds the e-mail address.' }),
  emailPath: claimPath.meta({ description: 'The way to a claim within others, instead of email.' }),
  groups: claimName.default('groups').meta({ description: 'The claim that lists the groups.' }),
  groupsPath: claimPath.meta({
    description:
      'The way to a claim within others, instead of groups: [realm_access, roles]. Of a list of objects, to that of each.',
  }),
  groupsSeparator: z.string().min(1).max(8).optional().meta({
    description: 'What stands between the groups where the claim is one text. Without it a text is one group.',
  }),
});

const needsKey = {
  rule: "self.method != 'PrivateKeyJwt' || has(self.keySecretRef) != has(self.certificateSecretRef)",
  message: 'PrivateKeyJwt needs either keySecretRef or certificateSecretRef',
};
const needsCertificate = {
  rule: "self.method != 'TlsClientAuth' || has(self.certificateSecretRef)",
  message: 'TlsClientAuth needs certificateSecretRef',
};
const clientAuthentication = z
  .strictObject({
    method: z.enum(['ClientSecretBasic', 'ClientSecretPost', 'PrivateKeyJwt', 'TlsClientAuth', 'None']).meta({
      description:
        'ClientSecretBasic, ClientSecretPost: with the client secret. PrivateKeyJwt: with a JWT of our own key (RFC 7523). TlsClientAuth: with a client certificate (RFC 8705). None: a public client.',
    }),
    keySecretRef: secretKeyReference.optional().meta({
      description: 'The private key that signs, PKCS #8 as PEM: RSA, P-256 or Ed25519.',
    }),
    keyID: z.string().min(1).max(256).optional().meta({ description: 'The kid by which the provider knows the key.' }),
    certificateSecretRef: secretReference.optional().meta({
      description:
        'A kubernetes.io/tls Secret: the client certificate, or the key that signs and its certificate, as Entra ID wants it.',
    }),
  })
  .refine(
    ({ method, keySecretRef, certificateSecretRef }) =>
      method !== 'PrivateKeyJwt' || (keySecretRef === undefined) !== (certificateSecretRef === undefined),
    { error: needsKey.message },
  )
  .refine(({ method, certificateSecretRef }) => method !== 'TlsClientAuth' || certificateSecretRef !== undefined, {
    error: needsCertificate.message,
  })
  .meta({ 'x-kubernetes-validations': [needsKey, needsCertificate] });

export const oidcSpec = z
  .strictObject({
    issuer: formed(/^https?:\/\/[^\s?#]+$/, 2048, 'an https URL without query or fragment is wanted').meta({
      description: 'The issuer, exactly as the provider spells it. http only for localhost, or with insecureIssuer.',
    }),
    insecureIssuer: z
      .boolean()
      .default(false)
      .meta({ description: 'Allows an issuer over plain http that is not localhost.' }),
    clientID: z.string().min(1).max(1024).meta({ description: 'The client id that the provider gave.' }),
    clientSecretRef: secretKeyReference
      .optional()
      .meta({ description: 'Where the client secret is; absent for a public client.' }),
    clientAuthentication: clientAuthentication.optional().meta({
      description: 'How we prove to the provider who we are. By default with the client secret.',
      closed: true,
    }),
    pushedAuthorizationRequests: z.enum(['Auto', 'Required', 'Off']).default('Auto').meta({
      description:
        'Whether a sign-in is announced to the provider first (RFC 9126), so that its parameters do not travel through the browser. Auto: where the provider requires it.',
    }),
    tenants: z
      .array(formed(/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/, 36, 'a tenant id is wanted'))
      .min(1)
      .max(64)
      .optional()
      .meta({
        description:
          'Ids of the Entra ID tenants whose people may sign in, where the issuer is that of several: https://login.microsoftonline.com/organizations/v2.0.',
      }),
    scopes: z
      .array(z.string().min(1).max(256))
      .max(32)
      .refine((scopes) => scopes.includes('openid'), { error: 'the scope openid is needed' })
      .default(['openid', 'email', 'profile', 'groups', 'offline_access'])
      .meta({
        description: 'Scopes asked for.',
        'x-kubernetes-validations': [
          { rule: "self.exists(scope, scope == 'openid')", message: 'the scope openid is needed' },
        ],
      }),
    claims: claims.optional().meta({ description: 'Which claims hold what we need to know.', closed: true }),
    allowUnverifiedEmail: z.boolean().default(false).meta({
      description:
        'Believes an e-mail address that the provider does not say it has verified, as Entra ID never does; and any address from a claim other than email.',
    }),
    authorizationParameters: z
      .record(z.string(), z.string().max(1024))
      .optional()
      .meta({ description: 'Further parameters of the authorization request, such as hd or prompt.' }),
    acrForMethods: z
      .record(
        z.string(),
        z
          .string()
          .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/)
          .max(256),
      )
      .refine((methods) => Object.keys(methods).length <= 16, { error: 'at most 16 are allowed' })
      .default({})
      .meta({
        description:
          'The acr to ask the provider for (acr_values) where a policy wants an authenticationMethod that the sign-in lacks, such as mfa.',
        maxProperties: 16,
      }),
    caSecretRef: secretReference.optional().meta({ description: 'A Secret whose ca.crt signs the provider.' }),
    logout: z
      .enum(['Provider', 'Local'])
      .default('Provider')
      .meta({ description: 'Whether signing out also ends the session at the provider.' }),
    programs: programSpec.optional().meta({
      description: 'Access tokens of this provider that programs may bring; absent: none.',
      closed: true,
    }),
  })
  .meta({ description: 'An OpenID Connect provider.', closed: true });
export type OidcSpec = z.infer<typeof oidcSpec>;
