// An object of a file as the API server would take it in, or why it would refuse it.
import type { z } from 'zod';
import { collections, configMapContent, secretContent } from '../model/objects.ts';
import type { Collection, ResourceType } from '../model/objects.ts';
import type { RawObject } from './cache.ts';

export type Admission =
  | { readonly verdict: 'Admitted'; readonly collection: Collection; readonly object: RawObject }
  /** `path` is empty for the whole object. */
  | { readonly verdict: 'Refused'; readonly path: string; readonly message: string }
  /** Of a kind that we do not read. */
  | { readonly verdict: 'Foreign' };

type Mapping = Record<string, unknown>;

export function admit(value: unknown): Admission {
  if (!isMapping(value)) return refused('', 'an object with apiVersion, kind and metadata is wanted');
  const { apiVersion, kind, metadata = {} } = value;
  if (typeof apiVersion !== 'string' || apiVersion === '') return refused('', 'apiVersion is missing');
  if (typeof kind !== 'string' || kind === '') return refused('', 'kind is missing');
  const collection = collectionOf(apiVersion, kind);
  if (collection === undefined) {
    const misspelt = misspelling(apiVersion, kind);
    return misspelt === undefined ? { verdict: 'Foreign' } : refused('apiVersion', misspelt);
  }
  if (!isMapping(metadata)) return refused('metadata', 'a mapping is wanted');
  const wrong = wrongMetadata(metadata);
  if (wrong !== undefined) return refused(wrong.path, wrong.message);
  const object = { ...value, metadata: completeMetadata(metadata, collections[collection]) };
  if (collection === 'secrets') return admitSecret(object);
  const content = collection === 'configMaps' ? configMapContent.safeParse(object) : undefined;
  return content?.error === undefined ? { verdict: 'Admitted', collection, object } : refusedContent(content.error);
}

/** `stringData` wins over `data`, as in the API server. */
function admitSecret({ stringData, ...secret }: RawObject): Admission {
  const content = secretContent.safeParse({ ...secret, stringData });
  if (!content.success) return refusedContent(content.error);
  const plain = Object.entries(content.data.stringData ?? {});
  const encoded = plain.map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  const data = { ...content.data.data, ...Object.fromEntries(encoded) };
  return { verdict: 'Admitted', collection: 'secrets', object: { ...secret, data } };
}

function refusedContent({ issues: [issue] }: z.ZodError): Admission {
  const [field = '', key] = issue?.path ?? [];
  const path = key === undefined ? String(field) : `${String(field)}[${String(key)}]`;
  return refused(path, 'strings are wanted; put numbers and the like in quotes');
}

function refused(path: string, message: string): Admission {
  return { verdict: 'Refused', path, message: path === '' ? message : `${path}: ${message}` };
}

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function collectionOf(apiVersion: string, kind: string): Collection | undefined {
  const names = Object.keys(collections) as Collection[];
  return names.find((name) => {
    const { group, version, kind: known } = collections[name];
    return kind === known && apiVersion === (group === '' ? version : `${group}/${version}`);
  });
}

/** Why an object that is nearly one of ours is none: to ignore a misspelt policy would be to lose it silently. */
function misspelling(apiVersion: string, kind: string): string | undefined {
  const [group = ''] = apiVersion.includes('/') ? apiVersion.split('/') : [''];
  const types: ResourceType[] = Object.values(collections);
  const isOldIngress = kind === 'Ingress' && group === 'extensions';
  const near = types.find((type) => type.kind === kind && (type.group === group || isOldIngress));
  if (near === undefined && !group.includes('sallyport')) return undefined;
  const kinds = types.filter((type) => type.group === (near?.group ?? 'sallyport.dev'));
  const known = kinds.map((type) => `${type.kind} (${type.group}/${type.version})`).join(', ');
  return `there is no kind ${kind} in ${apiVersion}; there are ${known}`;
}

const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const isString = (value: unknown) => typeof value === 'string';
const quoted = 'a string is wanted; put it in quotes';

/** What the API server insists on, of the fields that we read. */
const metadataRules: readonly (readonly [string, (value: unknown) => boolean, string])[] = [
  [
    'name',
    (name) => isString(name) && name.length <= 253 && dnsSubdomain.test(name),
    'lower-case letters, digits, - and . are wanted, 253 at the most',
  ],
  [
    'namespace',
    (namespace) => isString(namespace) && namespace.length <= 63 && dnsLabel.test(namespace),
    'lower-case letters, digits and - are wanted, 63 at the most',
  ],
  ['uid', isString, quoted],
  ['resourceVersion', isString, quoted],
  ['creationTimestamp', isString, quoted],
  ['generation', Number.isSafeInteger, 'a whole number is wanted'],
];

function wrongMetadata(metadata: Mapping): { path: string; message: string } | undefined {
  if (isAbsent(metadata['name'])) return { path: 'metadata.name', message: 'it is missing' };
  for (const [field, holds, message] of metadataRules) {
    if (!isAbsent(metadata[field]) && !holds(metadata[field])) return { path: `metadata.${field}`, message };
  }
  for (const field of ['labels', 'annotations']) {
    const entries = metadata[field];
    if (isAbsent(entries)) continue;
    if (!isMapping(entries)) return { path: `metadata.${field}`, message: 'a mapping of strings is wanted' };
    const wrong = Object.entries(entries).find(([, value]) => !isString(value));
    if (wrong !== undefined) return { path: `metadata.${field}[${wrong[0]}]`, message: quoted };
  }
  return undefined;
}

/** Null is as good as absent: `kubectl create --dry-run` writes `creationTimestamp: null`. */
function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

/** As the API server would fill it in: the default namespace, and a Namespace's own label. */
function completeMetadata(given: Mapping, type: ResourceType): RawObject['metadata'] {
  const present = Object.entries(given).filter(([, value]) => !isAbsent(value));
  const {
    namespace = 'default',
    labels,
    ...metadata
  } = Object.fromEntries(present) as RawObject['metadata'] & { labels?: Record<string, string> };
  const ownLabel = type.kind === 'Namespace' ? { 'kubernetes.io/metadata.name': metadata.name } : undefined;
  return {
    ...metadata,
    ...(type.namespaced && { namespace }),
    ...((labels ?? ownLabel) !== undefined && { labels: { ...labels, ...ownLabel } }),
  };
}
