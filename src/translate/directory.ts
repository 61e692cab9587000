// From spec.directory of an IdentityProvider, and the Secrets that it names, to how people's groups are asked for.
import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import type { SecretReader } from './client-authentication.ts';
import type { World } from './world.ts';
import { Redacted } from '../model/diagnostic.ts';
import type {
  DirectorySettings,
  EntraDirectory,
  GitHubDirectory,
  GoogleDirectory,
  OktaDirectory,
  SigningKey,
} from '../model/directory-settings.ts';
import type { DirectorySpec } from '../model/directory-spec.ts';
import { parseDuration } from '../model/duration.ts';
import type { GitHubSettings } from '../model/settings.ts';

type LookedUp = ReturnType<World['secret']> | undefined;
interface Reference {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}

/** The one Secret that a directory names, whichever it is. */
export function directorySecretRef(
  spec: DirectorySpec | undefined,
): (Reference & { readonly path: string }) | undefined {
  const { google, entra, okta, github } = spec ?? {};
  const named: readonly (readonly [string, Reference | undefined])[] = [
    ['google.serviceAccountSecretRef', google?.serviceAccountSecretRef],
    ['entra.clientSecretRef', entra?.clientSecretRef],
    ['okta.tokenSecretRef', okta?.tokenSecretRef],
    ['okta.app.privateKeySecretRef', okta?.app?.privateKeySecretRef],
    ['github.tokenSecretRef', github?.tokenSecretRef],
    ['github.app.privateKeySecretRef', github?.app?.privateKeySecretRef],
  ];
  const [path = '', reference] = named.find(([, one]) => one !== undefined) ?? [];
  return reference && { ...reference, path: `spec.directory.${path}` };
}

/** Where GitHub is. */
export type GitHubPlace = Pick<GitHubSettings, 'webUrl' | 'apiUrl' | 'restPath' | 'ca'>;

/** `undefined` where it cannot be used, which the reader then knows, or where its Secret is yet to come. */
export function readDirectory(
  reader: SecretReader,
  spec: DirectorySpec,
  secret: LookedUp,
  place: GitHubPlace | undefined,
): DirectorySettings | undefined {
  const reference = directorySecretRef(spec);
  const text = reference && reader.text(secret, reference, reference.path)?.trim();
  if (reference === undefined || text === undefined) return undefined;
  const found = text === '' ? 'empty' : build(spec, text, place);
  if (typeof found === 'object') return { ...found, intervalMs: parseDuration(spec.interval) };
  reader.complain('SecretInvalid', reference.path, `the key ${reference.key} of its Secret is ${found}`);
  return undefined;
}

type Built = GoogleDirectory | EntraDirectory | OktaDirectory | GitHubDirectory;
/** What is wrong with a Secret. */
type Wrong = string;

function build(
  { google, entra, okta, github }: DirectorySpec,
  text: string,
  place: GitHubPlace | undefined,
): Built | Wrong {
  if (google !== undefined) return fromGoogle(google, text);
  if (entra !== undefined) return fromEntra(entra, text);
  if (okta !== undefined) return fromOkta(okta, text);
  if (github !== undefined && place !== undefined) return fromGitHub(github, place, text);
  return 'of no use: directory.github goes with github';
}

type Spec<Kind extends keyof DirectorySpec> = NonNullable<DirectorySpec[Kind]>;

const keyFile = z.object({
  type: z.literal('service_account'),
  client_email: z.string().min(1),
  private_key: z.string(),
  private_key_id: z.string().optional(),
});

function fromGoogle({ administrator }: Spec<'google'>, text: string): GoogleDirectory | Wrong {
  const read = keyFile.safeParse(parsed(text));
  const key = read.success ? signingKey(read.data.private_key, read.data.private_key_id) : undefined;
  if (!read.success || key === undefined) return 'not the key file of a Google service account';
  return {
    type: 'Google',
    apiUrl: 'https://admin.googleapis.com',
    // Not the `token_uri` of the file: our assertion goes to Google, and to nobody whom a file names.
    tokenUrl: 'https://oauth2.googleapis.com',
    serviceAccount: read.data.client_email,
    key,
    ...(administrator !== undefined && { administrator }),
  };
}

// https://learn.microsoft.com/graph/deployments, https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
const clouds = {
  Global: { tokenUrl: 'https://login.microsoftonline.com', apiUrl: 'https://graph.microsoft.com' },
  USGovernment: { tokenUrl: 'https://login.microsoftonline.us', apiUrl: 'https://graph.microsoft.us' },
  USGovernmentDoD: { tokenUrl: 'https://login.microsoftonline.us', apiUrl: 'https://dod-graph.microsoft.us' },
  China: { tokenUrl: 'https://login.partner.microsoftonline.cn', apiUrl: 'https://microsoftgraph.chinacloudapi.cn' },
} as const;

function fromEntra({ tenantID, clientID, groupNames, cloud }: Spec<'entra'>, text: string): EntraDirectory {
  const application = { tenant: tenantID, clientId: clientID, clientSecret: new Redacted(text) };
  return { type: 'Entra', ...clouds[cloud], ...application, groupNames };
}

function fromOkta({ url, app }: Spec<'okta'>, text: string): OktaDirectory | Wrong {
  const okta = { type: 'Okta', apiUrl: url } as const;
  if (app === undefined) return { ...okta, credential: { type: 'Token', token: new Redacted(text) } };
  const key = signingKey(text, app.keyID);
  return key === undefined ? noKey : { ...okta, credential: { type: 'App', clientId: app.clientID, key } };
}

function fromGitHub(
  { organizations, app }: Spec<'github'>,
  { apiUrl, restPath, ca }: GitHubPlace,
  text: string,
): GitHubDirectory | Wrong {
  const graphqlPath = restPath === '' ? '/graphql' : '/api/graphql';
  const github = {
    type: 'GitHub',
    apiUrl,
    restPath,
    graphqlPath,
    organizations,
    ...(ca !== undefined && { ca }),
  } as const;
  if (app === undefined) return { ...github, credential: { type: 'Token', token: new Redacted(text) } };
  const key = signingKey(text);
  return key === undefined ? noKey : { ...github, credential: { type: 'App', appId: app.id, key } };
}

const noKey = 'not an unencrypted RSA private key in PEM of at least 2048 bits';

function signingKey(pem: string, id?: string): SigningKey | undefined {
  try {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPrivateKey(pem);
    if (type !== 'rsa' || (details?.modulusLength ?? 0) < 2048) return undefined;
    return { pem: new Redacted(pem), ...(id !== undefined && { id }) };
  } catch {
    return undefined;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
