// Where the API server is, who we are to it, and the one keep-alive agent that all requests share.
import http from 'node:http';
import https from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import { unreachable } from './errors.ts';

/** What proves who we are, and who the API server is. */
export interface Credentials {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
  /** The `Authorization` header; sent over TLS only. */
  readonly authorization?: string;
}

/** Where the API server is. */
export interface Connection {
  /** `https://10.0.0.1:443`, perhaps with a path below which the API stands. */
  readonly server: string;
  /** The namespace that the credentials belong to. */
  readonly namespace?: string;
  /** Asked at most once a minute, and anew after a 401: tokens and certificates are replaced while we run. */
  credentials(): Promise<Credentials>;
}

/** Credentials with an agent that uses them. */
export interface ApiAccess {
  readonly current: () => Promise<{ readonly credentials: Credentials; readonly agent: http.Agent }>;
  /** The server did not believe us: the next request reads the credentials anew. */
  readonly doubt: () => void;
}

const credentialsMaxAgeMs = 60_000;

/** @param now Milliseconds that never run backwards. */
export function createAccess(connection: Connection, now: () => number): ApiAccess {
  let last: { readonly credentials: Credentials; readonly agent: http.Agent; readonly readAt: number } | undefined;
  return {
    async current() {
      if (last !== undefined && now() - last.readAt < credentialsMaxAgeMs) return last;
      const before = last;
      const credentials = await connection.credentials().catch((cause: unknown) => {
        // Yesterday's will do for as long as today's cannot be read: the kubelet may be writing them at this moment.
        if (before !== undefined) return before.credentials;
        throw unreachable('the credentials for the API server cannot be read', cause);
      });
      const same = before !== undefined && isDeepStrictEqual(identityOf(credentials), identityOf(before.credentials));
      // Requests under way keep the old agent, whose idle connections the server closes.
      const agent = same ? before.agent : createAgent(connection.server, credentials);
      last = { credentials, agent, readAt: now() };
      return last;
    },
    doubt() {
      last = last && { ...last, readAt: -Infinity };
    },
  };
}

function identityOf({ authorization: _authorization, ...tls }: Credentials): Omit<Credentials, 'authorization'> {
  return tls;
}

function createAgent(server: string, credentials: Credentials): http.Agent {
  const reuse = { keepAlive: true, maxFreeSockets: 16 };
  return server.startsWith('http:') ? new http.Agent(reuse) : new https.Agent({ ...reuse, ...identityOf(credentials) });
}
