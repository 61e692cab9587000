// The faults of an API server that holds sessions, one by one, with the same two replicas: they take longest to start.
import { startApiProxy } from '../replicas/api-proxy.ts';
import type { ApiProxy, ApiTrouble } from '../replicas/api-proxy.ts';
import { sessionsNamespace, startInSecrets } from '../replicas/in-secrets.ts';
import type { InSecrets } from '../replicas/in-secrets.ts';
import { signIn } from '../replicas/visitor.ts';
import type { Fault, Trouble } from './stage.ts';

const max = 100;

let shared: Promise<InSecrets & { readonly proxy: ApiProxy }> | undefined;

async function start() {
  let proxy: ApiProxy | undefined;
  const replicas = await startInSecrets({
    max,
    more: ', outageGrace: 25s',
    async kubeconfig(api) {
      proxy = await startApiProxy(api);
      return proxy.kubeconfigPath;
    },
  });
  if (proxy === undefined) throw new Error('the kubeconfig was asked for');
  return { ...replicas, proxy };
}

export async function closeSecrets(): Promise<void> {
  const opened = await shared?.catch(() => undefined);
  await opened?.stop();
  await opened?.proxy.stop();
}

function fault(name: string, trouble: (api: InSecrets, proxy: ApiProxy) => Trouble, lastsMs?: number): Fault {
  return {
    name,
    ...(lastsMs !== undefined && { lastsMs }),
    async open() {
      shared ??= start();
      const replicas = await shared;
      return { replicas, ...trouble(replicas, replicas.proxy), stop: async () => undefined };
    },
  };
}

const answering = (trouble: ApiTrouble) => (_: InSecrets, proxy: ApiProxy) => ({
  begin: async () => proxy.trouble(trouble),
  end: async () => proxy.trouble({}),
});

export const secretFaults: readonly Fault[] = [
  fault('killed', ({ api }) => ({ begin: () => api.kill(), end: () => api.restart() })),
  fault('hangs (SIGSTOP)', ({ api }) => ({ begin: async () => api.pause(), end: async () => api.resume() })),
  fault('answers 429', answering({ status: 429 }), 6_000),
  fault('answers 403, as without the Role', answering({ status: 403 })),
  fault('answers after 1 s', answering({ delayMs: 1_000 })),
  fault('answers after 2 s', answering({ delayMs: 2_000 })),
  fault('says nothing more on its watches', answering({ mutesWatches: true })),
  fault('the namespace is full', ({ api, first }) => ({
    async begin() {
      for (let count = 0; count < max; count += 1) if (!(await signsIn(first.port))) return;
    },
    end: () => api.kubectl(['delete', 'secrets', '--all', '-n', sessionsNamespace]),
  })),
];

const signsIn = (port: number) =>
  signIn(port).then(
    () => true,
    () => false,
  );
