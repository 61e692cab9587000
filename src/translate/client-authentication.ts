// From the Secrets that an IdentityProvider names to how we prove who we are, and whom we believe.
import { createPrivateKey } from 'node:crypto';
import { isCertificate, readCertificate } from './certificate.ts';
import { secretValue } from './content.ts';
import { complain } from './parse.ts';
import type { World } from './world.ts';
import { Redacted } from '../model/diagnostic.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { OidcSpec } from '../model/oidc-spec.ts';
import type { ClientAuthentication } from '../model/settings.ts';

type LookedUp = ReturnType<World['secret']> | undefined;

/** Reads Secrets for one object, and collects what is wrong with them. */
export interface SecretReader {
  readonly found: Diagnostic[];
  /** The text of a key; `undefined` where it is not there (which is said), or not known yet. */
  text(secret: LookedUp, reference: Reference | undefined, path: string): string | undefined;
  complain(code: Diagnostic['code'], path: string, message: string): void;
}

interface Reference {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}

export function createReader(object: KubernetesObject): SecretReader {
  const found: Diagnostic[] = [];
  const say = (code: Diagnostic['code'], path: string, message: string) =>
    void found.push(complain(object, code, path, `${message}: nobody can sign in here`));
  return {
    found,
    complain: say,
    text(secret, reference, path) {
      if (reference === undefined || secret === undefined || secret === 'pending') return undefined;
      const { namespace, name, key } = reference;
      const bytes = secret === 'missing' ? undefined : secretValue(secret, key);
      if (bytes !== undefined) return bytes.toString('utf8');
      const lacks = secret === 'missing' ? 'there is no' : `there is no key ${key} in`;
      say('SecretNotFound', path, `${lacks} Secret ${namespace}/${name}`);
      return undefined;
    },
  };
}

export function readClientSecret(reader: SecretReader, { clientSecretRef }: OidcSpec, secret: LookedUp) {
  const path = 'spec.oidc.clientSecretRef';
  const text = reader.text(secret, clientSecretRef, path)?.trim();
  if (text === '')
    reader.complain('SecretInvalid', path, `the key ${clientSecretRef?.key ?? ''} of its Secret is empty`);
  return text;
}

export function readAuthority(reader: SecretReader, { caSecretRef }: OidcSpec, secret: LookedUp) {
  const path = 'spec.oidc.caSecretRef';
  const text = reader.text(secret, caSecretRef && { ...caSecretRef, key: 'ca.crt' }, path);
  if (text !== undefined && !isCertificate(text))
    reader.complain('SecretInvalid', path, 'ca.crt of its Secret is not a PEM certificate');
  return text;
}

/** `undefined` where nothing is said of it, or where it cannot be used. */
export function readClientAuthentication(
  reader: SecretReader,
  { clientSecretRef, clientAuthentication }: OidcSpec,
  secrets: { readonly key: LookedUp; readonly certificate: LookedUp },
): ClientAuthentication | undefined {
  if (clientAuthentication === undefined) return undefined;
  const { method, keyID } = clientAuthentication;
  switch (method) {
    case 'None':
      return { method };
    case 'ClientSecretBasic':
    case 'ClientSecretPost':
      if (clientSecretRef !== undefined) return { method };
      reader.complain('ObjectInvalid', 'spec.oidc.clientAuthentication.method', `${method} needs clientSecretRef`);
      return undefined;
    case 'PrivateKeyJwt': {
      const pair =
        clientAuthentication.keySecretRef === undefined
          ? readPair(reader, clientAuthentication, secrets.certificate)
          : readKey(reader, clientAuthentication, secrets.key);
      return pair && { method, ...pair, ...(keyID !== undefined && { keyId: keyID }) };
    }
    case 'TlsClientAuth': {
      const pair = readPair(reader, clientAuthentication, secrets.certificate);
      return pair && { method, ...pair };
    }
  }
}

type Spec = NonNullable<OidcSpec['clientAuthentication']>;

function readKey(reader: SecretReader, { keySecretRef }: Spec, secret: LookedUp) {
  const path = 'spec.oidc.clientAuthentication.keySecretRef';
  const text = reader.text(secret, keySecretRef, path);
  if (text === undefined) return undefined;
  const wrong = keyFault(text);
  if (wrong === undefined) return { key: new Redacted(text) };
  reader.complain('SecretInvalid', path, `the key ${keySecretRef?.key ?? ''} of its Secret is ${wrong}`);
  return undefined;
}

function readPair(reader: SecretReader, { certificateSecretRef, method }: Spec, secret: LookedUp) {
  const path = 'spec.oidc.clientAuthentication.certificateSecretRef';
  const chain = reader.text(secret, certificateSecretRef && { ...certificateSecretRef, key: 'tls.crt' }, path);
  if (chain === undefined || typeof secret !== 'object') return undefined;
  const { certificate, diagnostics } = readCertificate(secret);
  const wrong =
    diagnostics[0]?.message ?? (method === 'PrivateKeyJwt' ? keyFault(certificate?.key.reveal() ?? '') : undefined);
  if (certificate !== undefined && wrong === undefined) return { key: certificate.key, certificate: chain };
  reader.complain('SecretInvalid', path, `its Secret cannot be used, ${wrong ?? 'it holds no certificate'}`);
  return undefined;
}

/** What is wrong with a key that is to sign. */
function keyFault(pem: string): string | undefined {
  try {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPrivateKey(pem);
    if (type === 'ed25519') return undefined;
    if (type === 'rsa') return (details?.modulusLength ?? 0) >= 2048 ? undefined : 'an RSA key under 2048 bits';
    if (type === 'ec')
      return details?.namedCurve === 'prime256v1' ? undefined : 'an EC key on another curve than P-256';
    return 'no RSA, P-256 or Ed25519 key';
  } catch {
    return 'not an unencrypted PEM private key';
  }
}
