// From a kubernetes.io/tls Secret to a certificate that a listener can serve.
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { complain } from './parse.ts';
import { secretValue } from './content.ts';
import type { World } from './world.ts';
import { Redacted } from '../model/diagnostic.ts';
import type { Diagnostic, DiagnosticCode } from '../model/diagnostic.ts';
import { objectKey } from '../model/objects.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { Certificate, HostRoutes } from '../model/route.ts';

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
  const name = objectKey(secret.metadata);
  const expiresAt = leaf.validToDate.getTime();
  return { certificate: { name, chain, key: new Redacted(key), expiresAt }, leaf, diagnostics: [] };
}

/** Whether a certificate names a host (RFC 9525); for a wildcard host, whether it names that wildcard. */
export function namesHost(leaf: X509Certificate, host: string): boolean {
  const probe = host.startsWith('*.') ? `wildcard-probe${host.slice(1)}` : host;
  return leaf.checkHost(probe, { subject: 'never', partialWildcards: false }) !== undefined;
}

// Two weeks, and of a short life less: who renews after two thirds of it is not told each time.
const soonMs = 14 * 86_400_000;
const soonShare = 0.3;

/**
 * What is wrong with a certificate at this moment, told of the object whose field names its Secret: people look there. It is
 * served all the same, for a person can choose to go on.
 */
export function checkDates(
  object: KubernetesObject,
  path: string,
  { name }: Certificate,
  { validFromDate, validToDate }: X509Certificate,
  { isPast }: Pick<World, 'isPast'>,
): readonly Diagnostic[] {
  const [from, to] = [validFromDate.getTime(), validToDate.getTime()];
  const warn = (code: DiagnosticCode, predicate: string) => [
    complain(object, code, path, `the certificate in Secret ${name} ${predicate}`, 'warning'),
  ];
  if (isPast(to)) return warn('CertificateInvalid', `expired on ${validToDate.toISOString()}: browsers will warn`);
  if (!isPast(from))
    return warn('CertificateInvalid', `is valid from ${validFromDate.toISOString()} on: until then browsers will warn`);
  if (!isPast(to - Math.min(soonMs, soonShare * (to - from)))) return [];
  return warn('CertificateExpiresSoon', `expires on ${validToDate.toISOString()}: renew it, or see why nobody has`);
}

/** The certificates that are served and expire first, by the names of their Secrets. */
export function firstToExpire(
  hosts: Iterable<HostRoutes>,
  defaultCertificate: Certificate | undefined,
  count: number,
): readonly Certificate[] {
  const served = new Map<string, Certificate>();
  if (defaultCertificate !== undefined) served.set(defaultCertificate.name, defaultCertificate);
  for (const { certificate } of hosts) if (certificate !== undefined) served.set(certificate.name, certificate);
  return [...served.values()]
    .toSorted((a, b) => a.expiresAt - b.expiresAt || (a.name < b.name ? -1 : 1))
    .slice(0, count);
}

/** Whether a text begins with a PEM certificate. */
export function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0;
  } catch {
    return false;
  }
}

/** Whether a text holds PEM certificates, each of which can be read. */
export function areCertificates(text: string): boolean {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.length > 0 && blocks.length === text.split('-----BEGIN').length - 1 && blocks.every(isCertificate);
}
