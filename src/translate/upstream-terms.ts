// On what terms applications are spoken to: what the class says of all of them, and what an Ingress says by annotation of its own.
import type { Annotation } from './annotation-table.ts';
import type { AnnotationReader } from './annotation-values.ts';
import { areCertificates, readCertificate } from './certificate.ts';
import { secretValue } from './content.ts';
import type { LookedUp } from './header-changes.ts';
import { isHostName } from './host-name.ts';
import { complain } from './parse.ts';
import { createMemory } from './remember.ts';
import type { World } from './world.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { SallyportSpec } from '../model/kinds.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { Certificate, Upstream } from '../model/route.ts';

/** What proves who an application is, and who we are. */
interface Proof {
  /** PEM. */
  readonly ca?: string;
  readonly clientCertificate?: Certificate;
  /** Something that is named cannot be had: without it nobody is spoken to over TLS. */
  readonly isBroken?: true;
}

export interface ClassTerms extends Proof {
  readonly requiresTls: boolean;
  readonly externalNames: readonly string[];
}

/** What an Ingress says by annotation. */
export interface OwnTerms extends Proof {
  readonly protocol?: Upstream['protocol'];
  readonly serverName?: string;
  readonly verify?: false;
  /** Whether it speaks of TLS at all. */
  readonly namesTls: boolean;
}

export interface UpstreamTerms {
  readonly class: ClassTerms;
  readonly own: OwnTerms;
}

/** Of a class that says nothing. */
export const freeTerms: ClassTerms = { requiresTls: false, externalNames: [] };
/** Of an Ingress that says nothing: one object, so that what is made of it is shared. */
export const noTerms: OwnTerms = { namesTls: false };

interface ReadClassTerms {
  readonly terms: ClassTerms;
  readonly diagnostics: readonly Diagnostic[];
}

const rememberClass = createMemory<ReadClassTerms>();

/** @param spec Absent: the Sallyport object cannot be read, and may have asked for TLS. */
export function readClassTerms(
  world: World,
  sallyport: KubernetesObject,
  spec: SallyportSpec | undefined,
): ReadClassTerms {
  if (spec === undefined) {
    return { terms: asBefore({ ...freeTerms, requiresTls: asksForTls(sallyport.spec) }), diagnostics: [] };
  }
  const { caSecretRef, clientCertificateSecretRef, tls, externalNames } = spec.upstream ?? {};
  const lookUp = (reference: { readonly namespace: string; readonly name: string } | undefined) =>
    reference && world.secret(`${reference.namespace}/${reference.name}`);
  const [ca, client] = [lookUp(caSecretRef), lookUp(clientCertificateSecretRef)];
  return rememberClass(sallyport, [ca, client], () => {
    const diagnostics: Diagnostic[] = [];
    const reader = createProofReader(sallyport, diagnostics);
    const proof = {
      ...reader.ca(ca, 'spec.upstream.caSecretRef', caSecretRef),
      ...reader.certificate(client, 'spec.upstream.clientCertificateSecretRef', clientCertificateSecretRef),
    };
    const terms = { requiresTls: tls === 'Required', externalNames: externalNames ?? [], ...proof };
    return { terms: asBefore(terms), diagnostics };
  });
}

let latest = freeTerms;

/** The object of before where it says the same: what else changes in a Sallyport is no reason to read every Ingress anew. */
function asBefore(terms: ClassTerms): ClassTerms {
  latest = [freeTerms, latest].find((before) => isSame(before, terms)) ?? terms;
  return latest;
}

function isSame(one: ClassTerms, other: ClassTerms): boolean {
  return (
    one.requiresTls === other.requiresTls &&
    one.externalNames.join(' ') === other.externalNames.join(' ') &&
    one.ca === other.ca &&
    one.clientCertificate === other.clientCertificate &&
    one.isBroken === other.isBroken
  );
}

// Read loosely: what is broken elsewhere does not make plain text of what was to be encrypted.
function asksForTls(spec: unknown): boolean {
  if (typeof spec !== 'object' || spec === null || !('upstream' in spec)) return false;
  const { upstream } = spec;
  return typeof upstream === 'object' && upstream !== null && 'tls' in upstream && upstream.tls !== 'Optional';
}

/** @param secrets Those that the annotations name, by annotation. */
export function readOwnTerms(
  read: AnnotationReader,
  ingress: KubernetesObject,
  secrets: ReadonlyMap<Annotation, LookedUp>,
): { readonly terms: OwnTerms; readonly diagnostics: readonly Diagnostic[] } {
  const protocol = read.parsed('upstream-protocol', 'http, https or h2c', (text) =>
    (['http', 'https', 'h2c'] as const).find((one) => one === text),
  );
  const serverName = read.parsed('upstream-tls-server-name', 'a lower-case host name', (text) =>
    isHostName(text) && !/(?:^|\.)\d+$/.test(text) ? text : undefined,
  );
  const verify = read.parsed('upstream-tls-verify', 'on or off', (text) =>
    (['on', 'off'] as const).find((one) => one === text),
  );
  const diagnostics: Diagnostic[] = [];
  const reader = createProofReader(ingress, diagnostics);
  const proof = {
    ...reader.ca(...named(read, ingress, secrets, 'upstream-ca-secret')),
    ...reader.certificate(...named(read, ingress, secrets, 'upstream-client-certificate-secret')),
  };
  if (!vocabulary.some((name) => read.has(name))) return { terms: noTerms, diagnostics };
  if (verify === 'off') diagnostics.push(unverified(ingress));
  const terms: OwnTerms = {
    ...(protocol && { protocol }),
    ...(serverName !== undefined && { serverName }),
    ...(verify === 'off' && { verify: false }),
    namesTls: vocabulary.some((name) => name !== 'upstream-protocol' && read.has(name)),
    ...proof,
  };
  return { terms, diagnostics };
}

const vocabulary = [
  'upstream-protocol',
  'upstream-tls-server-name',
  'upstream-tls-verify',
  'upstream-ca-secret',
  'upstream-client-certificate-secret',
] as const satisfies Annotation[];

function unverified(ingress: KubernetesObject): Diagnostic {
  const message =
    'whoever answers at the application’s address is taken for it, and reads and changes what passes: have it prove its name, with upstream-ca-secret where its certificate is its own authority’s';
  return complain(
    ingress,
    'UpstreamUnverified',
    'metadata.annotations[sallyport.dev/upstream-tls-verify]',
    message,
    'warning',
  );
}

type Named = readonly [
  secret: LookedUp,
  path: string,
  reference: { readonly namespace: string; readonly name: string } | undefined,
];

function named(
  read: AnnotationReader,
  { metadata }: KubernetesObject,
  secrets: ReadonlyMap<Annotation, LookedUp>,
  annotation: 'upstream-ca-secret' | 'upstream-client-certificate-secret',
): Named {
  const name = read.parsed(annotation, 'the name of a Secret in this namespace', (text) =>
    /^(?=.{1,253}$)[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(text) ? text : undefined,
  );
  const path = `metadata.annotations[sallyport.dev/${annotation}]`;
  return [
    secrets.get(annotation),
    path,
    name === undefined ? undefined : { namespace: metadata.namespace ?? '', name },
  ];
}

function createProofReader(object: KubernetesObject, diagnostics: Diagnostic[]) {
  const broken = (code: Diagnostic['code'], path: string, message: string): Proof => {
    const consequence = 'requests to applications over TLS get 503 until it is mended';
    diagnostics.push(complain(object, code, path, `${message}: ${consequence}`));
    return { isBroken: true };
  };
  const found =
    (read: (secret: KubernetesObject, path: string, key: string) => Proof) =>
    (...[secret, path, reference]: Named): Proof => {
      if (reference === undefined) return {};
      const key = `${reference.namespace}/${reference.name}`;
      if (secret === undefined || secret === 'pending') return { isBroken: true };
      if (secret === 'missing') return broken('SecretNotFound', path, `there is no Secret ${key}`);
      return read(secret, path, key);
    };
  return {
    ca: found((secret, path, key) => {
      const ca = secretValue(secret, 'ca.crt')?.toString('utf8');
      if (ca === undefined) return broken('SecretNotFound', path, `there is no key ca.crt in Secret ${key}`);
      if (areCertificates(ca)) return { ca };
      return broken('SecretInvalid', path, `ca.crt of Secret ${key} is not PEM certificates`);
    }),
    certificate: found((secret, path, key) => {
      const { certificate, diagnostics: faults } = readCertificate(secret);
      diagnostics.push(...faults);
      if (certificate !== undefined) return { clientCertificate: certificate };
      return broken('SecretInvalid', path, `Secret ${key} holds no certificate with its key`);
    }),
  };
}
