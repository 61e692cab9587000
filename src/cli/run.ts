// `sallyport run`: puts the rooms together, and keeps them running until a signal.
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { startAdmin } from '../admin/server.ts';
import type { Admin, Operators } from '../admin/server.ts';
import { createController } from '../controller.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { Inventory } from '../model/objects.ts';
import type { Proxy } from '../proxy/server.ts';
import { startAuthRole } from '../roles/auth.ts';
import type { AuthRoleOptions } from '../roles/auth.ts';
import { answerForCluster } from '../roles/cluster.ts';
import { createControl } from '../roles/control.ts';
import { createKeeper } from '../roles/keeper.ts';
import { memoryLink } from '../roles/messages.ts';
import type {
  AuthorityQuestion,
  AuthorityReply,
  ClusterQuestion,
  ClusterReply,
  OperatorsQuestion,
  OperatorsReply,
  SettingsMessage,
  StoreQuestion,
  StoreReply,
  TableMessage,
} from '../roles/messages.ts';
import { askOperators } from '../roles/operators.ts';
import { createProxyRole } from '../roles/proxy.ts';
import { createReviewer } from '../review/answer.ts';
import { createLogger, createMetrics } from '../telemetry.ts';
import type { Logger, Metrics } from '../telemetry.ts';
import type { Translation } from '../translate/translate.ts';
import { tokenFileOf } from './admin.ts';
import { createDiagnosticLog } from './diagnostics.ts';
import { openSource } from './source.ts';
import type { Source } from './source.ts';
import { readRunSettings } from './settings.ts';
import type { Address, RunSettings } from './settings.ts';

/** How long requests under way may take to end after SIGTERM. */
const drainMs = 25_000;

export interface RunningSallyport {
  /** Where traffic is taken, once it is. */
  readonly addresses: readonly { readonly scheme: string; readonly host: string; readonly port: number }[];
  readonly adminPort?: number;
  readonly probesPort?: number;
  readonly metrics: Metrics;
  stop(graceMs?: number): Promise<void>;
}

/** Runs until SIGTERM or SIGINT; returns the exit code. @throws {UsageError} */
export async function run(args: readonly string[]): Promise<number> {
  const settings = readRunSettings(args, process.env);
  const log = createLogger(settings.logLevel);
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
  const starting = startSallyport(settings, log);
  // Stopped before it was ready: there is nothing to drain yet.
  const first = await Promise.race([starting, stopped]);
  if (typeof first === 'string') return 0;
  const signal = await stopped;
  log.info({ signal }, 'draining');
  await first.stop(drainMs);
  return 0;
}

/**
 * Starts everything, and resolves when the first full table is being served.
 * @throws {Error} with a message that is one line for the person who started it, for instance when a port is taken.
 */
export async function startSallyport(settings: RunSettings, log: Logger): Promise<RunningSallyport> {
  const metrics = createMetrics();
  const [controlToProxy, proxyFromControl] = memoryLink<TableMessage, never>(false);
  const [controlToAuth, authFromControl] = memoryLink<SettingsMessage, never>(false);
  const [proxyToAuth, authToProxy] = memoryLink<AuthorityQuestion, AuthorityReply>(true);

  let served: (() => void) | undefined;
  const firstTable = new Promise<void>((resolve) => (served = resolve));
  const source = await openSource(settings, log, metrics, (inventory) => controller.onInventory(inventory));
  const auth = startAuth(source, { fromControl: authFromControl, toProxy: authToProxy, log, metrics });
  const proxy = createProxyRole({
    ...(settings.http && { http: settings.http }),
    ...(settings.https && { https: settings.https }),
    fromControl: proxyFromControl,
    toAuth: proxyToAuth,
    onFirstTable: () => served?.(),
    checkUpstreamAddresses: !source.isFolder,
    refusedAddresses: source.refusedAddresses,
    accessLog: settings.accessLog,
    decisionLog: settings.decisionLog,
    log,
    metrics,
  });
  const control = createControl(controlToProxy, controlToAuth, auth.keeper);
  const diagnosticLog = createDiagnosticLog(log, source.locate);
  let diagnostics: readonly Diagnostic[] = [];
  const report = (translation: Translation, inventory: Inventory) => {
    ({ diagnostics } = translation);
    diagnosticLog(diagnostics);
    source.report(translation, inventory);
  };
  const controller = createController({
    translate: {
      className: settings.className,
      installationNamespace: settings.namespace,
      fromFolder: source.isFolder,
      refusedAddresses: source.refusedAddresses,
      ...(settings.namespaceSelector && { namespaceSelector: settings.namespaceSelector }),
      ...(settings.zone !== undefined && { zone: settings.zone }),
    },
    reference: source.reference,
    publish: control.publish,
    report,
    log,
    metrics,
  });

  let addresses: RunningSallyport['addresses'] = [];
  const reviewer = createReviewer({
    served: () => ({
      table: proxy.table,
      diagnostics,
      httpsPort: addresses.find(({ scheme }) => scheme === 'https')?.port,
    }),
    decisions: proxy.decisions,
    now: Date.now,
  });
  let isReady = false;
  const admins: Admin[] = [];
  const stop = async (graceMs = 0) => {
    isReady = false;
    controller.stop();
    await source.stop();
    await proxy.close(graceMs);
    await auth.close();
    await Promise.all(admins.map((admin) => admin.close()));
    if (tokenFile !== undefined) await rm(tokenFile, { force: true });
  };
  let tokenFile: string | undefined;
  try {
    const ports = await startAdmins(settings, admins, metrics, () => isReady, {
      table: () => control.table,
      diagnostics: () => diagnostics,
      questions: { '/explain': reviewer.explain, '/access': reviewer.access, '/sessions': auth.operate },
    });
    ({ tokenFile } = ports);
    await source.start();
    await firstTable;
    addresses = await proxy.listen();
    isReady = true;
    log.info({ ...describe(proxy, addresses), ...ports }, 'ready');
    return { addresses, ...ports, metrics, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A pod has a name of its own; elsewhere a computer may run several. */
function replicaName(): string {
  return process.env['POD_NAME'] ?? `${hostname()}/${process.pid}`;
}

/** The auth role, with the store that control keeps for it where there is an API server. */
function startAuth({ openSecretStore, workloads }: Source, options: AuthRoleOptions) {
  const [toControl, toAuth] = memoryLink<StoreQuestion, StoreReply>(true);
  const keeper = openSecretStore && createKeeper({ toAuth, open: openSecretStore, log: options.log });
  const [toOperators, operatorsToAuth] = memoryLink<OperatorsReply, OperatorsQuestion>(true);
  const [toCluster, clusterToAuth] = memoryLink<ClusterQuestion, ClusterReply>(true);
  if (workloads !== undefined) answerForCluster(clusterToAuth, workloads, options.log);
  const role = startAuthRole({
    ...options,
    toOperators,
    replica: replicaName(),
    ...(keeper && { toControl }),
    ...(workloads && { toCluster }),
  });
  return {
    keeper,
    operate: askOperators(operatorsToAuth),
    async close() {
      await role.close();
      await keeper?.close();
    },
  };
}

function describe(proxy: Proxy, addresses: RunningSallyport['addresses']) {
  return {
    addresses: addresses.map(
      ({ scheme, host, port }) => `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ),
    hosts: proxy.table.hosts.size,
  };
}

interface AdminPorts {
  readonly adminPort?: number;
  readonly probesPort?: number;
  readonly tokenFile?: string;
}

async function startAdmins(
  settings: RunSettings,
  started: Admin[],
  metrics: Metrics,
  isReady: () => boolean,
  answers: Omit<Operators, 'token'>,
): Promise<AdminPorts> {
  const start = async (flag: string, address: Address, token?: string) => {
    const operators = token === undefined ? {} : { operators: { token, ...answers } };
    const admin = await portTaken(flag, address, startAdmin({ ...address, metrics, isReady, ...operators }));
    started.push(admin);
    return admin.port;
  };
  const probesPort = settings.probes && (await start('probes', settings.probes));
  if (settings.admin === undefined) return { ...(probesPort !== undefined && { probesPort }) };
  const token = randomBytes(32).toString('base64url');
  const adminPort = await start('admin', settings.admin, token);
  const tokenFile = tokenFileOf(adminPort, settings.adminTokenFile);
  // Made anew and for this user alone: a file that somebody else laid there first is not written into.
  await rm(tokenFile, { force: true });
  await writeFile(tokenFile, `${token}\n`, { mode: 0o600, flag: 'wx' });
  return { adminPort, tokenFile, ...(probesPort !== undefined && { probesPort }) };
}

async function portTaken<T>(flag: string, { host, port }: Address, started: Promise<T>): Promise<T> {
  try {
    return await started;
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE')) throw cause;
    throw new Error(
      `--${flag}: ${host}:${port} is taken by another process; choose another, or turn it off with --${flag}=`,
      { cause },
    );
  }
}
