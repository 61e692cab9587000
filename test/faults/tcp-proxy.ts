// A TCP proxy that can be slow, or swallow everything, as a network does.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** What is received from the server from now on is passed on so much later. */
  delay(ms: number): void;
  /** Nothing is passed on, either way, and no connection is closed: what a partition looks like from here. */
  swallow(isSwallowing: boolean): void;
  stop(): Promise<void>;
}

export async function startTcpProxy(serverPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let delayMs = 0;
  let isSwallowing = false;
  const relay = (from: Socket, to: Socket, waitMs: () => number) => {
    from.on('data', (chunk) => {
      if (isSwallowing) return;
      // Even 0 ms would let a later chunk overtake one that waits: timers of one length fire in their order.
      if (waitMs() === 0) to.write(chunk);
      else setTimeout(() => to.write(chunk), waitMs());
    });
    from.on('error', () => undefined);
    from.once('close', () => {
      sockets.delete(from);
      if (!isSwallowing) to.destroy();
    });
    sockets.add(from);
  };
  const server = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1');
    relay(client, upstream, () => 0);
    relay(upstream, client, () => delayMs);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    delay(ms) {
      delayMs = ms;
    },
    swallow(wanted) {
      isSwallowing = wanted;
      // What was swallowed is lost, and TCP would have noticed by now.
      if (!wanted) for (const socket of sockets) socket.destroy();
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
