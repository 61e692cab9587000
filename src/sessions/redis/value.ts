// How a record is written as one string: its revision, a space, and JSON.
import { randomBytes } from 'node:crypto';
import type { RecordType, Revised, StoredRecord } from '../store.ts';
import { lifeLength } from './scripts.ts';

export const recordKey = (type: RecordType, id: string) => `sallyport:${type}:${id}`;
export const indexKey = (type: RecordType, name: string, value: string) => `sallyport:index:${type}:${name}:${value}`;

const random = (bytes: number) => randomBytes(bytes).toString('base64url');

export const newLife = () => random((lifeLength / 4) * 3);
export const lifeOf = (revision: string) => revision.slice(0, lifeLength);

/** A revision never comes twice, whatever a failover forgets: its second half is drawn, not counted. */
export function writeValue(life: string, { index, listing, body, expiresAt }: StoredRecord): string {
  return `${life}${random(6)} ${JSON.stringify({ index, listing, body, expiresAt })}`;
}

type Fields = Omit<StoredRecord, 'type' | 'id'>;

/** `undefined`: no record of ours. */
export function parseValue(type: RecordType, id: string, value: unknown): Revised | undefined {
  if (typeof value !== 'string') return undefined;
  const end = value.indexOf(' ');
  const fields = parseFields(value.slice(end + 1));
  return fields && { record: { type, id, ...fields }, revision: value.slice(0, end) };
}

function parseFields(json: string): Fields | undefined {
  try {
    const fields: unknown = JSON.parse(json);
    return isFields(fields) ? fields : undefined;
  } catch {
    return undefined;
  }
}

const isFields = (value: unknown): value is Fields =>
  isObject(value) &&
  isObject(value['index']) &&
  Object.values(value['index']).every((one) => typeof one === 'string') &&
  typeof value['listing'] === 'string' &&
  typeof value['body'] === 'string' &&
  typeof value['expiresAt'] === 'number';

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
