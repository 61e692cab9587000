// Connections to applications that speak HTTP/2 without TLS: kept, shared by as many requests as the application allows.
import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { connect } from 'node:net';
import type { LookupFunction, Socket } from 'node:net';
import type { Endpoint } from '../model/route.ts';

/** The right to one stream of a session. */
export interface Lease {
  readonly session: ClientHttp2Session;
  /** The session has served another request before. */
  readonly isReused: boolean;
  /** Given back once the stream is closed. */
  release(): void;
  /** Nothing was heard since the lease began: others shall not wait for the same silence. */
  suspect(): void;
}

export type Taken = (error: NodeJS.ErrnoException | undefined, lease?: Lease) => void;

export interface Http2Sessions {
  /** Calls back, never at once, when the application has shown that it speaks HTTP/2. Returns what gives up waiting. */
  take(endpoint: Endpoint, taken: Taken): () => void;
  close(): void;
}

interface Kept {
  readonly key: string;
  readonly session: ClientHttp2Session;
  readonly socket: Socket;
  readonly waiting: Set<Taken>;
  isReady: boolean;
  open: number;
  served: number;
}

// A stream's window bounds what a client that reads slowly has us hold. node:http2 keeps the connection's window open whoever reads.
const streamWindowBytes = 256 * 1024;
const connectionWindowBytes = 4 * 1024 * 1024;
const streamsPerSession = 100;
const headerPairs = 512;

const sessionOptions = {
  maxHeaderListPairs: headerPairs,
  settings: { enablePush: false, initialWindowSize: streamWindowBytes, maxHeaderListSize: 64 * 1024 },
  // Megabytes: all windows full, and then some.
  maxSessionMemory: 64,
};

/** @param idleMs A session without a frame for so long gets no new requests, and ends with those that it has. */
export function createHttp2Sessions(lookup: LookupFunction, idleMs: number): Http2Sessions {
  const sessions = new Map<string, Set<Kept>>();

  function retire(kept: Kept): void {
    const group = sessions.get(kept.key);
    group?.delete(kept);
    if (group?.size === 0) sessions.delete(kept.key);
    // Streams under way go on.
    if (!kept.session.closed) kept.session.close();
  }

  function open(key: string, { address, port }: Endpoint): Kept {
    const socket = connect({ host: address, port, lookup });
    const session = connectHttp2('http://upstream', { ...sessionOptions, createConnection: () => socket });
    const kept: Kept = { key, session, socket, waiting: new Set(), isReady: false, open: 0, served: 0 };
    let broken: NodeJS.ErrnoException | undefined;
    session.on('error', (error) => (broken = error));
    session.once('close', () => {
      retire(kept);
      for (const taken of kept.waiting) taken(broken ?? closedEarly());
    });
    session.setTimeout(idleMs, () => {
      if (kept.isReady) retire(kept);
    });
    // The application's first frame (RFC 9113 §3.4): before it nothing of a request is sent.
    session.once('remoteSettings', () => {
      kept.isReady = true;
      session.setLocalWindowSize(connectionWindowBytes);
      const waiting = [...kept.waiting];
      kept.waiting.clear();
      for (const taken of waiting) {
        if (hasRoom(kept)) taken(undefined, lease(kept));
        else takeFor(key, { address, port }, taken);
      }
    });
    const group = sessions.get(key) ?? new Set();
    sessions.set(key, group.add(kept));
    return kept;
  }

  function lease(kept: Kept): Lease {
    const { session, socket } = kept;
    const isReused = kept.served > 0;
    const heardBytes = socket.bytesRead;
    kept.open += 1;
    kept.served += 1;
    return {
      session,
      isReused,
      release: () => void (kept.open -= 1),
      suspect: () => {
        if (socket.bytesRead === heardBytes) retire(kept);
      },
    };
  }

  function takeFor(key: string, endpoint: Endpoint, taken: Taken): () => void {
    const kept = [...(sessions.get(key) ?? [])].find(hasRoom) ?? open(key, endpoint);
    let isOver = false;
    const once: Taken = (error, given) => {
      kept.waiting.delete(once);
      if (isOver) given?.release();
      else taken(error, given);
    };
    if (!kept.isReady) kept.waiting.add(once);
    else {
      const given = lease(kept);
      process.nextTick(() => once(undefined, given));
    }
    return () => {
      isOver = true;
      kept.waiting.delete(once);
      // Nobody waits for it any more.
      if (!kept.isReady && kept.waiting.size === 0) kept.session.destroy();
    };
  }

  return {
    take: (endpoint, taken) => takeFor(`${endpoint.address} ${endpoint.port}`, endpoint, taken),
    close() {
      for (const group of sessions.values()) for (const { session } of group) session.destroy();
    },
  };
}

function hasRoom({ session, isReady, open, waiting }: Kept): boolean {
  // Closed it is also when the application has said that it is going away.
  if (session.closed || session.destroyed) return false;
  const allowed = isReady ? (session.remoteSettings.maxConcurrentStreams ?? streamsPerSession) : streamsPerSession;
  return open + waiting.size < Math.min(allowed, streamsPerSession);
}

function closedEarly(): Error {
  return Object.assign(new Error('the connection was closed before it stood'), { code: 'ECONNRESET' });
}
