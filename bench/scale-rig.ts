// What the measurements at scale stand on: an API server full of objects, applications with addresses of their own, and Sallyport as a process.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { resourcePath } from '../src/kubernetes/client.ts';
import { collections } from '../src/model/objects.ts';
import { freePort } from '../test/integration/rig.ts';
import { startApiServer } from '../test/cluster/apiserver.ts';
import { installCrds } from '../test/cluster/install.ts';
import { createCertify, objectsOf } from './scale-objects.ts';
import type { Sent } from './scale-objects.ts';

const concurrent = 24;

/** The API server as a client of ours sees it. */
export interface Api {
  readonly kubeconfig: string;
  /** By server-side apply; resolves when it is acknowledged. */
  apply(sent: Sent): Promise<void>;
  /** Sooner done; what is there already stays. */
  create(sent: Sent): Promise<void>;
  /** How long it takes to answer all lists that a start asks for, at once, in milliseconds. */
  listMs(): Promise<number>;
  stop(): Promise<void>;
}

export async function startApi(): Promise<Api> {
  const server = await startApiServer();
  await installCrds(server);
  const kubeconfig = await readFile(server.kubeconfigPath, 'utf8');
  const ca = Buffer.from(/certificate-authority-data: ([^\s}]+)/.exec(kubeconfig)?.[1] ?? '', 'base64');
  const authorization = `Bearer ${/token: ([^\s}]+)/.exec(kubeconfig)?.[1] ?? ''}`;
  const agent = new Agent({ keepAlive: true, ca, maxSockets: concurrent });
  const ask = async (method: string, path: string, body?: string, type = 'application/json'): Promise<string> => {
    const headers = {
      authorization,
      ...(body !== undefined && { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
    };
    const asked = request(server.url + path, { method, agent, headers });
    asked.end(body);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) if ((response.statusCode ?? 0) > 299) text += chunk;
    if ((response.statusCode ?? 0) > 299) throw new Error(`${method} ${path}: ${response.statusCode} ${text}`);
    return text;
  };
  const bodyOf = ({ collection, object }: Sent) => {
    const { group, version, kind } = collections[collection];
    return JSON.stringify({ apiVersion: group === '' ? version : `${group}/${version}`, kind, ...object });
  };
  return {
    kubeconfig: server.kubeconfigPath,
    async create(sent) {
      const { namespace } = sent.object.metadata;
      try {
        await ask('POST', resourcePath(collections[sent.collection], { namespace }), bodyOf(sent));
      } catch (error) {
        if (!(error instanceof Error && error.message.includes('AlreadyExists'))) throw error;
      }
    },
    async apply(sent) {
      const type = collections[sent.collection];
      const { namespace, name } = sent.object.metadata;
      const body = bodyOf(sent);
      const path = `${resourcePath(type, { namespace, name })}?fieldManager=bench&force=true`;
      await ask('PATCH', path, body, 'application/apply-patch+yaml');
    },
    async listMs() {
      const began = performance.now();
      await Promise.all(
        Object.values(collections).map((type) => ask('GET', `${resourcePath(type)}?resourceVersion=0`)),
      );
      return performance.now() - began;
    },
    stop: () => server.stop(),
  };
}

/** Makes all objects, several at a time; what has to be there first comes first. */
export async function fill(api: Api, count: number, places: Parameters<typeof objectsOf>[1]): Promise<void> {
  const certify = createCertify();
  const all = [...objectsOf(count, places, certify)];
  const ofCluster = ({ object }: Sent) => object.metadata.namespace === undefined;
  for (const some of [all.filter(ofCluster), all.filter((sent) => !ofCluster(sent))]) await each(some, api.create);
}

/** Several at a time. */
export async function each(all: readonly Sent[], work: (sent: Sent) => Promise<void>): Promise<void> {
  const waiting = all.values();
  const worker = async () => {
    for (const sent of waiting) await work(sent);
  };
  await Promise.all(Array.from({ length: concurrent }, worker));
}

export interface Subject {
  readonly pid: number;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** When it said that it is ready, in milliseconds after its start. */
  readonly readyMs: number;
  metrics(): Promise<string>;
  rssMegabytes(): Promise<number>;
  /** Seconds of the processor since its start. */
  cpuSeconds(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts `sallyport run`, one process with all roles, and waits until /readyz answers 200. */
export async function startSubject(kubeconfig: string): Promise<Subject> {
  const [httpPort, httpsPort, probesPort] = [await freePort(), await freePort(), await freePort()];
  const flags = ['--http', `127.0.0.1:${httpPort}`, '--https', `127.0.0.1:${httpsPort}`];
  const quiet = ['--access-log', 'none', '--decision-log', 'none', '--log-level', 'warn'];
  const ports = ['--admin', '', '--probes', `127.0.0.1:${probesPort}`];
  const began = performance.now();
  const command = new URL('../bin/sallyport', import.meta.url).pathname;
  const child: ChildProcess = spawn(command, ['run', '--kubeconfig', kubeconfig, ...flags, ...quiet, ...ports], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let lines = 0;
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines += 1;
      if (lines <= 5) console.error(line.slice(0, 300));
    });
  }
  const probe = (path: string) =>
    new Promise<{ readonly status: number; readonly text: string }>((resolve) => {
      const asked = httpRequest({ host: '127.0.0.1', port: probesPort, path, timeout: 5_000 }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      asked.on('error', () => resolve({ status: 0, text: '' }));
      asked.end();
    });
  while ((await probe('/readyz')).status !== 200) {
    if (child.exitCode !== null || performance.now() - began > 120_000) throw new Error('Sallyport did not get ready');
    await sleep(20);
  }
  const readyMs = performance.now() - began;
  const pid = child.pid ?? 0;
  return {
    pid,
    httpPort,
    httpsPort,
    readyMs,
    metrics: async () => (await probe('/metrics')).text,
    async rssMegabytes() {
      const status = await readFile(`/proc/${pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
    },
    async cpuSeconds() {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
      const [, , , , , , , , , , , , user = '0', system = '0'] = stat.slice(stat.lastIndexOf(')')).split(' ');
      return (Number(user) + Number(system)) / 100;
    },
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const deadline = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(deadline);
    },
  };
}

/** The value of a metric without labels. */
export function valueOf(metrics: string, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1] ?? Number.NaN);
}
