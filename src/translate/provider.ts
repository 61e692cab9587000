// From an IdentityProvider and its Secrets to the settings with which people sign in.
import { complain, parseSpec } from './parse.ts';
import { createReader, readAuthority, readClientAuthentication, readClientSecret } from './client-authentication.ts';
import { createMemory } from './remember.ts';
import type { World } from './world.ts';
import { Redacted } from '../model/diagnostic.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { identityProviderSpec } from '../model/kinds.ts';
import type { IdentityProviderSpec } from '../model/kinds.ts';
import type { OidcSpec } from '../model/oidc-spec.ts';
import type { LabelSelector } from '../model/selector.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { ClaimPaths, ProviderSettings } from '../model/settings.ts';

export interface ProviderReading {
  readonly object: KubernetesObject;
  /** Absent: it cannot be used. */
  readonly settings?: ProviderSettings;
  /** Whose policies may name it; absent: nobody's. */
  readonly allowedNamespaces?: LabelSelector;
  readonly diagnostics: readonly Diagnostic[];
}

const rememberProvider = createMemory<ProviderReading>();

/** Reads a provider, and notes the Secrets that it names. */
export function readProvider(world: World, object: KubernetesObject): ProviderReading {
  const { value: spec, diagnostics } = parseSpec(object, identityProviderSpec);
  if (spec === undefined) return { object, diagnostics };
  const lookUp = (reference: SecretReference | undefined) =>
    reference && world.secret(`${reference.namespace}/${reference.name}`);
  const { clientSecretRef, caSecretRef, clientAuthentication } = spec.oidc;
  const secrets: Secrets = {
    client: lookUp(clientSecretRef),
    ca: lookUp(caSecretRef),
    key: lookUp(clientAuthentication?.keySecretRef),
    certificate: lookUp(clientAuthentication?.certificateSecretRef),
  };
  return rememberProvider(object, Object.values(secrets), () => buildProvider(object, spec, secrets));
}

type LookedUp = ReturnType<World['secret']> | undefined;
type SecretReference = { readonly namespace: string; readonly name: string };
interface Secrets {
  readonly client: LookedUp;
  readonly ca: LookedUp;
  readonly key: LookedUp;
  readonly certificate: LookedUp;
}

function buildProvider(object: KubernetesObject, spec: IdentityProviderSpec, secrets: Secrets): ProviderReading {
  const { oidc, allowedNamespaces } = spec;
  const reader = createReader(object);
  const clientSecret = readClientSecret(reader, oidc, secrets.client);
  const ca = readAuthority(reader, oidc, secrets.ca);
  const authentication = readClientAuthentication(reader, oidc, secrets);
  const found = [...reader.found, ...checkIssuer(object, oidc)];
  const isReady =
    found.length === 0 &&
    (oidc.clientSecretRef === undefined || clientSecret !== undefined) &&
    (oidc.caSecretRef === undefined || ca !== undefined) &&
    (oidc.clientAuthentication === undefined || authentication !== undefined);
  const settings: ProviderSettings = {
    kind: 'OpenIDConnect',
    name: object.metadata.name,
    ...(spec.displayName !== undefined && { displayName: spec.displayName }),
    issuer: oidc.issuer,
    allowInsecure: isPlain(oidc.issuer),
    clientId: oidc.clientID,
    ...(clientSecret !== undefined && { clientSecret: new Redacted(clientSecret) }),
    ...(authentication && { clientAuthentication: authentication }),
    pushedRequests: oidc.pushedAuthorizationRequests,
    ...(oidc.tenants && { tenants: oidc.tenants.map((tenant) => tenant.toLowerCase()) }),
    scopes: oidc.scopes,
    claims: claimPaths(oidc.claims),
    allowUnverifiedEmail: oidc.allowUnverifiedEmail,
    authorizationParameters: oidc.authorizationParameters ?? {},
    ...(ca !== undefined && { ca }),
    logoutAtProvider: oidc.logout === 'Provider',
  };
  return {
    object,
    ...(isReady && { settings }),
    ...(allowedNamespaces && { allowedNamespaces: allowedNamespaces.selector }),
    diagnostics: found,
  };
}

function claimPaths(claims: OidcSpec['claims']): ClaimPaths {
  const { user = 'sub', userPath, email = 'email', emailPath, groups = 'groups', groupsPath } = claims ?? {};
  const separator = claims?.groupsSeparator;
  return {
    user: userPath ?? [user],
    email: emailPath ?? [email],
    groups: groupsPath ?? [groups],
    ...(separator !== undefined && { groupsSeparator: separator }),
  };
}

function checkIssuer(object: KubernetesObject, { issuer, insecureIssuer }: IdentityProviderSpec['oidc']) {
  const path = 'spec.oidc.issuer';
  if (!URL.canParse(issuer)) return [complain(object, 'ObjectInvalid', path, 'this is not a URL')];
  if (!isPlain(issuer) || isLocalhost(issuer) || insecureIssuer) return [];
  const message = 'plain http is for localhost alone: use https, or say insecureIssuer: true for a test';
  return [complain(object, 'ObjectInvalid', path, message)];
}

function isPlain(issuer: string): boolean {
  return issuer.startsWith('http:');
}

function isLocalhost(issuer: string): boolean {
  const hostname = URL.parse(issuer)?.hostname ?? '';
  return (
    hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '127.0.0.1' || hostname === '[::1]'
  );
}
