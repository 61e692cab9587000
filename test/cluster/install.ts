// Puts our CRDs into an API server, and waits until it serves them.
import { generateCrds } from '../../scripts/crds.ts';
import { until } from '../integration/rig.ts';
import type { ApiServer } from './apiserver.ts';

/** `kubectl wait` fails where a CRD has no conditions yet, which is for a moment: it is asked again. */
export async function installCrds(
  server: ApiServer,
  texts: readonly string[] = [...generateCrds().values()],
): Promise<void> {
  await server.apply(texts.join('\n---\n'));
  const wait = ['wait', '--for=condition=Established', 'crd', '--all', '--timeout=20s'];
  await until(async () => (await server.kubectl(wait)).code === 0, 30_000, 'the CRDs are served');
}
