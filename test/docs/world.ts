// An example of a page, made whole: what it refers to is added, as far as the page leaves it out.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { folderInventory } from '../../src/inventory/folder.ts';
import type { Inventory } from '../../src/model/objects.ts';
import { createLogger } from '../../src/telemetry.ts';
import { translate } from '../../src/translate/translate.ts';
import { root } from './pages.ts';

interface Backend {
  readonly service?: { readonly name: string; readonly port: { readonly name?: string; readonly number?: number } };
}

interface SecretKey {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}

interface ExampleObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: {
    readonly rules?: readonly { readonly http?: { readonly paths: readonly { readonly backend: Backend }[] } }[];
    readonly defaultIdentityProviderRef?: { readonly name: string };
    readonly identityProviderRef?: { readonly name: string };
    readonly dataSets?: readonly { readonly configMapRef: { readonly name: string } }[];
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

const ours = 'sallyport.dev/v1alpha1';

/** The objects of an example; a fragment that begins with `rules` is the spec of a Policy. */
export function objectsOf(text: string): readonly ExampleObject[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    const value = document.toJS() as ExampleObject;
    return 'rules' in value ? policy('example', 'example', value) : value;
  });
}

function policy(namespace: string, name: string, spec: unknown): ExampleObject {
  return {
    apiVersion: ours,
    kind: 'Policy',
    metadata: { name, namespace },
    spec: spec as NonNullable<ExampleObject['spec']>,
  };
}

/** An example as YAML, with everything that it refers to. */
export function madeWhole(objects: readonly ExampleObject[]): string {
  const all = [...objects];
  const add = (object: ExampleObject): void => {
    const { name, namespace } = object.metadata;
    const isThere = all.some(
      ({ kind, metadata }) => kind === object.kind && metadata.name === name && metadata.namespace === namespace,
    );
    if (!isThere) all.push(object);
  };
  if (!all.some(({ kind }) => kind === 'IngressClass')) {
    const parameters = { apiGroup: 'sallyport.dev', kind: 'Sallyport', name: 'default' };
    const spec = { controller: 'sallyport.dev/ingress-controller', parameters };
    add({ apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name: 'sallyport' }, spec });
  }
  const spec = { defaultIdentityProviderRef: { name: 'okta' }, sessions: { store: { type: 'Memory' } } };
  add({ apiVersion: ours, kind: 'Sallyport', metadata: { name: 'default' }, spec });
  // It grows on the way: what was added is made whole too.
  for (const { kind, metadata, spec: own } of all) {
    const { namespace = '', annotations = {} } = metadata;
    if (namespace !== '') add({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    if (kind === 'Ingress') {
      const backends = (own?.rules ?? []).flatMap((rule) => rule.http?.paths.map(({ backend }) => backend) ?? []);
      for (const { service } of backends) if (service !== undefined) servedBy(namespace, service).forEach(add);
      for (const name of annotations['sallyport.dev/policy']?.split(',') ?? [])
        add(policy(namespace, name.trim(), { rules: [{ allow: { or: [{ authenticatedUser: true }] } }] }));
    }
    for (const { configMapRef } of own?.dataSets ?? [])
      add({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: configMapRef.name, namespace }, data: {} });
    for (const reference of [own?.defaultIdentityProviderRef, own?.identityProviderRef]) {
      if (reference !== undefined) add(provider(reference.name));
    }
    for (const [secret, keys] of [...secretsIn(own), ...secretsNamed(namespace, annotations)]) {
      const [at = '', name = ''] = secret.split('/');
      const stringData = Object.fromEntries(keys.map((key) => [key, contentOf(key)]));
      add({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: at }, stringData });
    }
  }
  return all.map((object) => stringify(object)).join('---\n');
}

/** `namespace/name` of each Secret that some field names, with the keys asked for in it. */
function secretsIn(spec: unknown): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  JSON.stringify(spec, (field, value: unknown) => {
    if (!field.endsWith('SecretRef')) return value;
    const { namespace, name, key } = value as Partial<SecretKey>;
    const keys = key === undefined ? usualKeys(field) : [key];
    const secret = `${namespace}/${name}`;
    if (keys.length > 0) found.set(secret, [...(found.get(secret) ?? []), ...keys]);
    return value;
  });
  return found;
}

/** Likewise, of those that annotations about the way to applications name. */
function secretsNamed(namespace: string, annotations: Readonly<Record<string, string>>): readonly [string, string[]][] {
  return (['ca', 'client-certificate'] as const).flatMap((what) => {
    const name = annotations[`sallyport.dev/upstream-${what}-secret`];
    return name === undefined ? [] : [[`${namespace}/${name}`, usualKeys(`${what}SecretRef`)]];
  });
}

function usualKeys(field: string): string[] {
  if (field === 'caSecretRef') return ['ca.crt'];
  return /certificateSecretRef$/i.test(field) ? ['tls.crt', 'tls.key'] : [];
}

const { privateKey: pem } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const keyFile = { type: 'service_account', client_email: 'robot@project.iam.gserviceaccount.com', private_key: pem };

const certificate = (file: string) =>
  readFileSync(join(root, 'test/proxy/certificates', `app.example.com${file}`), 'utf8');

function contentOf(key: string): string {
  if (key.endsWith('.crt')) return certificate('.pem');
  if (key === 'tls.key') return certificate('.key.pem');
  if (key.endsWith('.pem')) return pem;
  return key.endsWith('.json') ? JSON.stringify(keyFile) : 'secret';
}

function provider(name: string): ExampleObject {
  const oidc = { issuer: 'https://provider.example.com', clientID: 'sallyport' };
  return {
    apiVersion: ours,
    kind: 'IdentityProvider',
    metadata: { name },
    spec: { oidc, allowedNamespaces: { selector: {} } },
  };
}

function servedBy(namespace: string, { name, port }: NonNullable<Backend['service']>): readonly ExampleObject[] {
  const portName = port.name ?? 'http';
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { ports: [{ name: portName, port: port.number ?? 80 }] },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: portName, port: 8080 }],
      endpoints: [{ addresses: ['192.0.2.10'] }],
    },
  ];
}

/** Everything that is wrong with a folder's worth of YAML, warnings left out: `code object path: message`. */
export async function errorsIn(yaml: string): Promise<readonly string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-docs-'));
  try {
    await writeFile(join(directory, 'example.yaml'), yaml);
    let inventory: Inventory | undefined;
    const onChange = (next: Inventory) => (inventory = next);
    const folder = folderInventory({ directory, log: createLogger('silent'), watch: false, onChange });
    await folder.start();
    await folder.stop();
    if (inventory === undefined) throw new Error('the folder was not read');
    const options = { className: 'sallyport', installationNamespace: 'sallyport-system', fromFolder: true };
    const { diagnostics } = translate(inventory, options, Date.now());
    return [
      ...folder.problems().map(({ line, message }) => `ManifestInvalid ${line}: ${message}`),
      ...diagnostics
        .filter(({ severity }) => severity === 'error')
        .map(({ code, object, path, message }) => `${code} ${object.kind} ${object.name} ${path}: ${message}`),
    ];
  } finally {
    await rm(directory, { recursive: true });
  }
}
