// From spec.github of an IdentityProvider, and the Secrets that it names, to how people sign in at GitHub.
import type { SecretReader } from './client-authentication.ts';
import type { World } from './world.ts';
import { isCertificate } from './certificate.ts';
import { Redacted } from '../model/diagnostic.ts';
import type { GitHubSpec } from '../model/directory-spec.ts';
import type { GitHubSettings } from '../model/settings.ts';

type LookedUp = ReturnType<World['secret']> | undefined;

/** `undefined` where it cannot be used, which the reader then knows, or where a Secret is yet to come. */
export function readGitHub(
  reader: SecretReader,
  { clientID, clientSecretRef, host, organizations, user, caSecretRef }: GitHubSpec,
  secrets: { readonly client: LookedUp; readonly ca: LookedUp },
): Omit<GitHubSettings, 'name'> | undefined {
  const secretPath = 'spec.github.clientSecretRef';
  const clientSecret = reader.text(secrets.client, clientSecretRef, secretPath)?.trim();
  if (clientSecret === '')
    reader.complain('SecretInvalid', secretPath, `the key ${clientSecretRef.key} of its Secret is empty`);
  const caPath = 'spec.github.caSecretRef';
  const ca = reader.text(secrets.ca, caSecretRef && { ...caSecretRef, key: 'ca.crt' }, caPath);
  if (ca !== undefined && !isCertificate(ca))
    reader.complain('SecretInvalid', caPath, 'ca.crt of its Secret is not a PEM certificate');
  if (clientSecret === undefined || (caSecretRef !== undefined && ca === undefined)) return undefined;
  return {
    kind: 'GitHub',
    clientId: clientID,
    clientSecret: new Redacted(clientSecret),
    ...placeOf(host),
    userName: user,
    organizations: organizations ?? [],
    ...(ca !== undefined && { ca }),
  };
}

/** GitHub with data residency has its API beside it, an Enterprise Server below it. */
function placeOf(host: string): Pick<GitHubSettings, 'webUrl' | 'apiUrl' | 'restPath'> {
  const webUrl = `https://${host}`;
  if (host === 'github.com' || host.endsWith('.ghe.com'))
    return { webUrl, apiUrl: `https://api.${host}`, restPath: '' };
  return { webUrl, apiUrl: webUrl, restPath: '/api/v3' };
}
