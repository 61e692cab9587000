// The way to a Redis Cluster: commands go to the node that holds the key, news come from any node.
import { setTimeout as delay } from 'node:timers/promises';
import { StoreError } from '../store.ts';
import { clientOptions, rotate } from './address.ts';
import type { Address, Credentials } from './address.ts';
import type { Connection, Masters } from './connection.ts';
import { createLine } from './line.ts';
import type { Listeners } from './line.ts';
import { pauseMs, within } from './patience.ts';
import { replyOf } from './trouble.ts';

const makeCluster = async (
  credentials: Credentials,
  addresses: readonly [Address, ...Address[]],
  timeoutMs: number,
) => {
  const { socket, ...defaults } = clientOptions(addresses[0], credentials, timeoutMs);
  const { host: _host, port: _port, ...shared } = socket;
  const { createCluster } = await import('@redis/client');
  const cluster = createCluster({
    rootNodes: addresses.map(({ host, port }) => ({ socket: { host, port } })),
    RESP: 3,
    // Else a master that is down when we start keeps all others from us.
    minimizeConnections: true,
    topologyRefreshOnReconnectionAttemptStrategy: 1_000,
    defaults: {
      ...defaults,
      database: 0,
      pingInterval: 1_000,
      socket: { ...shared, socketTimeout: timeoutMs + 1_000, reconnectStrategy: pauseMs },
    },
  });
  return cluster;
};

type Cluster = Awaited<ReturnType<typeof makeCluster>>;

/** A node that is cut off from the others answers us and hears nothing: news are then asked of the next. */
const beat = {
  command: ['CLUSTER', 'INFO'],
  wrong: (answer: unknown) =>
    String(answer).includes('cluster_state:fail')
      ? new Error('CLUSTERDOWN the node is cut off from the Cluster')
      : undefined,
};

const renewEveryMs = 2_000;

export function createClusterConnection(
  credentials: Credentials,
  addresses: readonly [Address, ...Address[]],
  timeoutMs: number,
  listeners: Listeners,
): Connection {
  const closing = new AbortController();
  const tried = Promise.withResolvers<void>();
  let current: Cluster | undefined;
  let connections = 0;
  let absence: unknown = new StoreError('unavailable', 'there is no connection to the Redis Cluster yet');
  let renewedAt = Number.NEGATIVE_INFINITY;
  let renewing = false;

  const open = async () => {
    const cluster = await makeCluster(credentials, addresses, timeoutMs);
    // Without listeners an error would end the process. This one says what `connect` does not: why.
    let reason: unknown;
    cluster.on('error', (error) => {
      reason = error;
    });
    cluster.on('node-error', () => {});
    // News may have gone down with the node's predecessor, and so may its last changes.
    cluster.on('node-ready', () => {
      connections += 1;
      listeners.onUp();
    });
    try {
      await within(timeoutMs, cluster.connect());
      if (closing.signal.aborted) return cluster.destroy();
      retire(current, timeoutMs);
      current = cluster;
    } catch (cause) {
      cluster.destroy();
      absence = reason ?? cause;
      listeners.onDown(absence);
    }
  };
  /** The library never asks where a node's slots are now if it could not reach that node even once: begin anew. */
  const renew = async () => {
    if (renewing || performance.now() - renewedAt < renewEveryMs) return;
    renewing = true;
    for (let failures = 0; !closing.signal.aborted; failures += 1) {
      const before = current;
      await open();
      tried.resolve();
      if (current !== before) break;
      await delay(pauseMs(failures), undefined, { signal: closing.signal }).catch(() => {});
    }
    renewedAt = performance.now();
    renewing = false;
  };

  const mastersOf = async (cluster: Cluster): Promise<Masters> => {
    const nodes = cluster.masters.toSorted((one, other) => one.address.localeCompare(other.address));
    const clients = await Promise.all(nodes.map((node) => cluster.nodeClient(node)));
    // Only now is each counted.
    return {
      life: String(connections),
      all: clients.map((client) => (command) => within(timeoutMs, client.sendCommand([...command]))),
    };
  };

  const next = rotate(addresses);
  const line = createLine({ ...listeners, credentials, timeoutMs, locate: async () => next(), beat });
  void renew();

  return {
    tried: Promise.all([tried.promise, line.tried]),
    async send(key, command) {
      if (current === undefined) throw absence;
      try {
        return await within(timeoutMs, current.sendCommand(key, false, [...command]));
      } catch (cause) {
        if (replyOf(cause) === undefined) void renew();
        throw cause;
      }
    },
    async masters() {
      if (current === undefined) throw absence;
      return within(timeoutMs, mastersOf(current));
    },
    close() {
      closing.abort();
      line.close();
      current?.destroy();
    },
  };
}

/** What is under way keeps its time. */
function retire(cluster: Cluster | undefined, afterMs: number) {
  if (cluster !== undefined) setTimeout(() => cluster.destroy(), afterMs).unref();
}
