// From an IdentityProvider and its Secrets to the settings with which people sign in.
import { isCertificate } from './certificate.ts';
import { complain, parseSpec } from './parse.ts';
import { createMemory } from './remember.ts';
import { secretValue } from './content.ts';
import type { World } from './world.ts';
import { Redacted } from '../model/diagnostic.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { identityProviderSpec } from '../model/kinds.ts';
import type { IdentityProviderSpec } from '../model/kinds.ts';
import type { LabelSelector } from '../model/selector.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { ProviderSettings } from '../model/settings.ts';

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
  const { clientSecretRef, caSecretRef } = spec.oidc;
  const clientSecret = clientSecretRef && world.secret(`${clientSecretRef.namespace}/${clientSecretRef.name}`);
  const ca = caSecretRef && world.secret(`${caSecretRef.namespace}/${caSecretRef.name}`);
  return rememberProvider(object, [clientSecret, ca], () => buildProvider(object, spec, clientSecret, ca));
}

type LookedUp = ReturnType<World['secret']> | undefined;

function buildProvider(
  object: KubernetesObject,
  spec: IdentityProviderSpec,
  clientSecret: LookedUp,
  ca: LookedUp,
): ProviderReading {
  const { oidc, allowedNamespaces, displayName } = spec;
  const found: Diagnostic[] = [];
  const value = (
    secret: LookedUp,
    reference: { namespace: string; name: string } | undefined,
    key: string,
    path: string,
  ) => {
    if (reference === undefined || secret === undefined || secret === 'pending') return undefined;
    const bytes = secret === 'missing' ? undefined : secretValue(secret, key);
    if (bytes === undefined) {
      const lacks = secret === 'missing' ? 'there is no' : `there is no key ${key} in`;
      found.push(
        complain(
          object,
          'SecretNotFound',
          path,
          `${lacks} Secret ${reference.namespace}/${reference.name}: nobody can sign in here`,
        ),
      );
    }
    return bytes?.toString('utf8');
  };
  const secretText = value(
    clientSecret,
    oidc.clientSecretRef,
    oidc.clientSecretRef?.key ?? '',
    'spec.oidc.clientSecretRef',
  )?.trim();
  const caText = value(ca, oidc.caSecretRef, 'ca.crt', 'spec.oidc.caSecretRef');
  if (secretText === '') {
    const message = `the key ${oidc.clientSecretRef?.key ?? ''} of its Secret is empty: nobody can sign in here`;
    found.push(complain(object, 'SecretInvalid', 'spec.oidc.clientSecretRef', message));
  }
  if (caText !== undefined && !isCertificate(caText)) {
    const message = 'ca.crt of its Secret is not a PEM certificate: nobody can sign in here';
    found.push(complain(object, 'SecretInvalid', 'spec.oidc.caSecretRef', message));
  }
  found.push(...checkIssuer(object, oidc));
  const isReady =
    found.length === 0 &&
    (oidc.clientSecretRef === undefined || secretText !== undefined) &&
    (oidc.caSecretRef === undefined || caText !== undefined);
  const settings: ProviderSettings = {
    kind: 'OpenIDConnect',
    name: object.metadata.name,
    ...(displayName !== undefined && { displayName }),
    issuer: oidc.issuer,
    allowInsecure: isPlain(oidc.issuer),
    clientId: oidc.clientID,
    ...(secretText !== undefined && { clientSecret: new Redacted(secretText) }),
    scopes: oidc.scopes,
    claims: oidc.claims ?? { user: 'sub', email: 'email', groups: 'groups' },
    allowUnverifiedEmail: oidc.allowUnverifiedEmail,
    authorizationParameters: oidc.authorizationParameters ?? {},
    ...(caText !== undefined && { ca: caText }),
    logoutAtProvider: oidc.logout === 'Provider',
  };
  return {
    object,
    ...(isReady && { settings }),
    ...(allowedNamespaces && { allowedNamespaces: allowedNamespaces.selector }),
    diagnostics: found,
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
