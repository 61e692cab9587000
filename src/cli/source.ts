// Where objects come from, by the flags: a folder, or a cluster with all that goes with it.
import { folderInventory } from '../inventory/folder.ts';
import { clusterInventory } from '../inventory/cluster.ts';
import { followPublishedService } from '../inventory/published.ts';
import type { PublishedService, PublishedServiceOptions } from '../inventory/published.ts';
import type { InventorySource } from '../inventory/source.ts';
import { createKubernetesClient } from '../kubernetes/client.ts';
import type { Connection, KubernetesClient } from '../kubernetes/client.ts';
import { inClusterConnection, kubeconfigConnection } from '../kubernetes/connect.ts';
import { startElection } from '../kubernetes/election.ts';
import { createReporter } from '../kubernetes/reporter.ts';
import { readClusterIssuer, reviewToken } from '../kubernetes/workloads.ts';
import { ensureKeyRing } from '../kubernetes/keyring.ts';
import type { Inventory } from '../model/objects.ts';
import type { SecretStoreSettings } from '../model/settings.ts';
import { measured } from '../sessions/measured.ts';
import { createSecretStore } from '../sessions/secret.ts';
import type { Store } from '../sessions/store.ts';
import type { Logger, Metrics } from '../telemetry.ts';
import type { Translation } from '../translate/translate.ts';
import type { Cluster } from '../auth/bearer/workloads.ts';
import { createKeyRing, serializeKeyRing } from '../auth/keys.ts';
import { keyRingSecretName } from '../translate/keyring.ts';
import type { Locate } from './diagnostics.ts';
import type { RunSettings } from './settings.ts';

/** A source of objects, and what is told back to it. */
export interface Source extends InventorySource {
  readonly isFolder: boolean;
  readonly locate?: Locate;
  /** Addresses that no route may lead to (promise 15). */
  readonly refusedAddresses: readonly string[];
  /** Sessions in Secrets, where there is an API server. */
  readonly openSecretStore?: (settings: SecretStoreSettings) => Store;
  /** What the API server says of workloads' tokens, where there is one. */
  readonly workloads?: Cluster;
  /** Statuses and Events, where there is somebody to tell. */
  readonly report: (translation: Translation, inventory: Inventory) => void;
}

/** @throws {Error} saying why neither a folder nor a cluster can be reached. */
export function openSource(
  settings: RunSettings,
  log: Logger,
  metrics: Metrics,
  onChange: (inventory: Inventory) => void,
): Promise<Source> {
  return settings.manifests === undefined
    ? openCluster(settings, log, metrics, onChange)
    : openFolder(settings.manifests, log, onChange);
}

async function openFolder(directory: string, log: Logger, onChange: (inventory: Inventory) => void): Promise<Source> {
  const folder = folderInventory({ directory, log, onChange, watch: true });
  return { ...folder, isFolder: true, refusedAddresses: [], report: () => undefined };
}

async function openCluster(
  settings: RunSettings,
  log: Logger,
  metrics: Metrics,
  onChange: (inventory: Inventory) => void,
): Promise<Source> {
  const connection = await clusterConnection(settings.kubeconfig);
  const client = createKubernetesClient(connection, { metrics });
  const { namespace } = settings;
  await makeKeyRing(client, namespace, log);
  // The installation's own namespace always belongs to them: its Secrets and its authentication host's Ingress are there.
  const namespaces = settings.namespaces && [...new Set([...settings.namespaces, namespace])];
  const cluster = clusterInventory({
    client,
    log,
    metrics,
    onChange,
    onStatus: (key, status) => reporter.seen(key, status),
    ...(namespaces && { namespaces }),
  });
  // One Lease a class: two installations in one cluster each have a leader.
  const election = startElection({ client, namespace, name: `sallyport-${settings.className}`, log, metrics });
  const published = followAddresses(settings, { client, log, metrics, onChange: cluster.refresh });
  const reporter = createReporter({
    client,
    election,
    className: settings.className,
    ...(published && { addresses: published.addresses }),
    refresh: cluster.refresh,
    log,
  });
  const apiServer = process.env['KUBERNETES_SERVICE_HOST'];
  const ownAddress = process.env['POD_IP'];
  return {
    ...cluster,
    isFolder: false,
    refusedAddresses: [apiServer, ownAddress].filter((address) => address !== undefined),
    openSecretStore: (store) =>
      measured(
        createSecretStore({
          client,
          settings: store,
          log,
          metrics,
          sweepChance: () => sweepChances[election.standing()],
        }),
        metrics,
      ),
    workloads: {
      issuer: () => readClusterIssuer(client),
      review: (token, audience) => reviewToken(client, token, audience),
    },
    report: reporter.report,
    stop: async () => {
      await cluster.stop();
      await published?.stop();
      // First what is under way, then the Lease: whoever takes it finds nobody writing.
      await reporter.stop();
      await election.stop();
    },
  };
}

/**
 * How likely a replica is to remove an expired session in the next second. Where nobody can lead, each does its part: of
 * ten that see one expire, on the average one asks for its end in the first second.
 */
const sweepChances = { Leading: 1, Following: 0, Forbidden: 0.1 } as const;

function followAddresses(
  { publishService, publishAddresses }: RunSettings,
  options: Omit<PublishedServiceOptions, 'namespace' | 'name'>,
): PublishedService | undefined {
  if (publishAddresses !== undefined) return { addresses: () => publishAddresses, stop: async () => undefined };
  return publishService && followPublishedService({ ...options, ...publishService });
}

/** As a pod does, unless a kubeconfig is named; else as kubectl finds it. @throws {Error} with code `KubeconfigInvalid`. */
export function clusterConnection(kubeconfig: string | undefined): Promise<Connection> {
  const inPod = process.env['KUBERNETES_SERVICE_HOST'] !== undefined && kubeconfig === undefined;
  return inPod ? inClusterConnection() : kubeconfigConnection(kubeconfig);
}

async function makeKeyRing(client: KubernetesClient, namespace: string, log: Logger): Promise<void> {
  try {
    const made = await ensureKeyRing(client, namespace, keyRingSecretName, () => serializeKeyRing(createKeyRing()));
    if (made) log.info({ secret: `${namespace}/${keyRingSecretName}` }, 'made the key ring');
  } catch (error) {
    log.warn(
      { err: error },
      `the key ring in namespace ${namespace} cannot be made: keys last as long as this process`,
    );
  }
}
