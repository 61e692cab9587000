// Replicas that keep their sessions in Secrets, on a real API server.
import { startApiServer } from '../cluster/apiserver.ts';
import type { ApiServer } from '../cluster/apiserver.ts';
import { installCrds } from '../cluster/install.ts';
import { borrowAddress, startReplicas } from './replicas.ts';
import type { Replicas } from './replicas.ts';

export interface InSecrets extends Replicas {
  readonly api: ApiServer;
}

export const sessionsNamespace = 'sallyport-sessions';

/** Why not: a cluster that was lent to the tests is neither killed nor filled with sessions. */
export const lent =
  process.env['KUBECONFIG_TEST'] !== undefined && 'KUBECONFIG_TEST is set: it takes an API server of our own';

export interface InSecretsOptions {
  /** Further fields of the Sallyport's `sessions`: `, idleTimeout: 20s`. */
  readonly more?: string;
  readonly max?: number;
  /** The kubeconfig that the replicas get, by default the administrator's. */
  readonly kubeconfig?: (api: ApiServer) => Promise<string>;
}

/** It needs root, for an address that is not loopback. */
export async function startInSecrets({ more = '', max = 100, kubeconfig }: InSecretsOptions = {}): Promise<InSecrets> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const end of stops.splice(0).toReversed()) await end();
  };
  try {
    const api = await startApiServer();
    stops.push(() => api.stop());
    const borrowed = borrowAddress();
    stops.push(() => borrowed.stop());
    await installCrds(api);
    const replicas = await startReplicas({
      sessions: `{store: {type: Secret, secret: {namespace: ${sessionsNamespace}, max: ${max}}}${more}}`,
      address: borrowed.address,
      async publish(yaml) {
        await api.apply(`apiVersion: v1\nkind: Namespace\nmetadata: {name: ${sessionsNamespace}}\n---\n${yaml}`);
        return ['--kubeconfig', (await kubeconfig?.(api)) ?? api.kubeconfigPath];
      },
    });
    stops.push(() => replicas.stop());
    return { ...replicas, api, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
