// Who comes to a replica: a person in a browser, a program, and the streams that a session holds open.
import { request as httpRequest } from 'node:http';
import { WebSocket } from 'ws';
import { createClient, send } from '../integration/client.ts';
import type { Answer, Client } from '../integration/client.ts';

const host = 'app.localhost';

export const appUrl = (port: number, path = '/') => `http://${host}:${port}${path}`;

/** Signs in, for which the provider asks nobody anything. @throws {Error} where it does not end at the application. */
export async function signIn(port: number): Promise<Client> {
  const client = createClient();
  const arrived = await client.visit(appUrl(port));
  if (arrived.status !== 200) throw new Error(`signing in ended with ${arrived.status} at ${arrived.url.href}`);
  return client;
}

/** The `Cookie` header that this browser sends to the application. */
export function cookieOf(client: Client): string {
  return `__Host-sallyport=${client.cookies.get(host)?.get('__Host-sallyport')}`;
}

/** Asks as a program does, by a connection of its own. */
export function ask(port: number, cookie: string, path = '/'): Promise<Answer> {
  return send(new URL(appUrl(port, path)), { headers: { accept: '*/*', cookie } });
}

/** The status; 0 for a request that was broken off, as one under way is when its session ends. */
export const statusOf = (port: number, cookie: string): Promise<number> =>
  ask(port, cookie).then(
    ({ status }) => status,
    () => 0,
  );

export function signOut(client: Client, port: number): Promise<Answer> {
  const headers = { origin: appUrl(port).slice(0, -1), 'sec-fetch-site': 'same-origin' };
  return client.visit(appUrl(port, '/.sallyport/sign-out'), { method: 'POST', headers, follow: 0 });
}

export interface OpenStream {
  readonly what: string;
  /** When it was closed, by `performance.now()`. */
  readonly closed: Promise<number>;
}

/** A WebSocket, an event stream and a download, each with its first bytes received. */
export function openStreams(port: number, cookie: string): Promise<readonly OpenStream[]> {
  return Promise.all([
    openSocket(port, cookie),
    openResponse('event stream', port, cookie, '/events'),
    openResponse('download', port, cookie, '/download'),
  ]);
}

function openSocket(port: number, cookie: string): Promise<OpenStream> {
  const headers = { host: `${host}:${port}`, cookie };
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`, { headers, origin: appUrl(port).slice(0, -1) });
  const closed = new Promise<number>((resolve) => socket.once('close', () => resolve(performance.now())));
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.once('message', () => resolve({ what: 'WebSocket', closed }));
  });
}

function openResponse(what: string, port: number, cookie: string, path: string): Promise<OpenStream> {
  return new Promise((resolve, reject) => {
    const headers = { host: `${host}:${port}`, accept: '*/*', cookie };
    const request = httpRequest({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      const closed = new Promise<number>((end) => response.once('close', () => end(performance.now())));
      response.on('error', () => undefined);
      response.once('data', () => resolve({ what, closed }));
      if (response.statusCode !== 200) reject(new Error(`${path} answered ${response.statusCode}`));
    });
    request.on('error', reject);
    request.end();
  });
}
