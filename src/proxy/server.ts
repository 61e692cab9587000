// The proxy: its two listeners, the table that each request takes once, and how it drains.
import type { ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Authority } from '../auth/authority.ts';
import { applyUpdate, emptyTable } from '../model/route.ts';
import type { RouteTable, TableUpdate } from '../model/route.ts';
import { defaultClassSettings } from '../model/settings.ts';
import type { Logger, Metrics } from '../telemetry.ts';
import { createAssertions } from './assertions.ts';
import { createBalancer } from './balance.ts';
import { certificateFor, createContexts, isSameByDefault, tlsOptions } from './certificates.ts';
import { createDecisionLog } from './decision-log.ts';
import type { DecisionLog } from './decision-log.ts';
import { createDecisions } from './decisions.ts';
import type { Decisions } from './decisions.ts';
import { beginExchange, endExchange } from './exchange.ts';
import type { AccessLog, Exchange, Incoming, Telling } from './exchange.ts';
import { handle } from './handle.ts';
import type { Gate } from './handle.ts';
import { bind, boundPort, createPlainListener, createTlsListener, defaultLimits, hear } from './listener.ts';
import type { ListenAddress, Listening, ServerLimits } from './listener.ts';
import { respondPage } from './respond.ts';
import { createSessions } from './sessions.ts';
import { createConnections } from './upstream.ts';

export interface ProxyOptions {
  readonly http?: ListenAddress;
  readonly https?: ListenAddress;
  readonly authority: Authority;
  /** In a cluster: loopback, link-local, metadata and `refusedAddresses` are no upstreams (promise 15). */
  readonly checkUpstreamAddresses: boolean;
  /** Our own pod, the API server: addresses, CIDRs, or host names. */
  readonly refusedAddresses?: readonly string[];
  readonly accessLog: AccessLog;
  readonly decisionLog: DecisionLog;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly now?: () => number;
}

export interface Proxy {
  readonly table: RouteTable;
  /** The last ones, for whoever asks why. */
  readonly decisions: Pick<Decisions, 'find'>;
  /** Takes effect with the next request. Those under way keep the table they began with, unless this one refuses them. */
  update(update: TableUpdate): void;
  /** @throws {Error} with code `EADDRINUSE`, or what else the system says, in one line that names address and flag. */
  listen(): Promise<readonly Listening[]>;
  /** Accepts no more, lets what is under way finish, and after `graceMs` ends the rest. */
  close(graceMs: number): Promise<void>;
}

const idleSweepMs = 1_000;

export function createProxy(options: ProxyOptions, limits: ServerLimits = defaultLimits): Proxy {
  const { authority, checkUpstreamAddresses, refusedAddresses = [], log, metrics, now = Date.now } = options;
  let table = emptyTable(defaultClassSettings);
  let draining = false;
  const sockets = new Set<Duplex>();
  const answers = new Set<ServerResponse>();

  const balancer = createBalancer({ checkAddresses: checkUpstreamAddresses, refusedAddresses, now });
  const connections = createConnections(balancer.lookup);
  const sessions = createSessions({ authority, now });
  const decisions = createDecisions();
  const tell = createDecisionLog(options);
  const contexts = createContexts(log);
  const http = options.http && createPlainListener(limits);
  const https =
    options.https &&
    createTlsListener(limits, {
      ...tlsOptions(table.settings.tls),
      SNICallback: (name, done) => {
        const certificate = certificateFor(table, name);
        // Without a context the default one is used; where that has no certificate either, OpenSSL sends an alert.
        done(null, certificate && contexts(certificate, table.settings.tls));
      },
    });
  const servers = [http, https].filter((server) => server !== undefined);
  const gate: Gate = {
    authority,
    sessions,
    assertions: createAssertions({ authority }),
    balancer,
    connections,
    httpsPort: () => boundPort(https),
    track: (client) => {
      metrics.openStreams.inc();
      client.once('close', () => metrics.openStreams.dec());
    },
    record: (decided) => {
      decisions.keep(decided);
      tell(decided);
    },
  };

  const serve = async (incoming: Incoming): Promise<void> => {
    const { response } = incoming;
    answers.add(response);
    if (draining) response.shouldKeepAlive = false;
    await serveOne(gate, beginExchange(incoming, table), options);
    answers.delete(response);
  };
  for (const server of servers) {
    hear(server, {
      connection: (socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      },
      request: (incoming) => void serve(incoming),
      unreadable: () => metrics.requests.inc({ outcome: 'BadRequest' }),
    });
  }

  return {
    get table() {
      return table;
    },
    decisions,
    update(update) {
      const before = table;
      table = applyUpdate(table, update);
      metrics.tableHosts.set(table.hosts.size);
      metrics.hostsSent.inc(update.changed.length + update.removed.length);
      sessions.recheck(table);
      if (https && !isSameByDefault(before, table)) setDefault(https, table, log);
    },
    async listen() {
      const listening: Listening[] = [];
      if (http && options.http) listening.push(await bind(http, 'http', options.http));
      if (https && options.https) listening.push(await bind(https, 'https', options.https));
      return listening;
    },
    async close(graceMs) {
      draining = true;
      for (const response of answers) response.shouldKeepAlive = false;
      const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)));
      const sweep = setInterval(() => servers.forEach((server) => server.closeIdleConnections()), idleSweepMs);
      // All of them: node:http no longer knows the upgraded ones, and never knew those still in their handshake.
      const deadline = setTimeout(() => sockets.forEach((socket) => socket.destroy()), graceMs);
      await Promise.all(closed);
      clearInterval(sweep);
      clearTimeout(deadline);
      sessions.close();
      connections.close();
    },
  };
}

/** Whatever goes wrong here is a fault of ours, and costs this one request. */
async function serveOne(gate: Gate, exchange: Exchange, telling: Telling): Promise<void> {
  const { request, response } = exchange;
  // A connection that breaks is no fault of ours; each await looks for itself whether the client is still there.
  request.on('error', () => response.destroy());
  response.on('error', () => response.destroy());
  try {
    endExchange(exchange, await handle(gate, exchange), telling);
  } catch (error) {
    telling.log.error({ id: exchange.id, err: error }, 'request failed');
    await respondPage(exchange, { kind: 'InternalError' }).catch(() => response.destroy());
    endExchange(exchange, 'InternalError', telling);
  }
}

/**
 * What a client gets that names no host, or one that nobody serves; and the versions that anybody may speak, which OpenSSL
 * takes from here alone: they are settled before it looks at the name.
 */
function setDefault(server: HttpsServer, { defaultCertificate, settings: { tls } }: RouteTable, log: Logger): void {
  try {
    server.setSecureContext(tlsOptions(tls, defaultCertificate));
  } catch (error) {
    log.warn({ certificate: defaultCertificate?.name, err: error }, 'default certificate cannot be used');
    server.setSecureContext(tlsOptions(tls));
  }
}
