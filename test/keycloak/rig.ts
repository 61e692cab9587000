// Sallyport with the demo's applications, as in test/integration, whose people sign in at a realm of the real Keycloak.
import assert from 'node:assert/strict';
import { createClient } from '../integration/client.ts';
import type { Answer, Client } from '../integration/client.ts';
import { startRig } from '../integration/rig.ts';
import type { Rig, RigOptions } from '../integration/rig.ts';
import { useKeycloak } from './keycloak.ts';
import { createRealm, oneTimeCode } from './realm.ts';
import type { Realm } from './realm.ts';

export interface KeycloakRig extends Rig {
  readonly realm: Realm;
}

export interface KeycloakRigOptions {
  /** The client of realm.json that Sallyport is. */
  readonly clientId?: string;
  /** Further lines below `oidc:` of the IdentityProvider; 8080 there becomes Sallyport's port. */
  readonly oidc?: string;
  /** Changes the demo's manifests. */
  readonly prepare?: (text: string) => string;
  readonly files?: RigOptions['files'];
}

/** The realm is called `name`, which no other test of the process may use. */
export async function startKeycloakRig(
  name: string,
  { clientId = 'sallyport', oidc = '', prepare = (text) => text, files = {} }: KeycloakRigOptions = {},
): Promise<KeycloakRig> {
  const keycloak = await useKeycloak();
  try {
    const provider = (port: number) =>
      providerManifest(`${keycloak.url}/realms/${name}`, clientId, oidc.replaceAll('8080', String(port)));
    const rig = await startRig({
      prepare: (text, port) => (text.includes('kind: IdentityProvider') ? provider(port) : prepare(text)),
      files,
    });
    try {
      const realm = await createRealm(keycloak, name, rig.port);
      const stop = async () => {
        await rig.stop();
        await keycloak.release();
      };
      return { ...rig, realm, stop };
    } catch (error) {
      await rig.stop();
      throw error;
    }
  } catch (error) {
    await keycloak.release();
    throw error;
  }
}

function providerManifest(issuer: string, clientId: string, oidc: string): string {
  const ownProof = oidc.includes('clientAuthentication');
  // Without offline_access: sessions with it outlive a sign-out at Keycloak.
  return `
apiVersion: sallyport.dev/v1alpha1
kind: IdentityProvider
metadata: {name: demo}
spec:
  oidc:
    issuer: ${issuer}
    clientID: ${clientId}
    ${ownProof ? '' : 'clientSecretRef: {namespace: sallyport-system, name: keycloak, key: clientSecret}'}
    scopes: [openid, email, profile]
${oidc.replaceAll(/^/gm, '    ')}
---
apiVersion: v1
kind: Secret
metadata: {name: keycloak, namespace: sallyport-system}
stringData: {clientSecret: ${clientId}-secret}
`;
}

/** Fills in the form that Keycloak shows, and goes on to where it leads. */
export function submit(client: Client, page: Answer, fields: Record<string, string>): Promise<Answer> {
  const action = /<form[^>]*\baction="([^"]+)"/.exec(page.body)?.[1]?.replaceAll('&amp;', '&');
  assert.ok(action !== undefined, `a form at ${page.url.href}, ${page.status}: ${page.body.slice(0, 2_000)}`);
  return client.visit(new URL(action, page.url), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  });
}

/** What this page answers before any redirect; a request that is under way when its session ends is broken off. */
export async function statusOf(client: Client, url: string): Promise<number | 'BrokenOff'> {
  try {
    return (await client.visit(url, { follow: 0 })).status;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') return 'BrokenOff';
    throw error;
  }
}

/** A browser in which this person has signed in by password, on the way to `url`. */
export async function signedIn(
  url: string,
  username = 'ana',
): Promise<{ readonly client: Client; readonly arrived: Answer }> {
  const client = createClient();
  const page = await client.visit(url);
  return { client, arrived: await submit(client, page, { username, password: 'demo' }) };
}

/** Ana's second factor, where Keycloak asks for it on this page. */
export function enterCode(client: Client, page: Answer): Promise<Answer> {
  return submit(client, page, { otp: oneTimeCode('ana-has-a-telephone') });
}
