// From a kubernetes.io/tls Secret to a certificate that a listener can serve.
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { complain } from './parse.ts';
import { secretValue } from './content.ts';
import { Redacted } from '../model/diagnostic.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { objectKey } from '../model/objects.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { Certificate } from '../model/route.ts';

export interface ReadCertificate {
  readonly certificate?: Certificate;
  /** For checking names and dates; there whenever `certificate` is. */
  readonly leaf?: X509Certificate;
  readonly diagnostics: readonly Diagnostic[];
}

const known = new WeakMap<KubernetesObject, ReadCertificate>();

/** Reads `tls.crt` and `tls.key`. A pair that does not fit, or cannot be read, is a diagnostic on the Secret. */
export function readCertificate(secret: KubernetesObject): ReadCertificate {
  const before = known.get(secret);
  if (before !== undefined) return before;
  const result = parseCertificate(secret);
  known.set(secret, result);
  return result;
}

function parseCertificate(secret: KubernetesObject): ReadCertificate {
  const wrong = (key: string, message: string) => ({
    diagnostics: [complain(secret, 'CertificateInvalid', `data[${key}]`, message)],
  });
  const chain = secretValue(secret, 'tls.crt')?.toString('utf8');
  const key = secretValue(secret, 'tls.key')?.toString('utf8');
  if (chain === undefined) return wrong('tls.crt', 'a PEM certificate chain is wanted under tls.crt');
  if (key === undefined) return wrong('tls.key', 'a PEM private key is wanted under tls.key');
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(chain);
  } catch {
    return wrong('tls.crt', 'this is not a PEM certificate');
  }
  try {
    if (!leaf.checkPrivateKey(createPrivateKey(key)))
      return wrong('tls.key', 'this key is not the one of the certificate in tls.crt');
  } catch {
    return wrong('tls.key', 'this is not an unencrypted PEM private key');
  }
  return { certificate: { name: objectKey(secret.metadata), chain, key: new Redacted(key) }, leaf, diagnostics: [] };
}

/** Whether a certificate names a host (RFC 9525); for a wildcard host, whether it names that wildcard. */
export function namesHost(leaf: X509Certificate, host: string): boolean {
  const probe = host.startsWith('*.') ? `wildcard-probe${host.slice(1)}` : host;
  return leaf.checkHost(probe, { subject: 'never', partialWildcards: false }) !== undefined;
}

/** What is wrong with a certificate at this moment: it is served all the same, for a person can choose to go on. */
export function checkDates(secret: KubernetesObject, leaf: X509Certificate, now: number): readonly Diagnostic[] {
  const path = 'data[tls.crt]';
  const { validFromDate, validToDate } = leaf;
  if (validToDate.getTime() <= now) {
    const message = `this certificate expired on ${validToDate.toISOString()}: browsers will warn`;
    return [complain(secret, 'CertificateInvalid', path, message, 'warning')];
  }
  if (validFromDate.getTime() > now) {
    const message = `this certificate is valid from ${validFromDate.toISOString()} on: until then browsers will warn`;
    return [complain(secret, 'CertificateInvalid', path, message, 'warning')];
  }
  return [];
}

/** Whether a text begins with a PEM certificate. */
export function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0;
  } catch {
    return false;
  }
}
