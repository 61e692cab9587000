// The objects of an installation of any size, as they are sent to an API server: fifty Ingresses a namespace, each with its host, Service and EndpointSlice.
import { execFileSync } from 'node:child_process';
import { createPrivateKey, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Collection } from '../src/model/objects.ts';

/** An object as it is sent: with its collection, which says where to. */
export interface Sent {
  readonly collection: Collection;
  readonly object: {
    readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
    readonly [field: string]: unknown;
  };
}

export interface Place {
  readonly address: string;
  readonly port: number;
}

const perNamespace = 50;
/** One in so many Ingresses has a Policy of its own, and one in so many a certificate. */
const oneIn = 5;

export const namespaceOf = (index: number): string => `team-${Math.floor(index / perNamespace)}`;
export const nameOf = (index: number): string => `app-${String(index).padStart(5, '0')}`;
export const hostOf = (index: number): string => `${nameOf(index)}.example.com`;
/** Which Ingresses have what is not the same for all. */
export const hasPolicy = (index: number): boolean => index % oneIn === 0;
export const hasCertificate = (index: number): boolean => index % oneIn === 1;

const metadataOf = (index: number) => ({ namespace: namespaceOf(index), name: nameOf(index) });

/** @param more A path beside `/`: another one is another Ingress. */
export function ingressOf(index: number, more?: string): Sent {
  const access = hasPolicy(index) ? { 'sallyport.dev/policy': nameOf(index) } : { 'sallyport.dev/access': 'public' };
  const backend = { service: { name: nameOf(index), port: { name: 'http' } } };
  const paths = ['/', ...(more === undefined ? [] : [more])].map((path) => ({ path, pathType: 'Prefix', backend }));
  return {
    collection: 'ingresses',
    object: {
      metadata: { ...metadataOf(index), labels: { app: nameOf(index) }, annotations: access },
      spec: {
        ingressClassName: 'sallyport',
        ...(hasCertificate(index) && { tls: [{ hosts: [hostOf(index)], secretName: nameOf(index) }] }),
        rules: [{ host: hostOf(index), http: { paths } }],
      },
    },
  };
}

export function serviceOf(index: number): Sent {
  const ports = [{ name: 'http', port: 80, targetPort: 8080 }];
  return {
    collection: 'services',
    object: { metadata: metadataOf(index), spec: { selector: { app: nameOf(index) }, ports } },
  };
}

/** @param places Each with its endpoint; of one port. */
export function sliceOf(index: number, places: readonly Place[]): Sent {
  const { namespace, name } = metadataOf(index);
  return {
    collection: 'endpointSlices',
    object: {
      metadata: { namespace, name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: places[0]?.port ?? 8080 }],
      endpoints: places.map(({ address }) => ({ addresses: [address], conditions: { ready: true } })),
    },
  };
}

/** @param method Which nobody may use: another one is another Policy. */
export function policyOf(index: number, method = 'DELETE'): Sent {
  return {
    collection: 'policies',
    object: {
      metadata: metadataOf(index),
      spec: {
        rules: [
          { name: 'everybody', allow: { or: [{ accept: true }] } },
          { name: 'to read', deny: { and: [{ httpMethod: { is: method } }, { httpPath: { startsWith: '/admin' } }] } },
        ],
      },
    },
  };
}

/** Everything, in an order in which it can be made. */
export function* objectsOf(count: number, places: readonly Place[], certify: Certify): Generator<Sent, void> {
  for (const name of ['sallyport-system', ...namespacesOf(count)])
    yield { collection: 'namespaces', object: { metadata: { name } } };
  yield* surroundings;
  for (let index = 0; index < count; index += 1) {
    yield serviceOf(index);
    yield sliceOf(index, places);
    if (hasPolicy(index)) yield policyOf(index);
    if (hasCertificate(index)) yield secretOf(index, certify);
    yield ingressOf(index);
  }
}

function namespacesOf(count: number): readonly string[] {
  return Array.from({ length: Math.ceil(count / perNamespace) }, (_, index) => namespaceOf(index * perNamespace));
}

const parameters = { apiGroup: 'sallyport.dev', kind: 'Sallyport', name: 'default' };
// Nobody signs in here: the provider is never asked.
const oidc = {
  issuer: 'https://login.example.com',
  clientID: 'sallyport',
  clientSecretRef: { namespace: 'sallyport-system', name: 'provider', key: 'clientSecret' },
};
const surroundings: readonly Sent[] = [
  {
    collection: 'ingressClasses',
    object: { metadata: { name: 'sallyport' }, spec: { controller: 'sallyport.dev/ingress-controller', parameters } },
  },
  {
    collection: 'sallyports',
    object: { metadata: { name: 'default' }, spec: { defaultIdentityProviderRef: { name: 'company' } } },
  },
  { collection: 'identityProviders', object: { metadata: { name: 'company' }, spec: { oidc } } },
  {
    collection: 'secrets',
    object: {
      metadata: { name: 'provider', namespace: 'sallyport-system' },
      data: { clientSecret: Buffer.from('a-secret').toString('base64') },
    },
  },
];

/** A certificate for a host of {@link hostOf}, PEM. */
interface Certify {
  (host: string): string;
  readonly key: string;
}

function secretOf(index: number, certify: Certify): Sent {
  const encode = (text: string) => Buffer.from(text).toString('base64');
  const data = { 'tls.crt': encode(certify(hostOf(index))), 'tls.key': encode(certify.key) };
  return { collection: 'secrets', object: { metadata: metadataOf(index), type: 'kubernetes.io/tls', data } };
}

/**
 * Makes certificates at 0.1 ms each, where openssl takes 20: all hosts have names of one length, so one certificate, with
 * another name and signed anew, is another certificate. Ed25519's signatures are of one length as well.
 */
export function createCertify(): Certify {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  const [keyPath, certificatePath] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const model = hostOf(0);
  const subject = ['-subj', '/O=bench', '-addext', `subjectAltName=DNS:${model}`];
  const files = ['-keyout', keyPath, '-out', certificatePath];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-days', '90', ...subject, ...files], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const key = readFileSync(keyPath, 'utf8');
  const pem = readFileSync(certificatePath, 'utf8');
  rmSync(folder, { recursive: true });
  const privateKey = createPrivateKey(key);
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
  // A SEQUENCE with a length of two bytes, of another one, which is what is signed (RFC 5280, section 4.1).
  const [start, end] = [4, 8 + der.readUInt16BE(6)];
  const nameAt = der.indexOf(model, 0, 'latin1');
  const certify = (host: string): string => {
    const made = Buffer.from(der);
    made.write(host, nameAt, 'latin1');
    sign(null, made.subarray(start, end), privateKey).copy(made, made.length - 64);
    return `-----BEGIN CERTIFICATE-----\n${made.toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
  };
  return Object.assign(certify, { key });
}
