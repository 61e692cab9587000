// How a provider is called: under a limit of time and size, with its own CA, and noting what tells whether a request took effect.
import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { CustomFetch } from 'openid-client';
import { Agent, buildConnector, fetch as undiciFetch } from 'undici';
import type { Response as UndiciResponse } from 'undici';
import type { ClientAuthentication } from '../../model/settings.ts';
import { ProviderError } from './error.ts';

/** How long one call to a provider may take. */
export const callTimeoutMs = 5_000;
// Less than the whole call: what ends while connecting was not sent, and that is known for certain.
const connectTimeoutMs = 3_000;
const maxAnswerBytes = 1 << 20;

export interface ProviderFetch {
  readonly fetch: CustomFetch;
  /** When the provider last gave an answer that was no failure, milliseconds since the epoch. */
  heardAt(): number;
  close(): Promise<void>;
}

export interface ConnectionSettings {
  /** PEM. */
  readonly ca?: string;
  readonly clientAuthentication?: ClientAuthentication;
}

/** No connection came about: nothing was sent. */
class NotConnected extends Error {
  constructor(cause: Error) {
    super(`no connection: ${cause.message}`, { cause });
    this.name = 'NotConnected';
  }
}

/** Whether it is certain that a call ended before anything of it was sent. */
export function wasNotSent(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof NotConnected) return true;
  return false;
}

// RFC 6761, section 6.3: names under .localhost are the loopback's. glibc's resolver does not know.
const lookupLocalhost: LookupFunction = (hostname, options, callback) => {
  if (!hostname.endsWith('.localhost')) return lookup(hostname, options, callback);
  return options.all === true ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4);
};

export function createProviderFetch(
  { ca, clientAuthentication }: ConnectionSettings,
  now: () => number,
): ProviderFetch {
  const connector = buildConnector({
    allowH2: false,
    lookup: lookupLocalhost,
    timeout: connectTimeoutMs,
    ...(ca !== undefined && { ca }),
    ...(clientAuthentication?.method === 'TlsClientAuth' && {
      cert: clientAuthentication.certificate,
      key: clientAuthentication.key.reveal(),
    }),
  });
  const connect: buildConnector.connector = (options, callback) =>
    connector(options, (...[error, socket]) => {
      if (error !== null) callback(new NotConnected(error), null);
      else callback(null, socket);
    });
  // Each call has a connection of its own: one that was kept could be closing just now, and then nobody could tell whether
  // what may be spent only once has arrived.
  const agent = new Agent({
    connect,
    pipelining: 0,
    headersTimeout: callTimeoutMs,
    bodyTimeout: callTimeoutMs,
    maxResponseSize: maxAnswerBytes,
  });
  let heardAt = -Infinity;
  return {
    async fetch(url, { body, headers, method, redirect, signal }) {
      const init = {
        headers,
        method,
        redirect,
        ...(body != null && { body: body as string }),
        ...(signal && { signal }),
      };
      const answer = await readWhole(await undiciFetch(url, { ...init, dispatcher: agent }));
      if (answer.status < 500 && answer.status !== 429) heardAt = now();
      return answer;
    },
    heardAt: () => heardAt,
    close: () => agent.close(),
  };
}

// An answer is read to its end here, unpacked, under the limit: the agent's own counts bytes before they are unpacked.
async function readWhole(response: UndiciResponse): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw new ProviderError('unavailable', `an answer is over ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  const { status, headers } = response;
  const whole = Buffer.concat(chunks);
  // Judged here: further on it has the same name as a token that cannot be read, which is no failure but a fault.
  if (status === 200 && isJson(headers) && bytes > 0 && !isWhole(whole)) {
    throw new ProviderError('unavailable', 'an answer breaks off in the middle of its JSON, or is none');
  }
  return new Response(bytes === 0 ? null : whole, { status, headers: [...headers] });
}

function isJson(headers: UndiciResponse['headers']): boolean {
  return /^application\/([^;]+\+)?json\b/i.test(headers.get('content-type') ?? '');
}

function isWhole(json: Buffer): boolean {
  try {
    JSON.parse(json.toString());
    return true;
  } catch {
    return false;
  }
}
