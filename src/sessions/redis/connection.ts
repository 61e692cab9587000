// The way to Redis, whatever its topology: a single server, Sentinel's master, or a Cluster.
import type { RedisSettings } from '../../model/settings.ts';
import { parseAddress, rotate } from './address.ts';
import { createClusterConnection } from './cluster.ts';
import { createLine } from './line.ts';
import type { Listeners } from './line.ts';
import { locateMaster } from './sentinel.ts';

/** The masters as they are now. `life` is another wherever one of them may be another than before: a SCAN begins anew then. */
export interface Masters {
  readonly life: string;
  readonly all: readonly ((command: readonly string[]) => Promise<unknown>)[];
}

export interface Connection {
  /** Sends a command to the server that holds the key. While there is no connection it rejects at once, with what ended the last. */
  send(key: string, command: readonly string[]): Promise<unknown>;
  masters(): Promise<Masters>;
  /** Resolves when the first attempt to connect has ended, well or not. */
  readonly tried: Promise<unknown>;
  close(): void;
}

export function createConnection(settings: RedisSettings, timeoutMs: number, listeners: Listeners): Connection {
  const [first, ...others] = settings.urls;
  const addresses = [parseAddress(first), ...others.map(parseAddress)] as const;
  const next = rotate(addresses);
  if (settings.cluster) return createClusterConnection(settings, addresses, timeoutMs, listeners);
  const { sentinel } = settings;
  const line = createLine({
    ...listeners,
    credentials: settings,
    timeoutMs,
    // Each Sentinel may take a share of the time that an attempt has.
    locate: async () =>
      sentinel === undefined
        ? next()
        : locateMaster(addresses, sentinel, settings, Math.floor(timeoutMs / (addresses.length + 1))),
  });
  return {
    tried: line.tried,
    close: () => line.close(),
    send: (_key, command) => line.send(command),
    masters: async () => ({ life: String(line.connections), all: [line.send] }),
  };
}
