// Reading one value of a Secret or a ConfigMap that a reference names.
import { configMapContent, secretContent } from '../model/objects.ts';
import type { KubernetesObject } from '../model/objects.ts';

/** The bytes under a key of a Secret; `undefined` where there are none. */
export function secretValue(secret: KubernetesObject, key: string): Buffer | undefined {
  const content = secretContent.safeParse(secret);
  if (!content.success) return undefined;
  const plain = ownEntry(content.data.stringData, key);
  if (plain !== undefined) return Buffer.from(plain, 'utf8');
  const encoded = ownEntry(content.data.data, key);
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64');
}

/** The text under a key of a ConfigMap; `undefined` where there is none. */
export function configMapText(configMap: KubernetesObject, key: string): string | undefined {
  const content = configMapContent.safeParse(configMap);
  return content.success ? ownEntry(content.data.data, key) : undefined;
}

// The key is what somebody wrote in a reference: `constructor` is no entry of a Secret.
function ownEntry(entries: Readonly<Record<string, string>> | null | undefined, key: string): string | undefined {
  return entries && Object.hasOwn(entries, key) ? entries[key] : undefined;
}
