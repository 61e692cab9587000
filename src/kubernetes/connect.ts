// Where the API server is and who we are to it: from a pod's ServiceAccount, or from a kubeconfig.
import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { join } from 'node:path';
import type { Connection, Credentials } from './client.ts';

/** Where the kubelet puts a pod's token. */
const serviceAccountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The connection of a pod. The token is a projected one, replaced by the kubelet about once an hour, so files are read
 * anew whenever the client asks.
 * Errors: an Error whose `code` is `NotInCluster` where this is no pod.
 */
export async function inClusterConnection(
  directory = serviceAccountDirectory,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Connection> {
  const host = environment['KUBERNETES_SERVICE_HOST'];
  const port = environment['KUBERNETES_SERVICE_PORT'] ?? '443';
  if (host === undefined || host === '') {
    throw Object.assign(new Error('this is not a pod: KUBERNETES_SERVICE_HOST is not set'), { code: 'NotInCluster' });
  }
  const namespace = await readFile(join(directory, 'namespace'), 'utf8').catch(() => '');
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ...(namespace.trim() !== '' && { namespace: namespace.trim() }),
    async credentials() {
      const [token, ca] = await Promise.all([
        readFile(join(directory, 'token'), 'utf8'),
        readFile(join(directory, 'ca.crt'), 'utf8'),
      ]);
      return { ca, authorization: `Bearer ${token.trim()}` };
    },
  };
}

/**
 * The connection of a kubeconfig's current context: of `path`, else of the file that kubectl would take.
 * The library is loaded here and only for this (0.5 s, 80 MB): it knows the exec and OIDC ways to log in.
 * Errors: an Error whose `code` is `KubeconfigInvalid`.
 */
export async function kubeconfigConnection(path?: string): Promise<Connection> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    if (path === undefined) config.loadFromDefault();
    else config.loadFromFile(path);
  } catch (cause) {
    throw kubeconfigInvalid(`${path ?? 'the kubeconfig'} cannot be read`, cause);
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw kubeconfigInvalid(`${path ?? 'the kubeconfig'} has no current context with a cluster`);
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace;
  return {
    server: cluster.server,
    ...(namespace !== undefined && { namespace }),
    async credentials() {
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      return credentialsFrom(options);
    },
  };
}

function kubeconfigInvalid(message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code: 'KubeconfigInvalid' });
}

function credentialsFrom(options: RequestOptions): Credentials {
  const { ca, cert, key, servername, rejectUnauthorized, headers, auth } = options;
  const header = new Headers(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]));
  const authorization =
    header.get('authorization') ??
    (typeof auth === 'string' ? `Basic ${Buffer.from(auth).toString('base64')}` : undefined);
  return {
    ...(isText(ca) && { ca }),
    ...(isText(cert) && { cert }),
    ...(isText(key) && { key }),
    ...(typeof servername === 'string' && { servername }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
    ...(authorization !== undefined && { authorization }),
  };
}

function isText(value: unknown): value is string | Buffer {
  return typeof value === 'string' || Buffer.isBuffer(value);
}
