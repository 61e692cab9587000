// Traffic at a fixed rate, whatever the answers' pace: so many requests a second over all hosts, each timed from when it was due.
import http from 'node:http';
import https from 'node:https';
import { hasCertificate, hostOf } from './scale-objects.ts';

export interface Answer {
  readonly status: number;
  /** Who answered: the address of the application. */
  readonly address: string;
}

export interface Client {
  ask(index: number): Promise<Answer>;
  close(): void;
}

/** Over TLS where a host has a certificate, with its name in SNI on connections that are used again for others. */
export function createClient(ports: { readonly httpPort: number; readonly httpsPort: number }): Client {
  const plain = new http.Agent({ keepAlive: true, maxSockets: 96 });
  const secure = new https.Agent({ keepAlive: true, maxSockets: 32, rejectUnauthorized: false });
  return {
    ask(index) {
      const host = hostOf(index);
      const { promise, resolve } = Promise.withResolvers<Answer>();
      const failed = () => resolve({ status: 0, address: '' });
      const common = { host: '127.0.0.1', path: '/', headers: { host }, timeout: 10_000 };
      // One name for all of its connections: a handshake for each host would measure OpenSSL.
      const asked = hasCertificate(index)
        ? https.request({ ...common, port: ports.httpsPort, agent: secure, servername: hostOf(1) })
        : http.request({ ...common, port: ports.httpPort, agent: plain });
      asked.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('error', failed);
        response.on('end', () => {
          const address = /"name":"([^"]*)"/.exec(text)?.[1] ?? '';
          resolve({ status: response.statusCode ?? 0, address });
        });
      });
      asked.on('timeout', () => asked.destroy());
      asked.on('error', failed);
      asked.end();
      return promise;
    },
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}

export interface Traffic {
  readonly requests: number;
  readonly failed: number;
  readonly statuses: ReadonlyMap<number, number>;
  readonly latenciesMs: readonly number[];
}

/** @param seen Called with each answer, and when it was asked for. */
export async function send(
  client: Client,
  count: number,
  perSecond: number,
  seconds: number,
  seen: (index: number, answer: Answer, askedAt: number) => void = () => undefined,
): Promise<Traffic> {
  const latenciesMs: number[] = [];
  const statuses = new Map<number, number>();
  let pending = 0;
  let sent = 0;
  const total = perSecond * seconds;
  const began = performance.now();
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const one = async (turn: number) => {
    const dueAt = began + (turn * 1_000) / perSecond;
    // A prime step goes through all hosts in an order that is no namespace's.
    const index = (turn * 7_919) % count;
    const askedAt = performance.now();
    pending += 1;
    const answer = await client.ask(index);
    pending -= 1;
    latenciesMs.push(performance.now() - dueAt);
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    seen(index, answer, askedAt);
    if (sent === total && pending === 0) resolve();
  };
  const clock = setInterval(() => {
    const due = Math.min(total, Math.floor(((performance.now() - began) * perSecond) / 1_000));
    for (; sent < due; sent += 1) void one(sent);
    if (sent === total) clearInterval(clock);
  }, 2);
  await done;
  const failed = total - (statuses.get(200) ?? 0);
  return { requests: total, failed, statuses, latenciesMs };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
