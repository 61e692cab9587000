// Gives tests a real Kubernetes API server: etcd and kube-apiserver on loopback, or the cluster of KUBECONFIG_TEST.
//
// There is no controller-manager and no node: nothing gives a namespace its default ServiceAccount, a deleted namespace
// stays Terminating, owner references collect nothing, and a Service has the EndpointSlices that the test applies.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

/** Kubernetes 1.34 builds from nothing in 6 minutes on 2 cores; this leaves room for slower machines. */
const BUILD_TIMEOUT_MS = 30 * 60_000;
/** Ready takes 3 s on 2 idle cores. */
const READY_TIMEOUT_MS = 90_000;
const KUBECTL_TIMEOUT_MS = 60_000;

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ApiServer {
  readonly url: string;
  /** Of a cluster administrator, with the CA inside. */
  readonly kubeconfigPath: string;
  /** Runs kubectl as the administrator. Rejects only when kubectl cannot be run at all. */
  kubectl(args: readonly string[], stdin?: string): Promise<Result>;
  /** Server-side apply, taking over the fields of other managers. Throws what kubectl said. */
  apply(yaml: string): Promise<void>;
  /** Deletes one object and waits until it is gone, 30 s at most. Throws what kubectl said, also when there is none. */
  delete(kind: string, name: string, namespace?: string): Promise<void>;
  /** Ends kube-apiserver with SIGKILL: connections break, as in an outage. etcd goes on. */
  kill(): Promise<void>;
  /** Starts kube-apiserver (again): same port, same certificate, same data. Resolves when /readyz answers. */
  restart(): Promise<void>;
  /** Stops kube-apiserver with SIGSTOP: connections are accepted by the kernel, and nothing answers. */
  pause(): void;
  resume(): void;
  /** Ends everything and removes the folder; may be called twice. */
  stop(): Promise<void>;
}

export async function startApiServer(): Promise<ApiServer> {
  const kubeconfig = process.env['KUBECONFIG_TEST'];
  return kubeconfig ? useCluster(resolve(kubeconfig)) : startOwn(await binaries());
}

/** The folder of etcd, kube-apiserver and kubectl; builds them when there is none (see binaries/build). */
export async function binaries(): Promise<string> {
  const build = spawn('bash', [join(import.meta.dirname, 'binaries', 'build')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: BUILD_TIMEOUT_MS,
  });
  const [stdout] = await Promise.all([text(build.stdout), once(build, 'close')]);
  if (build.exitCode !== 0) throw new Error('no kube-apiserver to test with: test/cluster/binaries/build says why');
  return stdout.trimEnd().split('\n').at(-1) ?? '';
}

// --- a cluster that somebody else started --------------------------------------------------

async function useCluster(kubeconfigPath: string): Promise<ApiServer> {
  const client = kubectlClient('kubectl', kubeconfigPath, process.env);
  const url = await client.run(['config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}']);
  const refuse = (): never => {
    throw new Error('outages need our own API server: run this test without KUBECONFIG_TEST');
  };
  return {
    url,
    kubeconfigPath,
    kubectl: client.kubectl,
    apply: client.apply,
    delete: client.delete,
    kill: async () => refuse(),
    restart: async () => refuse(),
    pause: refuse,
    resume: refuse,
    stop: async () => {},
  };
}

// --- our own --------------------------------------------------

async function startOwn(bin: string): Promise<ApiServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-apiserver-'));
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const token = randomBytes(32).toString('hex');
  const certificatePath = join(folder, 'pki', 'apiserver.crt');
  const kubeconfigPath = join(folder, 'kubeconfig');
  await writeKeys(folder, token);

  const etcd = startProcess(folder, join(bin, 'etcd'), etcdFlags(folder));
  const startServer = (): Process => startProcess(folder, join(bin, 'kube-apiserver'), apiServerFlags(folder, port));
  let server = startServer();

  async function stop(): Promise<void> {
    await Promise.all([server.kill(), etcd.kill()]);
    await rm(folder, { recursive: true, force: true });
  }
  async function ready(): Promise<void> {
    // RBAC's own roles are there once /readyz answers; the namespace comes a moment later, by a loop of its own.
    for (const path of ['/readyz', '/api/v1/namespaces/default']) {
      await untilAnswers(`${url}${path}`, certificatePath, token, [etcd, server]);
    }
  }

  try {
    await ready();
    await writeFile(kubeconfigPath, kubeconfig(url, await readFile(certificatePath), token), { mode: 0o600 });
  } catch (error) {
    await stop();
    throw error;
  }
  // HOME is where kubectl keeps what it found out about a server of this address, and a person their preferences.
  const client = kubectlClient(join(bin, 'kubectl'), kubeconfigPath, { ...process.env, HOME: folder });
  return {
    url,
    kubeconfigPath,
    kubectl: client.kubectl,
    apply: client.apply,
    delete: client.delete,
    kill: () => server.kill(),
    restart: async () => {
      await server.kill();
      server = startServer();
      await ready();
    },
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    stop,
  };
}

/** A lone member that answers on a socket: the addresses it advertises are names that nobody dials. */
function etcdFlags(folder: string): string[] {
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=unix://${join(folder, 'etcd.sock')}`,
    '--advertise-client-urls=http://127.0.0.1:2379',
    '--listen-peer-urls=http://127.0.0.1:0',
    '--initial-advertise-peer-urls=http://127.0.0.1:2380',
    '--initial-cluster=default=http://127.0.0.1:2380',
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

function apiServerFlags(folder: string, port: number): string[] {
  return [
    `--etcd-servers=unix://${join(folder, 'etcd.sock')}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    // It makes its own authority and certificate here at the first start, and finds them at the next.
    `--cert-dir=${join(folder, 'pki')}`,
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${join(folder, 'service-account.key')}`,
    `--service-account-signing-key-file=${join(folder, 'service-account.key')}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    // It would refuse every Pod until a controller-manager has made the namespace's default ServiceAccount.
    '--disable-admission-plugins=ServiceAccount',
    // Loopback is refused here, and a machine may have nothing else: an address that no network has (RFC 5737).
    '--advertise-address=192.0.2.1',
    '--endpoint-reconciler-type=none',
    '--profiling=false',
  ];
}

async function writeKeys(folder: string, token: string): Promise<void> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // SEC 1, because kube-apiserver takes the public half from a private key of that form, and not from PKCS #8.
  const pem = privateKey.export({ type: 'sec1', format: 'pem' });
  await writeFile(join(folder, 'service-account.key'), pem, { mode: 0o600 });
  await writeFile(join(folder, 'tokens.csv'), `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
}

function kubeconfig(url: string, ca: Buffer, token: string): string {
  return `apiVersion: v1
kind: Config
clusters: [{ name: test, cluster: { server: '${url}', certificate-authority-data: ${ca.toString('base64')} } }]
users: [{ name: admin, user: { token: ${token} } }]
contexts: [{ name: test, context: { cluster: test, user: admin } }]
current-context: test
`;
}

/** Outside the range that kernels give to outgoing connections, so that none takes the port between kill and restart. */
async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(20_000, 30_000);
    const probe = createServer();
    const free = await new Promise<boolean>((done) => {
      probe.once('error', () => done(false));
      probe.listen(port, '127.0.0.1', () => done(true));
    });
    if (!free) continue;
    probe.close();
    await once(probe, 'close');
    return port;
  }
  throw new Error('found no free port between 20000 and 30000');
}

/** Resolves when the URL answers 200. Throws, with the end of its log, when a process has ended or time is over. */
async function untilAnswers(url: string, caPath: string, token: string, processes: readonly Process[]): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (!(await answers(url, caPath, token))) {
    const ended = processes.find((process) => process.ended());
    if (ended) throw new Error(`${ended.name} has ended:\n${await ended.lastWords()}`);
    if (performance.now() > deadline) {
      const words = await Promise.all(processes.map((process) => process.lastWords()));
      throw new Error(`${url} did not answer within ${READY_TIMEOUT_MS} ms:\n${words.join('\n')}`);
    }
    await sleep(50);
  }
}

async function answers(url: string, caPath: string, token: string): Promise<boolean> {
  const ca = await readFile(caPath).catch(() => undefined);
  if (!ca) return false;
  return new Promise((done) => {
    const request = get(url, { ca, agent: false, timeout: 2_000, headers: { authorization: `Bearer ${token}` } });
    request.on('response', (response) => {
      response.resume();
      done(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => done(false));
    request.on('close', () => done(false));
  });
}

// --- processes that end with us --------------------------------------------------

interface Process {
  readonly name: string;
  ended(): boolean;
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL; resolves when the process and its guard are gone, at once when they were. */
  kill(): Promise<void>;
  /** The end of its log. */
  lastWords(): Promise<string>;
}

/**
 * Bash becomes the command, and leaves a guard behind that reads a pipe from us. One line means that the command has
 * ended; the pipe's end without a line means that we have, however we did: then the guard ends the command and removes
 * the folder ($0). Linux alone has a signal for a parent's death; this works on macOS too.
 */
const GUARDED = '(read -r -u 3 || { kill -KILL $$; rm -rf -- "$0"; }) >/dev/null 2>&1 & exec "$@" 3<&-';

function startProcess(folder: string, command: string, args: readonly string[]): Process {
  const name = command.slice(command.lastIndexOf('/') + 1);
  const logPath = join(folder, `${name}.log`);
  const log = openSync(logPath, 'a');
  // Detached: a Ctrl-C in the terminal is for the tests alone, or it would end the guard first.
  const child = spawn('bash', ['-c', GUARDED, folder, command, ...args], {
    stdio: ['ignore', log, log, 'pipe'],
    detached: true,
  });
  closeSync(log);
  const pipe = child.stdio[3];
  // Node makes every extra pipe a socket, and types it as less.
  assert(pipe instanceof Socket);
  const exited = new Promise<void>((done) => {
    child.once('exit', () => done());
    child.once('error', () => done());
  });
  const guardGone = new Promise<void>((done) => pipe.resume().once('close', () => done()));
  // Its guard may be gone already, if somebody ended that too.
  pipe.on('error', () => {});
  void exited.then(() => pipe.end('\n'));
  // A test that forgets stop() still ends, and the guard stops for it.
  child.unref();
  pipe.unref();

  const ended = (): boolean => child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
  return {
    name,
    ended,
    signal: (signal) => {
      if (ended()) throw new Error(`${name} is not running`);
      child.kill(signal);
    },
    kill: async () => {
      child.ref();
      pipe.ref();
      child.kill('SIGKILL');
      await Promise.all([exited, guardGone]);
    },
    lastWords: async () => (await readFile(logPath, 'utf8')).trimEnd().split('\n').slice(-10).join('\n'),
  };
}

// --- kubectl --------------------------------------------------

interface KubectlClient extends Pick<ApiServer, 'kubectl' | 'apply' | 'delete'> {
  /** kubectl's standard output; throws what it said when it fails. */
  run(args: readonly string[], stdin?: string): Promise<string>;
}

function kubectlClient(command: string, kubeconfigPath: string, env: NodeJS.ProcessEnv): KubectlClient {
  async function kubectl(args: readonly string[], stdin = ''): Promise<Result> {
    const limits = { env, timeout: KUBECTL_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 };
    return new Promise((done, fail) => {
      const child = execFile(command, ['--kubeconfig', kubeconfigPath, ...args], limits, (error, stdout, stderr) => {
        if (error?.code === 'ENOENT') fail(new Error(`there is no ${command} to run`, { cause: error }));
        else done({ code: error ? (child.exitCode ?? 1) : 0, stdout, stderr });
      });
      // kubectl may end without having read it all.
      child.stdin?.on('error', () => {});
      child.stdin?.end(stdin);
    });
  }
  async function run(args: readonly string[], stdin?: string): Promise<string> {
    const { code, stdout, stderr } = await kubectl(args, stdin);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim() || `exit code ${code}`}`);
    return stdout;
  }
  return {
    kubectl,
    run,
    apply: async (yaml) => {
      await run(['apply', '--server-side', '--force-conflicts', '-f', '-'], yaml);
    },
    delete: async (kind, name, namespace) => {
      await run(['delete', kind, name, '--timeout=30s', ...(namespace ? ['--namespace', namespace] : [])]);
    },
  };
}
