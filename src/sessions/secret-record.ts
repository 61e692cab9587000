// A record as a Secret: its name, its labels, and the way back.
import { createHash } from 'node:crypto';
import { isRecord } from '../kubernetes/client.ts';
import type { RecordType, StoredRecord } from './store.ts';

export const secretType = 'sallyport.dev/session';

const expiresAtAnnotation = 'sallyport.dev/expires-at';
const typeLabel = 'sallyport.dev/record';
const recordKey = 'record.json';
const recordTypes: readonly RecordType[] = ['session', 'code', 'notice'];

/** What a Secret is known by, without its content. */
export interface SecretMetadata {
  readonly name: string;
  readonly type: RecordType;
  readonly id: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Ids tell upper case from lower, and names know only lower: each letter becomes two digits, so no two ids meet. */
export function secretName(type: RecordType, id: string): string {
  return `${type}-${Buffer.from(id).toString('hex')}`;
}

/** The label by which `find` selects. A label's value is 63 letters at the most, and of few kinds: a hash fits, whatever it is of. */
export function indexLabel(name: string, value: string): string {
  return `index.sallyport.dev/${name}=${hashed(value)}`;
}

const hashed = (value: string) => createHash('sha256').update(value).digest('hex').slice(0, 40);

export function typeSelector(type: RecordType): string {
  return `${typeLabel}=${type}`;
}

/** @param resourceVersion Of the Secret that it is to replace. */
export function secretOf(record: StoredRecord, namespace: string, resourceVersion?: string): object {
  const { type, id, expiresAt, index, listing, body } = record;
  const labels = Object.entries(index).map(([name, value]) => indexLabel(name, value).split('='));
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: secretType,
    metadata: {
      name: secretName(type, id),
      namespace,
      labels: {
        'app.kubernetes.io/managed-by': 'sallyport',
        [typeLabel]: type,
        ...Object.fromEntries(labels),
      },
      annotations: { [expiresAtAnnotation]: new Date(expiresAt).toISOString() },
      ...(resourceVersion !== undefined && { resourceVersion }),
    },
    data: { [recordKey]: Buffer.from(JSON.stringify({ index, listing, body })).toString('base64') },
  };
}

/** `undefined` for a Secret that is no record of ours. */
export function parseMetadata(secret: unknown): SecretMetadata | undefined {
  if (!isRecord(secret) || !isRecord(secret['metadata'])) return undefined;
  const { name, uid, resourceVersion, annotations } = secret['metadata'];
  const at = isRecord(annotations) ? annotations[expiresAtAnnotation] : undefined;
  if (![name, uid, resourceVersion, at].every((one) => typeof one === 'string')) return undefined;
  const [type, hex = ''] = String(name).split('-', 2);
  const id = Buffer.from(hex, 'hex').toString();
  const known = recordTypes.find((one) => one === type);
  const expiresAt = Date.parse(String(at));
  // A name that is not made from an id, or a moment that is none.
  if (known === undefined || id === '' || secretName(known, id) !== name || Number.isNaN(expiresAt)) return undefined;
  return { name, type: known, id, uid: String(uid), resourceVersion: String(resourceVersion), expiresAt };
}

export function parseRecord(secret: unknown): { record: StoredRecord; metadata: SecretMetadata } | undefined {
  const metadata = parseMetadata(secret);
  if (metadata === undefined || !isRecord(secret) || !isRecord(secret['data'])) return undefined;
  const encoded = secret['data'][recordKey];
  if (typeof encoded !== 'string') return undefined;
  const content = parseContent(Buffer.from(encoded, 'base64').toString());
  const { type, id, expiresAt } = metadata;
  return content && { record: { type, id, expiresAt, ...content }, metadata };
}

function parseContent(text: string): Pick<StoredRecord, 'index' | 'listing' | 'body'> | undefined {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(content) || !isRecord(content['index'])) return undefined;
  const { listing, body } = content;
  if (typeof listing !== 'string' || typeof body !== 'string') return undefined;
  const index: Record<string, string> = {};
  for (const [name, value] of Object.entries(content['index'])) {
    if (typeof value !== 'string') return undefined;
    index[name] = value;
  }
  return { index, listing, body };
}
