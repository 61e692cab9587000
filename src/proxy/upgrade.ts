// The switch to another protocol (WebSocket): what counts as asking for one, what counts as agreeing, and the tunnel after it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import type { Route } from '../model/route.ts';
import type { UpgradeAsked } from './exchange.ts';
import { responseHeaders, pairs } from './headers.ts';

const token = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}(?:\/[A-Za-z0-9.]{1,16})?$/;

/**
 * The protocol that a request asks to switch to; undefined: it is a request like any other. HTTP/2 is offered by clients
 * that are content with HTTP/1.1 (RFC 9113 §3.1 has withdrawn it), and TLS within is not ours to begin.
 */
export function upgradeAsked(request: IncomingMessage): string | undefined {
  const { upgrade, 'content-length': length, 'transfer-encoding': coding } = request.headers;
  if (request.method !== 'GET' || upgrade === undefined || coding !== undefined || Number(length ?? 0) > 0)
    return undefined;
  const protocol = upgrade.trim();
  return token.test(protocol) && !/^(?:h2c?|http|tls)(?:\/|$)/i.test(protocol) ? protocol : undefined;
}

const usual: readonly string[] = ['websocket'];

/**
 * Whether a route lets its connections switch to this protocol; where it does not, the request is one like any other. HTTP/2
 * knows no switch (RFC 9113 §8.6), and applications that offer WebSocket by extended CONNECT (RFC 8441) offer it by HTTP/1.1, too.
 */
export function maySwitch(
  { upgrades = usual, upstream }: Pick<Route, 'upgrades' | 'upstream'>,
  protocol: string,
): boolean {
  return upstream?.protocol !== 'h2c' && upgrades.includes(protocol.toLowerCase());
}

/** A 200 is no consent, and neither is a 101 to something else (CVE-2024-23326). */
export function agreesTo(protocol: string, incoming: IncomingMessage): boolean {
  return incoming.statusCode === 101 && incoming.headers.upgrade?.trim().toLowerCase() === protocol.toLowerCase();
}

export interface Tunnel {
  readonly upgrade: UpgradeAsked;
  readonly response: ServerResponse;
  readonly incoming: IncomingMessage;
  readonly upstream: Socket;
  /** What the upstream sent right behind its 101. */
  readonly head: Buffer;
  readonly cookieName: string;
  readonly idleMs: number;
}

/** Passes bytes both ways until one side ends or both are silent for `idleMs`. Resolves when the client's side is closed. */
export function openTunnel({ upgrade, response, incoming, upstream, head, cookieName, idleMs }: Tunnel): Promise<void> {
  const { socket: client, protocol } = upgrade;
  response.detachSocket(client as Socket);
  const headers = responseHeaders(incoming.rawHeaders, { status: 101, cookieName });
  headers.push('Connection', 'Upgrade', 'Upgrade', protocol);
  const lines = [...pairs(headers)].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  client.write(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`, 'latin1');
  if (head.length > 0) client.write(head);
  if (upgrade.head.length > 0) upstream.write(upgrade.head);

  const closed = new Promise<void>((resolve) => client.once('close', resolve));
  // Reading and writing both count as activity of this socket.
  upstream.setTimeout(idleMs, () => upstream.destroy());
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.on('error', () => from.destroy());
    from.once('close', () => closeSoon(to));
    from.pipe(to);
  }
  if (client.destroyed) upstream.destroy();
  if (upstream.destroyed) closeSoon(client);
  return client.closed ? Promise.resolve() : closed;
}

const flushMs = 5_000;

/** Sends what is still to be sent, for five seconds at most: the other side may have stopped reading. */
export function closeSoon(socket: Duplex): void {
  const timer = setTimeout(() => socket.destroy(), flushMs).unref();
  socket.once('close', () => clearTimeout(timer));
  socket.end(() => socket.destroy());
}
