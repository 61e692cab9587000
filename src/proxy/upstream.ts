// Connections to applications: kept alive, one agent for each name that an upstream must prove, checked before each connect.
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { ClientRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { LRUCache } from 'lru-cache';
import type { Endpoint, Upstream } from '../model/route.ts';

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
  open(request: UpstreamRequest): ClientRequest;
  close(): void;
}

// Below the 5 s after which node:http servers close an idle connection, lest a request meet the close (nodejs/node#47130).
const idleConnectionMs = 4_000;
const freeSocketsKept = 64;
const agentsKept = 1_024;
const responseHeaderBytes = 64 * 1024;

const agentOptions = { keepAlive: true, timeout: idleConnectionMs, maxFreeSockets: freeSocketsKept };

export function createConnections(lookup: LookupFunction): Connections {
  const plain = new HttpAgent(agentOptions);
  // A dropped agent's connections end by themselves after four idle seconds.
  const encrypted = new LRUCache<string, HttpsAgent>({ max: agentsKept });

  function encryptedAgent(serverName: string): HttpsAgent {
    const known = encrypted.get(serverName);
    if (known !== undefined) return known;
    // No TLS sessions kept: a resumed one skips the check of the name (CVE-2026-48934).
    const agent = new HttpsAgent({ ...agentOptions, maxCachedSessions: 0 });
    encrypted.set(serverName, agent);
    return agent;
  }

  return {
    open({ upstream, endpoint, method, path, headers, ownConnection }) {
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
      return prepare(
        httpsRequest({
          ...options,
          agent: ownConnection ? false : encryptedAgent(upstream.tls.serverName),
          rejectUnauthorized: true,
          servername: upstream.tls.serverName,
        }),
      );
    },
    close() {
      plain.destroy();
      for (const agent of encrypted.values()) agent.destroy();
    },
  };
}

function prepare(outgoing: ClientRequest): ClientRequest {
  // All headers visible: the parser obeys also those beyond a count (CVE-2026-58044).
  outgoing.maxHeadersCount = 0;
  return outgoing;
}

/** Calls back once the connection stands (over TLS: once the other side has proved its name), or when `timeoutMs` is over. */
export function whenConnected(
  outgoing: ClientRequest,
  timeoutMs: number,
  connected: (socket: Socket) => void,
  timedOut: () => void,
): void {
  const timer = setTimeout(timedOut, timeoutMs);
  outgoing.once('close', () => clearTimeout(timer));
  outgoing.once('socket', (socket) => {
    const ready = (): void => {
      clearTimeout(timer);
      connected(socket);
    };
    if (outgoing.reusedSocket) ready();
    else socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', ready);
  });
}
