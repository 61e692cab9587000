// The Secret sallyport-keys: made once for an installation, and never written over (promise 6).
import { collections } from '../model/objects.ts';
import { ApiError, resourcePath } from './client.ts';
import type { KubernetesClient } from './client.ts';

/**
 * Makes the Secret unless there is one. Of replicas that start together one wins, and the others take what it made.
 * @param make The content of `keys.json`; called only where it is needed.
 * @returns Whether it was made here. @throws {ApiError}
 */
export async function ensureKeyRing(
  client: KubernetesClient,
  namespace: string,
  name: string,
  make: () => string,
): Promise<boolean> {
  const type = collections.secrets;
  const exists = await client.request('GET', resourcePath(type, { namespace, name })).then(
    () => true,
    (error: unknown) => {
      if (error instanceof ApiError && error.code === 'NotFound') return false;
      throw error;
    },
  );
  if (exists) return false;
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels: { 'app.kubernetes.io/managed-by': 'sallyport' } },
    type: 'Opaque',
    data: { 'keys.json': Buffer.from(make()).toString('base64') },
  };
  try {
    await client.request('POST', resourcePath(type, { namespace }), { body: secret });
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.code === 'Conflict') return false;
    throw error;
  }
}
