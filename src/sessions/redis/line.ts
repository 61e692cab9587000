// One connection to one Redis server, opened again for ever: it carries commands and news, and tells when it is lost.
import { setTimeout as delay } from 'node:timers/promises';
import { StoreError } from '../store.ts';
import { clientOptions } from './address.ts';
import type { Address, Credentials } from './address.ts';
import { pauseMs, within } from './patience.ts';
import { channel } from './scripts.ts';
import { replyOf } from './trouble.ts';

export interface Listeners {
  /** Connected, and subscribed to the news; what was told before may have been missed. */
  readonly onUp: () => void;
  readonly onDown: (cause: unknown) => void;
  readonly onNews: (news: string) => void;
}

export interface Line {
  /** While there is no connection it rejects at once, with what ended the last one. */
  send(command: readonly string[]): Promise<unknown>;
  /** Resolves when the first attempt to connect has ended, well or not. */
  readonly tried: Promise<unknown>;
  /** How many there were, this one included. */
  readonly connections: number;
  close(): void;
}

export interface LineOptions extends Listeners {
  readonly credentials: Credentials;
  /** Where to connect, asked before each attempt. */
  readonly locate: () => Promise<Address>;
  readonly timeoutMs: number;
  /** What is sent each second, and what is wrong with the answer, if anything; by default a PING that any answer satisfies. */
  readonly beat?: { readonly command: readonly string[]; readonly wrong: (answer: unknown) => Error | undefined };
}

const beatMs = 1_000;

/** A connection whose server says this is of no use any more: a master became a replica, or asks for a password anew. */
const useless = new Set<string | undefined>(['READONLY', 'NOAUTH']);

const connect = async ({ locate, credentials, timeoutMs, onNews }: LineOptions) => {
  // Only where it is needed: it takes some 20 MB and a third of a second.
  const { createClient } = await import('@redis/client');
  const client = createClient(clientOptions(await locate(), credentials, timeoutMs));
  // Without a listener an error would end the process; `terminated` and rejected promises tell the same.
  client.on('error', () => {});
  const open = async () => {
    await client.connect();
    await client.subscribe(channel, onNews);
  };
  try {
    await within(timeoutMs, open());
    return client;
  } catch (cause) {
    if (client.isOpen) client.destroy();
    throw cause;
  }
};

type Client = Awaited<ReturnType<typeof connect>>;

export function createLine(options: LineOptions): Line {
  const { timeoutMs, onUp, beat = { command: ['PING'], wrong: () => undefined } } = options;
  const closing = new AbortController();
  const tried = Promise.withResolvers<void>();
  let absence: unknown = new StoreError('unavailable', 'there is no connection to Redis yet');
  let connections = 0;
  let current: { readonly client: Client; readonly drop: (cause: unknown) => void } | undefined;

  const onDown = (cause: unknown) => {
    absence = cause;
    if (!closing.signal.aborted) options.onDown(cause);
  };
  /** A server that hangs closes nothing: a beat that is not answered ends the connection. */
  const listen = async (client: Client, signal: AbortSignal) => {
    for (;;) {
      await delay(beatMs, undefined, { signal });
      const answer: unknown = await within(timeoutMs, client.sendCommand(beat.command)).catch((cause: unknown) => {
        // With its disk full Redis refuses even a PING (MISCONF): an answer it is.
        if (replyOf(cause) === undefined) throw cause;
      });
      const wrong = beat.wrong(answer);
      if (wrong !== undefined) throw wrong;
    }
  };
  const attend = async (client: Client) => {
    const lost = Promise.withResolvers<unknown>();
    const over = new AbortController();
    client.on('terminated', lost.resolve);
    listen(client, over.signal).catch(lost.resolve);
    current = { client, drop: lost.resolve };
    connections += 1;
    onUp();
    tried.resolve();
    const cause = await lost.promise;
    current = undefined;
    over.abort();
    if (client.isOpen) client.destroy();
    return cause;
  };
  const keep = async () => {
    for (let failures = 0; !closing.signal.aborted; failures += 1) {
      try {
        const client = await connect(options);
        if (closing.signal.aborted) return client.destroy();
        failures = 0;
        onDown(await attend(client));
      } catch (cause) {
        onDown(cause);
      }
      tried.resolve();
      await delay(pauseMs(failures), undefined, { signal: closing.signal }).catch(() => {});
    }
  };
  void keep();

  return {
    tried: tried.promise,
    get connections() {
      return connections;
    },
    async send(command) {
      if (current === undefined) throw absence;
      const { client, drop } = current;
      try {
        return await client.sendCommand(command);
      } catch (cause) {
        if (useless.has(replyOf(cause))) drop(cause);
        throw cause;
      }
    },
    close() {
      closing.abort();
      current?.drop(undefined);
    },
  };
}
