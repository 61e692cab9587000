// What would be served, read once: from a folder or from a cluster, writing nothing anywhere.
import { createController } from '../controller.ts';
import { clusterInventory } from '../inventory/cluster.ts';
import { folderInventory } from '../inventory/folder.ts';
import { createKubernetesClient } from '../kubernetes/client.ts';
import type { Inventory } from '../model/objects.ts';
import type { Served } from '../review/answer.ts';
import { createLogger, createMetrics } from '../telemetry.ts';
import { translate } from '../translate/translate.ts';
import type { Translation } from '../translate/translate.ts';
import { clusterConnection } from './source.ts';
import { UsageError } from './settings.ts';

export interface ServedOptions {
  /** Absent: a cluster. */
  readonly manifests?: string;
  /** Absent: as kubectl finds it. */
  readonly kubeconfig?: string;
  readonly namespaces?: readonly string[];
  readonly className: string;
  readonly namespace: string;
}

/** Of an installation with the usual https listener, which is not there to be asked. */
const httpsPort = 443;

/** @throws {UsageError} for a folder that cannot be read. @throws {Error} for a cluster that cannot. */
export async function readServed(options: ServedOptions): Promise<Served> {
  const { settings, hosts, diagnostics, defaultCertificate } =
    options.manifests === undefined ? await readCluster(options) : await readFolder(options.manifests, options);
  const table = { generation: 1, settings, hosts, ...(defaultCertificate && { defaultCertificate }) };
  return { table, diagnostics, httpsPort };
}

async function readFolder(directory: string, { className, namespace }: ServedOptions): Promise<Translation> {
  let inventory: Inventory | undefined;
  const onChange = (next: Inventory) => (inventory = next);
  const folder = folderInventory({ directory, log: createLogger('silent'), watch: false, onChange });
  await folder.start().catch((cause: unknown) => {
    throw new UsageError(cause instanceof Error ? cause.message : `${directory} cannot be read`);
  });
  await folder.stop();
  if (inventory === undefined) throw new UsageError(`${directory}: this is not a folder that can be read`);
  return translate(inventory, { className, installationNamespace: namespace, fromFolder: true }, Date.now());
}

const clusterTimeoutMs = 20_000;

/** One inventory, and the content that it refers to, as `run` would have it. */
async function readCluster(options: ServedOptions): Promise<Translation> {
  const { kubeconfig, className, namespace, namespaces } = options;
  const { log, lastSaid } = listeningLogger();
  const metrics = createMetrics();
  const client = createKubernetesClient(await clusterConnection(kubeconfig), { metrics });
  const { promise, resolve, reject } = Promise.withResolvers<Translation>();
  const cluster = clusterInventory({
    client,
    log,
    metrics,
    onChange: (inventory) => controller.onInventory(inventory),
    ...(namespaces && { namespaces: [...new Set([...namespaces, namespace])] }),
  });
  const controller = createController({
    translate: { className, installationNamespace: namespace, fromFolder: false },
    reference: cluster.reference,
    publish: resolve,
    report: () => undefined,
    log,
    metrics,
  });
  const timer = setTimeout(() => {
    reject(new Error(`the cluster could not be read within ${clusterTimeoutMs / 1000} s${lastSaid()}`));
  }, clusterTimeoutMs);
  try {
    cluster.start().catch(reject);
    return await promise;
  } finally {
    clearTimeout(timer);
    controller.stop();
    await cluster.stop();
  }
}

/** A logger that prints nothing, and remembers what it was last warned of: why a cluster does not answer. */
function listeningLogger() {
  let said = '';
  const log = createLogger('warn', (line) => {
    const { msg, resource } = JSON.parse(line) as Record<string, unknown>;
    said = `: ${[resource, msg].filter((word) => typeof word === 'string').join(': ')}`;
  });
  return { log, lastSaid: () => said };
}
