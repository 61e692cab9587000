// Connections to applications: kept alive, apart by what is proved on them, addresses checked before each connect.
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { ClientRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Socket } from 'node:net';
import type { LookupFunction } from 'node:net';
import { Writable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Endpoint, Upstream } from '../model/route.ts';
import { openHttp2Request } from './http2-request.ts';
import { createHttp2Sessions } from './http2-sessions.ts';
import type { Carrier, Outgoing } from './outgoing.ts';
import { createTlsIdentities } from './upstream-tls.ts';

export interface UpstreamRequest {
  readonly upstream: Upstream;
  readonly endpoint: Endpoint;
  readonly method: string;
  readonly path: string;
  readonly headers: readonly string[];
  /** A connection of its own, which never comes into the pool (CVE-2026-71324). */
  readonly ownConnection: boolean;
}

export interface Connections {
  /** Begins a request; nothing is sent before the connection stands. */
  open(request: UpstreamRequest): Outgoing;
  close(): void;
}

// Below the 5 s after which node:http servers close an idle connection, lest a request meet the close (nodejs/node#47130).
const idleConnectionMs = 4_000;
const freeSocketsKept = 64;
const responseHeaderBytes = 64 * 1024;

const agentOptions = { keepAlive: true, timeout: idleConnectionMs, maxFreeSockets: freeSocketsKept };

export function createConnections(lookup: LookupFunction): Connections {
  const plain = new HttpAgent(agentOptions);
  const http2 = createHttp2Sessions(lookup, idleConnectionMs);
  const identities = createTlsIdentities(agentOptions);

  return {
    open({ upstream, endpoint, method, path, headers, ownConnection }) {
      if (upstream.protocol === 'h2c') return openHttp2Request(http2, { endpoint, method, path, headers });
      const options = {
        host: endpoint.address,
        port: endpoint.port,
        method,
        path,
        headers,
        setHost: false,
        lookup,
        maxHeaderSize: responseHeaderBytes,
        insecureHTTPParser: false,
      };
      if (upstream.protocol !== 'https')
        return prepare(httpRequest({ ...options, agent: ownConnection ? false : plain }));
      const identity = identities.of(upstream.tls);
      if (identity instanceof Error) return unopened(identity);
      const { agent, ...proof } = identity;
      return prepare(httpsRequest({ ...options, ...proof, agent: ownConnection ? false : agent }));
    },
    close() {
      plain.destroy();
      http2.close();
      identities.close();
    },
  };
}

function prepare(outgoing: ClientRequest): ClientRequest {
  // All headers visible: the parser obeys also those beyond a count (CVE-2026-58044).
  outgoing.maxHeadersCount = 0;
  return outgoing;
}

/** What fails as soon as somebody listens. */
function unopened(error: Error): Outgoing {
  const own = { reusedSocket: false, flushHeaders: () => undefined, addTrailers: () => undefined };
  return Object.assign(new Writable().destroy(error), own);
}

/** Calls back once the connection stands (over TLS: once the other side has proved its name), or when `timeoutMs` is over. */
export function whenConnected(
  outgoing: Outgoing,
  timeoutMs: number,
  connected: (carrier: Carrier) => void,
  timedOut: () => void,
): void {
  const timer = setTimeout(timedOut, timeoutMs);
  outgoing.once('close', () => clearTimeout(timer));
  outgoing.once('socket', (carrier: Socket | Carrier) => {
    const ready = (): void => {
      clearTimeout(timer);
      connected(carrier);
    };
    // A stream of HTTP/2 is there once its connection stands.
    if (outgoing.reusedSocket || !(carrier instanceof Socket)) ready();
    else carrier.once(carrier instanceof TLSSocket ? 'secureConnect' : 'connect', ready);
  });
}
