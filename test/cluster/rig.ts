// Sallyport on a real API server, with two applications that have addresses of their own, and a real provider.
import assert from 'node:assert/strict';
import { startProvider } from '../../demo/provider.ts';
import type { RunningProvider } from '../../demo/provider.ts';
import { startSallyport } from '../../src/cli/run.ts';
import type { RunningSallyport } from '../../src/cli/run.ts';
import { readRunSettings } from '../../src/cli/settings.ts';
import { createLogger } from '../../src/telemetry.ts';
import { send } from '../integration/client.ts';
import type { Answer } from '../integration/client.ts';
import { freePort, until } from '../integration/rig.ts';
import { startApiServer } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';
import { farAddress, startFarHost } from './far-host.ts';
import type { FarHost } from './far-host.ts';
import { installCrds } from './install.ts';

export interface ClusterRig {
  readonly api: ApiServer;
  readonly sallyport: RunningSallyport;
  readonly provider: RunningProvider;
  readonly port: number;
  /** Everything logged, in order. */
  readonly log: Record<string, unknown>[];
  /** What kubectl prints. @throws {Error} with what it says on stderr. */
  kubectl(...args: string[]): Promise<string>;
  get(host: string, headers?: Record<string, string>): Promise<Answer>;
  /** The application's name, or the status where it is not 200. */
  served(host: string): Promise<string>;
  /** Waits at most a second; the time it took, in milliseconds. */
  becomes(host: string, wanted: string): Promise<number>;
  stop(): Promise<void>;
}

export const red = farAddress(1);
export const blue = farAddress(2);

/** `--http` and the like for a second Sallyport on this API server. */
export function flagsFor(api: ApiServer, port: number): string[] {
  const off = ['--https', '', '--probes', '', '--admin', '127.0.0.1:0'];
  return ['--kubeconfig', api.kubeconfigPath, '--http', `127.0.0.1:${port}`, ...off];
}

export interface ClusterRigOptions {
  /** The Sallyport's `sessions`, in YAML's flow style. */
  readonly sessions?: string;
  /** Applied before Sallyport starts. */
  readonly objects?: string;
  /** Beyond those of {@link flagsFor}. */
  readonly flags?: readonly string[];
}

export async function startClusterRig({
  sessions = '{store: {type: Memory}}',
  objects,
  flags = [],
}: ClusterRigOptions = {}): Promise<ClusterRig> {
  const port = await freePort();
  const log: Record<string, unknown>[] = [];
  const stops: (() => Promise<unknown>)[] = [];
  const started = async <T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T> => {
    const one = await starting;
    stops.push(() => one.stop());
    return one;
  };
  const stop = async () => {
    for (const end of stops.toReversed()) await end();
  };
  try {
    const provider = await started(
      startProvider({ port: 0, redirectUris: [`http://auth.localhost:${port}/oauth2/callback`] }),
    );
    const api = await started<ApiServer>(startApiServer());
    await started<FarHost>(startFarHost('red', 1));
    await started<FarHost>(startFarHost('blue', 2));
    const kubectl = async (...args: string[]) => {
      const { code, stdout, stderr } = await api.kubectl(args);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    await installCrds(api);
    await api.apply(settings(provider.issuer, port, sessions));
    if (objects !== undefined) await api.apply(objects);
    const logger = createLogger('debug', (line) => log.push(JSON.parse(line) as Record<string, unknown>));
    const sallyport = await started(startSallyport(readRunSettings([...flagsFor(api, port), ...flags], {}), logger));
    const get = (host: string, headers: Record<string, string> = { accept: '*/*' }) =>
      send(new URL(`http://${host}.localhost:${port}/`), { headers });
    const served = async (host: string) => {
      const answer = await get(host);
      return answer.status === 200 ? (JSON.parse(answer.body) as { name: string }).name : String(answer.status);
    };
    const becomes = (host: string, wanted: string) =>
      until(async () => (await served(host)) === wanted, 1_000, `${host} serves ${wanted}`);
    return { api, sallyport, provider, port, log, kubectl, get, served, becomes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const settings = (issuer: string, at: number, sessions: string) => `
apiVersion: v1
kind: Namespace
metadata: {name: sallyport-system}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: sallyport}
spec:
  controller: sallyport.dev/ingress-controller
  parameters: {apiGroup: sallyport.dev, kind: Sallyport, name: default}
---
apiVersion: sallyport.dev/v1alpha1
kind: Sallyport
metadata: {name: default}
spec:
  authenticationHost: auth.localhost:${at}
  defaultIdentityProviderRef: {name: demo}
  sessions: ${sessions}
---
apiVersion: sallyport.dev/v1alpha1
kind: IdentityProvider
metadata: {name: demo}
spec:
  oidc:
    issuer: ${issuer}
    clientID: sallyport
    clientSecretRef: {namespace: sallyport-system, name: demo-provider, key: clientSecret}
---
apiVersion: v1
kind: Secret
metadata: {name: demo-provider, namespace: sallyport-system}
stringData: {clientSecret: demo-only-not-a-secret}
${application('red', red)}${application('blue', blue)}`;

export const application = (name: string, address: string) => `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {ports: [{name: http, port: 80, targetPort: 9000}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}-1, namespace: shop, labels: {kubernetes.io/service-name: ${name}}}
addressType: IPv4
ports: [{name: http, port: 9000}]
endpoints: [{addresses: [${address}]}]
`;

export const ingress = (name: string, service: string, annotation: string) => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ${name}, namespace: shop, annotations: {${annotation}}}
spec:
  ingressClassName: sallyport
  rules:
    - host: ${name}.localhost
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: ${service}, port: {name: http}}}}]}
`;

export const policy = (group: string) => `
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: members, namespace: shop}
spec:
  rules: [{name: members, allow: {and: [{groups: {has: ${group}}}]}}]
`;
