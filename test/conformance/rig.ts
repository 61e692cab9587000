// Sallyport on a folder for the conformance suite: a pod of the echo application behind each Service that an Ingress names, and
// the suite's way of asking.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { TLSSocket } from 'node:tls';
import { parseAllDocuments, stringify } from 'yaml';
import { startSallyport } from '../../src/cli/run.ts';
import { readRunSettings } from '../../src/cli/settings.ts';
import { createLogger } from '../../src/telemetry.ts';
import { startPod } from './echo.ts';
import type { Echo } from './echo.ts';

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly proto: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Where the echo application answered. */
  readonly echo?: Echo;
  readonly body: string;
  /** Over https: the names of the certificate that was shown. */
  readonly names?: string;
}

export interface ConformanceRig {
  readonly port: number;
  /** Everything logged, in order. */
  readonly log: Record<string, unknown>[];
  /**
   * `http://foo.com/a`, of which the host is sent and the address dialled is Sallyport's: `http:///a` names no host. A new
   * connection each time, redirects followed by dialling the same address, and any certificate will do.
   */
  ask(url: string, asked?: Asked): Promise<Answered>;
  stop(): Promise<void>;
}

export interface RigOptions {
  /** Ingresses, and whatever else a case needs beside them. */
  readonly objects: string;
  /** Pods of each Service; absent: one. */
  readonly pods?: number;
  /** Instead of the usual IngressClass, and with its Sallyport. */
  readonly ingressClass?: string;
  /** Beside those that Ingresses name. */
  readonly services?: readonly Backend[];
}

// The suite brings no credentials: its class lets everybody in where an Ingress says nothing.
const everybody = `
apiVersion: sallyport.dev/v1alpha1
kind: ClusterPolicy
metadata: {name: everybody}
spec:
  enforcement: Default
  rules: [{allow: {or: [{accept: true}]}}]
`;

const usualClass = `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: conformance}
spec: {controller: sallyport.dev/ingress-controller}
`;

export async function startConformanceRig({
  objects,
  pods = 1,
  ingressClass = usualClass,
  services: further = [],
}: RigOptions): Promise<ConformanceRig> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-conformance-'));
  const log: Record<string, unknown>[] = [];
  const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async () => {
    for (const end of stops.toReversed()) await end();
  };
  try {
    const services: string[] = [];
    for (const backend of [...backendsOf(objects), ...further]) {
      const { namespace, name } = backend;
      const started = await Promise.all(
        Array.from({ length: pods }, (_, index) => startPod(namespace, name, `${name}-${index}`)),
      );
      stops.push(...started.map((pod) => pod.stop));
      services.push(
        serviceOf(
          backend,
          started.map((pod) => pod.port),
        ),
      );
    }
    await writeFile(join(folder, 'all.yaml'), [ingressClass, everybody, objects, ...services].join('\n---\n'));
    const addresses = ['--http', '127.0.0.1:0', '--https', '127.0.0.1:0'];
    const flags = ['--manifests', folder, '--class', 'conformance', ...addresses, '--probes', '', '--admin', ''];
    const logger = createLogger('debug', (line) => log.push(JSON.parse(line) as Record<string, unknown>));
    const sallyport = await startSallyport(readRunSettings(flags, {}), logger);
    stops.push(() => sallyport.stop());
    const portOf = (wanted: string) => sallyport.addresses.find(({ scheme }) => scheme === wanted)?.port ?? 0;
    const ports = { http: portOf('http'), https: portOf('https') };
    return { port: ports.http, log, ask: (url, asked = {}) => ask(url, asked, ports, 10), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export interface Backend {
  readonly namespace: string;
  readonly name: string;
  readonly port: { readonly name?: string; readonly number?: number };
}

interface WrittenBackend {
  readonly service?: { readonly name: string; readonly port: Backend['port'] };
}

interface WrittenIngress {
  readonly kind: string;
  readonly metadata: { readonly namespace: string };
  readonly spec: {
    readonly defaultBackend?: WrittenBackend;
    readonly rules?: readonly { readonly http?: { readonly paths: readonly { readonly backend: WrittenBackend }[] } }[];
  };
}

/** As the suite makes its Services: those that its Ingresses name. */
function backendsOf(objects: string): readonly Backend[] {
  const found = parseAllDocuments(objects)
    .map((document) => document.toJS() as WrittenIngress)
    .filter(({ kind }) => kind === 'Ingress')
    .flatMap(({ metadata: { namespace }, spec: { defaultBackend, rules = [] } }) =>
      [defaultBackend, ...rules.flatMap(({ http }) => http?.paths.map(({ backend }) => backend) ?? [])].flatMap((one) =>
        one?.service === undefined ? [] : [{ namespace, ...one.service }],
      ),
    );
  return [...new Map(found.map((one) => [`${one.namespace}/${one.name}`, one])).values()];
}

// Files hold loopback addresses, which no cluster takes. One slice a pod, for its port is its own.
function serviceOf({ namespace, name, port }: Backend, podPorts: readonly number[]): string {
  const portName = port.name ?? 'http';
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name },
    spec: { ports: [{ name: portName, port: port.number ?? 8080 }] },
  };
  const slices = podPorts.map((podPort, index) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace, name: `${name}-${index}`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: portName, port: podPort }],
    endpoints: [{ addresses: ['127.0.0.1'] }],
  }));
  return [service, ...slices].map((object) => stringify(object)).join('---\n');
}

type Ports = Readonly<Record<'http' | 'https', number>>;

async function ask(url: string, asked: Asked, ports: Ports, redirects: number): Promise<Answered> {
  const answered = await once(url, asked, ports);
  const { location } = answered.headers;
  if (typeof location !== 'string' || answered.status < 300 || answered.status > 399 || redirects === 0)
    return answered;
  return ask(location, asked, ports, redirects - 1);
}

function once(url: string, { method = 'GET', headers = {} }: Asked, ports: Ports): Promise<Answered> {
  const [, scheme = '', host = '', path = '/'] = /^(https?):\/\/([^/]*)(\/.*)?$/.exec(url) ?? [];
  const isHttps = scheme === 'https';
  const port = ports[isHttps ? 'https' : 'http'];
  const options = {
    host: '127.0.0.1',
    port,
    method,
    path,
    agent: false,
    headers: { Host: host === '' ? `127.0.0.1:${port}` : host, 'User-Agent': 'Go-http-client/1.1', ...headers },
    timeout: 10_000,
    ...(isHttps && { servername: host, rejectUnauthorized: false }),
  } as const;
  return new Promise((resolve, reject) => {
    const outgoing = (isHttps ? httpsRequest : httpRequest)(options, (response) => {
      answerOf(response).then(resolve, reject);
    });
    outgoing.once('timeout', () => outgoing.destroy(new Error(`${url} does not answer`)));
    outgoing.once('error', reject);
    outgoing.end();
  });
}

async function answerOf(response: IncomingMessage): Promise<Answered> {
  const { socket, statusCode: status = 0, httpVersion, headers } = response;
  const names = socket instanceof TLSSocket ? socket.getPeerCertificate().subjectaltname : undefined;
  const body = await text(response);
  return {
    status,
    proto: `HTTP/${httpVersion}`,
    headers,
    body,
    ...(status === 200 && { echo: JSON.parse(body) as Echo }),
    ...(names !== undefined && { names }),
  };
}
