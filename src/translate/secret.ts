// Reading one value of a Secret that a reference names.
import { secretContent } from '../model/objects.ts';
import type { KubernetesObject } from '../model/objects.ts';

/** The bytes under a key of a Secret; `undefined` where there are none. */
export function secretValue(secret: KubernetesObject, key: string): Buffer | undefined {
  const content = secretContent.safeParse(secret);
  if (!content.success) return undefined;
  const plain = content.data.stringData?.[key];
  if (plain !== undefined) return Buffer.from(plain, 'utf8');
  const encoded = content.data.data?.[key];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64');
}
