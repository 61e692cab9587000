// How a client is told where a Redis server is and who we are.
import type { RedisClientOptions } from '@redis/client';
import type { RedisSettings } from '../../model/settings.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly tls: boolean;
}

export function parseAddress(url: string): Address {
  const { protocol, hostname, port, pathname } = new URL(url);
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 6379 : Number(port),
    database: Number(pathname.slice(1)),
    tls: protocol === 'rediss:',
  };
}

/** A server that reads nothing must not fill our memory: what does not fit is refused at once. */
const maxQueuedCommands = 10_000;

export type Credentials = Pick<RedisSettings, 'username' | 'password' | 'ca'>;

/** For one connection that is not opened again by itself, that keeps nothing for later, and that has no time limit of its own. */
export function clientOptions(
  { host, port, database, tls }: Address,
  { username, password, ca }: Credentials,
  connectTimeout: number,
) {
  const socket = { host, port, connectTimeout, reconnectStrategy: false } as const;
  return {
    RESP: 3,
    database,
    ...(username && { username: username.reveal() }),
    ...(password && { password: password.reveal() }),
    socket: tls ? { ...socket, tls: true, ...(ca !== undefined && { ca }) } : socket,
    commandOptions: { timeout: 0 },
    commandsQueueMaxLength: maxQueuedCommands,
    disableOfflineQueue: true,
    // Two commands less that an ACL must allow.
    disableClientInfo: true,
    maintNotifications: 'disabled',
  } as const satisfies RedisClientOptions;
}

/** The next one at each call: an address that does not answer is not the only one tried. */
export function rotate<T>(all: readonly T[]): () => T {
  let calls = 0;
  return () => all[calls++ % all.length] as T;
}
