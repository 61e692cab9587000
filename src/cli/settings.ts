// The flags of `sallyport run`: one table that parses them, reads their environment variables, and prints their help.
import { parseArgs } from 'node:util';
import type { IngressAddress } from '../model/addresses.ts';
import type { LabelSelector } from '../model/selector.ts';
import { decisionLogs } from '../proxy/decision-log.ts';
import type { DecisionLog } from '../proxy/decision-log.ts';
import { logLevels } from '../telemetry.ts';
import type { LogLevel } from '../telemetry.ts';
import { parseAddresses, parseLabelSelector, parseService } from './values.ts';

/** A wrong use of the command: exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

interface Flag {
  readonly value: string;
  readonly default?: string;
  readonly help: string;
}

export const runFlags = {
  manifests: {
    value: 'DIR',
    help: 'Serve the objects in a folder of YAML, watched for changes; no cluster is needed.',
  },
  kubeconfig: {
    value: 'FILE',
    help: 'How to reach the API server; by default as a pod does, else as kubectl finds it.',
  },
  namespaces: { value: 'a,b', help: 'Serve these namespaces alone, and ask for nothing of others.' },
  'namespace-selector': {
    value: 'KEY=VALUE',
    help: 'Serve the namespaces with these labels, as they come and go; as kubectl takes it after -l.',
  },
  class: { value: 'NAME', default: 'sallyport', help: 'The IngressClass to serve.' },
  'publish-service': {
    value: 'NAMESPACE/NAME',
    help: 'The Service under whose addresses people come: they are written into the Ingresses.',
  },
  'publish-address': { value: 'IP|HOST,…', help: 'Those addresses, instead of a Service’s.' },
  http: { value: 'ADDRESS:PORT', default: '0.0.0.0:8080', help: 'Plain HTTP; empty turns it off.' },
  https: { value: 'ADDRESS:PORT', default: '0.0.0.0:8443', help: 'HTTPS; empty turns it off.' },
  admin: {
    value: 'ADDRESS:PORT',
    default: '127.0.0.1:9090',
    help: 'Operators; needs a token, save for livez, readyz and metrics.',
  },
  'admin-token-file': {
    value: 'FILE',
    help: 'Where that token is written; by default sallyport-admin-PORT.token in the temporary folder.',
  },
  probes: { value: 'ADDRESS:PORT', default: '0.0.0.0:9091', help: 'livez, readyz and metrics, nothing else.' },
  workers: {
    value: 'auto|N',
    default: 'auto',
    help: 'Processes that serve traffic; this version serves from one, whatever is said.',
  },
  zone: {
    value: 'NAME',
    help: 'The topology zone that this instance is in: EndpointSlices’ zone hints are heeded. By default they are not.',
  },
  namespace: { value: 'NAME', default: 'sallyport-system', help: 'Where the installation’s own Secrets live.' },
  role: { value: 'control|auth|proxy', help: 'One role alone; this version runs all three in one process.' },
  sockets: { value: 'DIR', help: 'Where roles in different containers meet; with --role.' },
  'log-level': { value: logLevels.join('|'), default: 'info', help: 'What is logged, as JSON lines on stdout.' },
  'access-log': { value: 'all|denied|none', default: 'all', help: 'Which requests are logged.' },
  'decision-log': {
    value: decisionLogs.join('|'),
    default: 'denied',
    help: 'Which decisions are logged, with who asked and why; denied: all but a plain yes.',
  },
} as const satisfies Record<string, Flag>;
type FlagName = keyof typeof runFlags;

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface RunSettings {
  readonly manifests?: string;
  readonly kubeconfig?: string;
  readonly namespaces?: readonly string[];
  readonly namespaceSelector?: LabelSelector;
  readonly publishService?: { readonly namespace: string; readonly name: string };
  readonly publishAddresses?: readonly IngressAddress[];
  readonly className: string;
  readonly http?: Address;
  readonly https?: Address;
  readonly admin?: Address;
  readonly adminTokenFile?: string;
  readonly probes?: Address;
  readonly zone?: string;
  readonly namespace: string;
  readonly logLevel: LogLevel;
  readonly accessLog: 'all' | 'denied' | 'none';
  readonly decisionLog: DecisionLog;
}

/** `--admin-token-file` ↔ `SALLYPORT_ADMIN_TOKEN_FILE` */
export function variableOf(flag: string): string {
  return `SALLYPORT_${flag.toUpperCase().replaceAll('-', '_')}`;
}

/**
 * Reads flags, and environment variables where a flag is not given.
 * @throws {UsageError} naming the flag, what is wrong and what would be right.
 */
export function readRunSettings(args: readonly string[], environment: NodeJS.ProcessEnv): RunSettings {
  const given = parseFlags(args);
  const value = (name: FlagName): string => {
    const flag: Flag = runFlags[name];
    return given[name] ?? environment[variableOf(name)] ?? flag.default ?? '';
  };
  const optional = (name: FlagName) => (value(name) === '' ? undefined : value(name));
  refuseUnsupported(optional);
  const namespaces = optional('namespaces')
    ?.split(',')
    .map((name) => name.trim());
  const [manifests, kubeconfig, adminTokenFile, zone] = [
    optional('manifests'),
    optional('kubeconfig'),
    optional('admin-token-file'),
    optional('zone'),
  ];
  const addresses = {
    http: readAddress('http', value('http')),
    https: readAddress('https', value('https')),
    admin: readAddress('admin', value('admin')),
    probes: readAddress('probes', value('probes')),
  };
  if (manifests !== undefined && kubeconfig !== undefined) {
    throw new UsageError('--manifests and --kubeconfig: objects come from a folder or from a cluster; give one');
  }
  if (addresses.http === undefined && addresses.https === undefined) {
    throw new UsageError('--http and --https: both are off, so nothing would be served; give one an address');
  }
  return {
    ...(manifests !== undefined && { manifests }),
    ...(kubeconfig !== undefined && { kubeconfig }),
    ...(namespaces && { namespaces }),
    ...readPlaces(optional),
    className: value('class'),
    ...(addresses.http && { http: addresses.http }),
    ...(addresses.https && { https: addresses.https }),
    ...(addresses.admin && { admin: addresses.admin }),
    ...(adminTokenFile !== undefined && { adminTokenFile }),
    ...(addresses.probes && { probes: addresses.probes }),
    ...(zone !== undefined && { zone }),
    namespace: value('namespace'),
    logLevel: oneOf('log-level', value('log-level'), logLevels),
    accessLog: oneOf('access-log', value('access-log'), ['all', 'denied', 'none'] as const),
    decisionLog: oneOf('decision-log', value('decision-log'), decisionLogs),
  };
}

/** Which namespaces by label, and under which addresses people come. */
function readPlaces(optional: (name: FlagName) => string | undefined) {
  const read = <T>(name: FlagName, parse: (text: string) => T | undefined, wanted: string): T | undefined => {
    const text = optional(name);
    if (text === undefined) return undefined;
    const parsed = parse(text);
    if (parsed === undefined) throw new UsageError(`--${name}: "${text}" is not ${wanted}`);
    return parsed;
  };
  const selector = read('namespace-selector', parseLabelSelector, 'a label selector, such as team=shop,env!=test');
  const service = read('publish-service', parseService, 'a Service, such as sallyport-system/sallyport');
  const addresses = read('publish-address', parseAddresses, 'a list of IP addresses and names');
  if (selector !== undefined && optional('namespaces') !== undefined) {
    throw new UsageError('--namespaces and --namespace-selector: namespaces are served by name or by label; give one');
  }
  if (service !== undefined && addresses !== undefined) {
    throw new UsageError(
      '--publish-service and --publish-address: both say under which addresses people come; give one',
    );
  }
  return {
    ...(selector && { namespaceSelector: selector }),
    ...(service && { publishService: service }),
    ...(addresses && { publishAddresses: addresses }),
  };
}

function parseFlags(args: readonly string[]): Partial<Record<FlagName, string>> {
  const options = Object.fromEntries(Object.keys(runFlags).map((name) => [name, { type: 'string' as const }]));
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : 'the flags cannot be read'} (sallyport help run)`);
  }
}

function refuseUnsupported(optional: (name: FlagName) => string | undefined): void {
  for (const name of ['role', 'sockets'] as const) {
    if (optional(name) !== undefined) {
      throw new UsageError(`--${name}: this version runs all three roles in one process; leave it out`);
    }
  }
  const workers = optional('workers') ?? 'auto';
  if (workers !== 'auto' && !/^\d{1,3}$/.test(workers)) {
    throw new UsageError(`--workers: "${workers}" is neither auto nor a number`);
  }
}

function readAddress(name: FlagName, text: string): Address | undefined {
  if (text === '') return undefined;
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new UsageError(
      `--${name}: "${text}" is not an address; wanted is one like 127.0.0.1:8080, [::1]:8080 or :8080`,
    );
  }
  const host = bracketed ?? plain ?? '';
  return { host: host === '' ? '0.0.0.0' : host, port };
}

function oneOf<const T extends string>(name: FlagName, text: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === text);
  if (found !== undefined) return found;
  throw new UsageError(`--${name}: "${text}" is not one of ${allowed.join(', ')}`);
}

export function runHelp(): string {
  const lines = Object.entries(runFlags).map(([name, flag]: [string, Flag]) => {
    const left = `  --${name} ${flag.value}`;
    const fallback = flag.default === undefined ? '' : ` [${flag.default}]`;
    return `${left.padEnd(36)} ${flag.help}${fallback}`;
  });
  return `sallyport run: serves Ingresses, signs people in, decides on every request\n\n${lines.join('\n')}\n\nEach flag is also an environment variable: --log-level is SALLYPORT_LOG_LEVEL.\n`;
}
