// From an IdentityProvider and its Secrets to the settings with which people sign in.
import { complain, parseSpec } from './parse.ts';
import type { SecretReader } from './client-authentication.ts';
import { createReader, readAuthority, readClientAuthentication, readClientSecret } from './client-authentication.ts';
import { createMemory } from './remember.ts';
import { directorySecretRef, readDirectory } from './directory.ts';
import { readGitHub } from './github.ts';
import type { World } from './world.ts';
import { Redacted } from '../model/diagnostic.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { identityProviderSpec } from '../model/kinds.ts';
import type { IdentityProviderSpec } from '../model/kinds.ts';
import type { OidcSpec } from '../model/oidc-spec.ts';
import type { ProgramSpec } from '../model/program-spec.ts';
import type { LabelSelector } from '../model/selector.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { ClaimPaths, OidcSettings, ProgramSettings, ProviderSettings } from '../model/settings.ts';

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
  const { clientSecretRef, caSecretRef } = spec.oidc ?? spec.github ?? {};
  const secrets: Secrets = {
    client: lookUp(clientSecretRef),
    ca: lookUp(caSecretRef),
    key: lookUp(spec.oidc?.clientAuthentication?.keySecretRef),
    certificate: lookUp(spec.oidc?.clientAuthentication?.certificateSecretRef),
    directory: lookUp(directorySecretRef(spec.directory)),
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
  readonly directory: LookedUp;
}

function buildProvider(object: KubernetesObject, spec: IdentityProviderSpec, secrets: Secrets): ProviderReading {
  const { oidc, github, allowedNamespaces, displayName } = spec;
  const reader = createReader(object);
  const ofGitHub = github && readGitHub(reader, github, secrets);
  const spoken = oidc ? readOidc(reader, oidc, secrets) : ofGitHub;
  const directory = spec.directory && readDirectory(reader, spec.directory, secrets.directory, ofGitHub);
  const found = [...reader.found, ...(oidc ? checkIssuer(object, oidc) : [])];
  const isReady = found.length === 0 && (spec.directory === undefined || directory !== undefined);
  const settings: ProviderSettings | undefined = spoken && {
    ...spoken,
    name: object.metadata.name,
    ...(displayName !== undefined && { displayName }),
    ...(directory && { directory }),
  };
  return {
    object,
    ...(isReady && settings && { settings }),
    ...(allowedNamespaces && { allowedNamespaces: allowedNamespaces.selector }),
    diagnostics: found,
  };
}

/** `undefined` where it cannot be used, which the reader then knows, or where a Secret is yet to come. */
function readOidc(reader: SecretReader, oidc: OidcSpec, secrets: Secrets): Omit<OidcSettings, 'name'> | undefined {
  const clientSecret = readClientSecret(reader, oidc, secrets.client);
  const ca = readAuthority(reader, oidc, secrets.ca);
  const authentication = readClientAuthentication(reader, oidc, secrets);
  const isWhole =
    (oidc.clientSecretRef === undefined || clientSecret !== undefined) &&
    (oidc.caSecretRef === undefined || ca !== undefined) &&
    (oidc.clientAuthentication === undefined || authentication !== undefined);
  if (!isWhole) return undefined;
  return {
    kind: 'OpenIDConnect',
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
    ...(oidc.programs && { programs: programSettings(oidc.programs) }),
    ...(Object.keys(oidc.acrForMethods).length > 0 && { acrForMethods: oidc.acrForMethods }),
  };
}

function programSettings({ audiences, introspection }: ProgramSpec): ProgramSettings {
  return { audiences, ...(introspection && { introspection }) };
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

function checkIssuer(object: KubernetesObject, { issuer, insecureIssuer }: OidcSpec) {
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
